"""Rules for volumes (validateVolumeSource in validation.go)."""

from __future__ import annotations

from collections.abc import Callable

from flashsale.embedded.types import quantities, texts
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.validation.field_checks import (
    Errors,
    each,
    optional_choice,
    optional_text,
    required,
    required_text,
)
from flashsale.embedded.validation.pod.env import VOLUME_FIELDS, backsteps, validate_file_source
from flashsale.embedded.validation.selectors import validate_selector
from flashsale.objects.models import Object

FILE_MODE = "must be a number between 0 and 0777 (octal), both inclusive"
HIGHEST_MODE = 0o777
PATH_TYPES = (
    "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate",
    "Socket",
)  # fmt: skip
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
ALONE = "ReadWriteOncePod"
ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", ALONE)
VOLUME_MODES = ("Block", "Filesystem")
SHORTEST_TOKEN, LONGEST_TOKEN = 600, 1 << 32  # seconds
VolumeCheck = Callable[[Object, str], Errors]
SOURCES = (  # in the order in which Kubernetes looks for them; the first one counts
    "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs",
    "iscsi", "glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte",
    "downwardAPI", "fc", "flexVolume", "configMap", "azureFile", "vsphereVolume",
    "photonPersistentDisk", "portworxVolume", "azureDisk", "storageos", "projected", "scaleIO",
    "csi", "ephemeral", "image",
)  # fmt: skip


def validate_volumes(spec: Object, field: str) -> tuple[list[FieldError], set[str]]:
    """Check volumes; returns the names of the sound ones too, which may be mounted."""
    errors: list[FieldError] = []
    names: set[str] = set()
    for at, volume in each(spec, "volumes", field):
        name = volume.get("name") or ""
        wrong = [*_source(volume, at), *required_text(name, f"{at}.name", texts.dns_label)]
        if name in names:
            wrong.append(FieldError.duplicate(f"{at}.name", name))
        if not wrong:
            names.add(name)
        errors += wrong
    return errors, names


def descending_path(path: str, field: str) -> Errors:
    """Check a path that must stay below where it starts."""
    if path.startswith("/"):
        yield FieldError.invalid(field, path, "must be a relative path")
    yield from optional_text(path, field, backsteps)


def _source(volume: Object, at: str) -> Errors:
    given = [name for name in SOURCES if volume.get(name) is not None]
    if not given:
        yield FieldError.required(at, "must specify a volume type")
    for name in given[:1]:
        if name in CHECKS:
            yield from CHECKS[name](volume[name], f"{at}.{name}")
    for name in given[1:]:
        yield FieldError.forbidden(f"{at}.{name}", "may not specify more than 1 volume type")


def _empty_dir(source: Object, at: str) -> Errors:
    limit = source.get("sizeLimit")
    if limit is not None and quantities.parse_quantity(limit) < 0:
        why = "SizeLimit field must be a valid resource quantity"
        yield FieldError.forbidden(f"{at}.sizeLimit", why)


def _host_path(source: Object, at: str) -> Errors:
    yield from required_text(source.get("path"), f"{at}.path", backsteps)
    if source.get("path"):
        yield from optional_choice(source.get("type"), f"{at}.type", PATH_TYPES)


def _nfs(source: Object, at: str) -> Errors:
    path = source.get("path") or ""
    yield from required(source, "server", at)
    yield from required(source, "path", at)
    if not path.startswith("/"):
        yield FieldError.invalid(f"{at}.path", path, "must be an absolute path")


def _required(*keys: str) -> VolumeCheck:
    """Return a rule for a volume that is of no use here: what must be said of it."""
    return lambda source, at: (error for key in keys for error in required(source, key, at))


def _image(source: Object, at: str) -> Errors:
    yield from required(source, "reference", at)
    policy = source.get("pullPolicy") or None
    yield from optional_choice(policy, f"{at}.pullPolicy", PULL_POLICIES)


def _files(key: str, *, mode: bool) -> VolumeCheck:
    """Return a rule for a volume, or a part of one, of files that ``key`` names the source of."""

    def check(source: Object, at: str) -> Errors:
        yield from required(source, key, at)
        if mode:
            yield from _mode(source, "defaultMode", at)
        for place, item in each(source, "items", at):
            yield from required(item, "key", place)
            yield from required(item, "path", place)
            yield from _unreserved_path(item.get("path") or "", f"{place}.path")
            yield from _mode(item, "mode", place)

    return check


def _downward(source: Object, at: str) -> Errors:
    yield from _mode(source, "defaultMode", at)
    yield from _downward_files(source, at)


def _downward_files(source: Object, at: str) -> Errors:
    """Check files of the downward API; Kubernetes leaves out which one it is."""
    for item in source.get("items") or []:
        yield from required(item, "path", at)
        yield from _unreserved_path(item.get("path") or "", f"{at}.path")
        yield from validate_file_source(item, at, VOLUME_FIELDS)
        yield from _mode(item, "mode", at)


def _projected(source: Object, at: str) -> Errors:
    yield from _mode(source, "defaultMode", at)
    paths: set[str] = set()
    for place, part in each(source, "sources", at):
        for name, check in PARTS.items():
            if part.get(name) is not None:
                yield from check(part[name], f"{place}.{name}")
                yield from _conflicting_paths(name, part[name], at, paths)
        if sum(value is not None for value in part.values()) > 1:
            yield FieldError.forbidden(place, "may not specify more than 1 volume type per source")


def _conflicting_paths(kind: str, part: Object, at: str, paths: set[str]) -> Errors:
    """Check that no two parts of a projected volume write one file; notes the paths."""
    for item in part.get("items") or []:
        path = item.get("path") or ""
        if path and path in paths:
            shown = path if kind == "downwardAPI" else part.get("name") or ""
            yield FieldError.invalid(at, shown, "conflicting duplicate paths")
        paths.add(path)


def _token(source: Object, at: str) -> Errors:
    seconds, path = source.get("expirationSeconds") or 0, source.get("path") or ""
    field = at.rpartition(".sources")[0] + ".path"  # where Kubernetes says that it is
    if seconds < SHORTEST_TOKEN:
        why = "may not specify a duration less than 10 minutes"
        yield FieldError.invalid(f"{at}.expirationSeconds", seconds, why)
    if seconds > LONGEST_TOKEN:
        why = "may not specify a duration larger than 2^32 seconds"
        yield FieldError.invalid(f"{at}.expirationSeconds", seconds, why)
    if not path:
        yield FieldError.required(field)
    yield from _unreserved_path(path, field)


def _ephemeral(source: Object, at: str) -> Errors:
    """Check what a claim must say of itself (ValidatePersistentVolumeClaimSpec)."""
    if source.get("volumeClaimTemplate") is None:
        yield FieldError.required(f"{at}.volumeClaimTemplate")
        return
    at = f"{at}.volumeClaimTemplate.spec"
    claim = source["volumeClaimTemplate"].get("spec") or {}
    modes, field = claim.get("accessModes") or [], f"{at}.accessModes"
    if not modes:
        yield FieldError.required(field, "at least 1 access mode is required")
    yield from validate_selector(claim.get("selector") or {}, f"{at}.selector")
    for mode in modes:
        yield from optional_choice(mode, field, ACCESS_MODES)
    if ALONE in modes and set(modes) & {*ACCESS_MODES} - {ALONE}:
        yield FieldError.forbidden(field, f"may not use {ALONE} with other access modes")
    amount = ((claim.get("resources") or {}).get("requests") or {}).get("storage")
    if amount is None:
        yield FieldError.required(f"{at}.resources[storage]")
    elif quantities.parse_quantity(amount) <= 0:
        yield FieldError.invalid(f"{at}.resources[storage]", amount, "must be greater than zero")
    name = claim.get("storageClassName")
    yield from optional_text(name, f"{at}.storageClassName", texts.dns_subdomain)
    yield from optional_choice(claim.get("volumeMode"), f"{at}.volumeMode", VOLUME_MODES)


def _mode(thing: Object, key: str, at: str) -> Errors:
    mode = thing.get(key)
    if mode is not None and not 0 <= mode <= HIGHEST_MODE:
        yield FieldError.invalid(f"{at}.{key}", mode, FILE_MODE)


def _unreserved_path(path: str, field: str) -> Errors:
    yield from descending_path(path, field)
    if path.startswith("..") and ".." not in path.split("/"):
        yield FieldError.invalid(field, path, "must not start with '..'")


CHECKS: dict[str, VolumeCheck] = {
    "emptyDir": _empty_dir,
    "hostPath": _host_path,
    "nfs": _nfs,
    "image": _image,
    "secret": _files("secretName", mode=True),
    "downwardAPI": _downward,
    "configMap": _files("name", mode=True),
    "projected": _projected,
    "csi": _required("driver"),
    "persistentVolumeClaim": _required("claimName"),
    "gitRepo": _required("repository"),
    "iscsi": _required("targetPortal", "iqn"),
    "rbd": _required("monitors", "image"),
    "glusterfs": _required("endpoints", "path"),
    "cephfs": _required("monitors"),
    "azureFile": _required("secretName", "shareName"),
    "gcePersistentDisk": _required("pdName"),
    "awsElasticBlockStore": _required("volumeID"),
    "flexVolume": _required("driver"),
    "cinder": _required("volumeID"),
    "vsphereVolume": _required("volumePath"),
    "photonPersistentDisk": _required("pdID"),
    "portworxVolume": _required("volumeID"),
    "ephemeral": _ephemeral,
}
PARTS: dict[str, VolumeCheck] = {  # of a projected volume
    "secret": _files("name", mode=False),
    "configMap": _files("name", mode=False),
    "downwardAPI": _downward_files,
    "serviceAccountToken": _token,
}
