"""Rules for volumes (validateVolumeSource in validation.go)."""

from __future__ import annotations

from collections.abc import Callable

from flashsale.embedded.types import quantities, texts
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.validation.field_checks import (
    invalid,
    optional_choice,
    optional_text,
    required,
    required_text,
)
from flashsale.embedded.validation.pod.env import (
    VOLUME_FIELDS,
    backsteps,
    validate_file_source,
)
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
VolumeCheck = Callable[[Object, str], list[FieldError]]
SOURCES = (  # in the order in which Kubernetes looks for them; the first one counts
    "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs",
    "iscsi", "glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte",
    "downwardAPI", "fc", "flexVolume", "configMap", "azureFile", "vsphereVolume",
    "photonPersistentDisk", "portworxVolume", "azureDisk", "storageos", "projected", "scaleIO",
    "csi", "ephemeral", "image",
)  # fmt: skip


def validate_volumes(volumes: list[Object], field: str) -> tuple[list[FieldError], set[str]]:
    """Check volumes; returns the names of the sound ones too, which may be mounted."""
    errors: list[FieldError] = []
    names: set[str] = set()
    for index, volume in enumerate(volumes):
        at, name = f"{field}[{index}]", volume.get("name") or ""
        wrong = _source(volume, at)
        wrong += required_text(name, f"{at}.name", texts.dns_label)
        if name in names:
            wrong.append(FieldError.duplicate(f"{at}.name", name))
        if not wrong:
            names.add(name)
        errors += wrong
    return errors, names


def descending_path(path: str, field: str) -> list[FieldError]:
    """Check a path that must stay below where it starts."""
    errors = invalid(field, path, ["must be a relative path"] if path.startswith("/") else [])
    return errors + optional_text(path, field, backsteps)


def _source(volume: Object, at: str) -> list[FieldError]:
    given = [name for name in SOURCES if volume.get(name) is not None]
    if not given:
        return [FieldError.required(at, "must specify a volume type")]
    check = CHECKS.get(given[0])
    errors = check(volume[given[0]], f"{at}.{given[0]}") if check else []
    why = "may not specify more than 1 volume type"
    return errors + [FieldError.forbidden(f"{at}.{name}", why) for name in given[1:]]


def _empty_dir(source: Object, at: str) -> list[FieldError]:
    limit = source.get("sizeLimit")
    if limit is None or quantities.parse_quantity(limit) >= 0:
        return []
    why = "SizeLimit field must be a valid resource quantity"
    return [FieldError.forbidden(f"{at}.sizeLimit", why)]


def _host_path(source: Object, at: str) -> list[FieldError]:
    if not source.get("path"):
        return required(source, "path", at)
    errors = optional_text(source["path"], f"{at}.path", backsteps)
    return errors + optional_choice(source.get("type"), f"{at}.type", PATH_TYPES)


def _nfs(source: Object, at: str) -> list[FieldError]:
    path = source.get("path") or ""
    errors = required(source, "server", at) + required(source, "path", at)
    if not path.startswith("/"):
        errors.append(FieldError.invalid(f"{at}.path", path, "must be an absolute path"))
    return errors


def _required(*keys: str) -> VolumeCheck:
    """Return a rule for a volume that is of no use here: what must be said of it."""

    def check(source: Object, at: str) -> list[FieldError]:
        return [error for key in keys for error in required(source, key, at)]

    return check


def _image(source: Object, at: str) -> list[FieldError]:
    policy = source.get("pullPolicy") or None
    errors = required(source, "reference", at)
    return errors + optional_choice(policy, f"{at}.pullPolicy", PULL_POLICIES)


def _secret(source: Object, at: str) -> list[FieldError]:
    return required(source, "secretName", at) + _files(source, at)


def _config_map(source: Object, at: str) -> list[FieldError]:
    return required(source, "name", at) + _files(source, at)


def _files(source: Object, at: str) -> list[FieldError]:
    return _mode(source, "defaultMode", at) + _items(source, at)


def _items(source: Object, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, item in enumerate(source.get("items") or []):
        place = f"{at}.items[{index}]"
        errors += required(item, "key", place) + required(item, "path", place)
        errors += _unreserved_path(item.get("path") or "", f"{place}.path")
        errors += _mode(item, "mode", place)
    return errors


def _downward(source: Object, at: str) -> list[FieldError]:
    return _mode(source, "defaultMode", at) + _downward_files(source, at)


def _downward_files(source: Object, at: str) -> list[FieldError]:
    """Check files of the downward API; Kubernetes leaves out which one it is."""
    errors: list[FieldError] = []
    for item in source.get("items") or []:
        errors += required(item, "path", at)
        errors += _unreserved_path(item.get("path") or "", f"{at}.path")
        errors += validate_file_source(item, at, VOLUME_FIELDS)
        errors += _mode(item, "mode", at)
    return errors


def _projected(source: Object, at: str) -> list[FieldError]:
    errors = _mode(source, "defaultMode", at)
    paths: set[str] = set()
    for index, part in enumerate(source.get("sources") or []):
        place = f"{at}.sources[{index}]"
        for name, check in PARTS.items():
            if part.get(name) is not None:
                errors += check(part[name], f"{place}.{name}")
                errors += _conflicting_paths(name, part[name], at, paths)
        given = [name for name, value in part.items() if value is not None]
        if len(given) > 1:
            why = "may not specify more than 1 volume type per source"
            errors.append(FieldError.forbidden(place, why))
    return errors


def _conflicting_paths(kind: str, part: Object, at: str, paths: set[str]) -> list[FieldError]:
    """Check that no two parts of a projected volume write one file; notes the paths."""
    errors: list[FieldError] = []
    for item in part.get("items") or []:
        path = item.get("path") or ""
        if path and path in paths:
            shown = path if kind == "downwardAPI" else part.get("name") or ""
            errors += invalid(at, shown, ["conflicting duplicate paths"])
        paths.add(path)
    return errors


def _token(source: Object, at: str) -> list[FieldError]:
    seconds, path = source.get("expirationSeconds") or 0, source.get("path") or ""
    errors: list[FieldError] = []
    above = at.rpartition(".sources")[0]  # where Kubernetes says that the path is
    if seconds < SHORTEST_TOKEN:
        why = "may not specify a duration less than 10 minutes"
        errors += invalid(f"{at}.expirationSeconds", seconds, [why])
    if seconds > LONGEST_TOKEN:
        why = "may not specify a duration larger than 2^32 seconds"
        errors += invalid(f"{at}.expirationSeconds", seconds, [why])
    if not path:
        return [*errors, FieldError.required(f"{above}.path")]
    return errors + _unreserved_path(path, f"{above}.path")


def _part(source: Object, at: str) -> list[FieldError]:
    return required(source, "name", at) + _items(source, at)


def _ephemeral(source: Object, at: str) -> list[FieldError]:
    """Check what a claim must say of itself (ValidatePersistentVolumeClaimSpec)."""
    if source.get("volumeClaimTemplate") is None:
        return required(source, "volumeClaimTemplate", at)
    at = f"{at}.volumeClaimTemplate.spec"
    claim = source["volumeClaimTemplate"].get("spec") or {}
    modes, field = claim.get("accessModes") or [], f"{at}.accessModes"
    why = "at least 1 access mode is required"
    errors = [] if modes else [FieldError.required(field, why)]
    errors += validate_selector(claim.get("selector") or {}, f"{at}.selector")
    for mode in modes:
        errors += optional_choice(mode, field, ACCESS_MODES)
    if ALONE in modes and set(modes) & {*ACCESS_MODES} - {ALONE}:
        errors.append(FieldError.forbidden(field, f"may not use {ALONE} with other access modes"))
    amount = ((claim.get("resources") or {}).get("requests") or {}).get("storage")
    if amount is None:
        errors.append(FieldError.required(f"{at}.resources[storage]"))
    elif quantities.parse_quantity(amount) <= 0:
        errors += invalid(f"{at}.resources[storage]", amount, ["must be greater than zero"])
    name = claim.get("storageClassName")
    errors += optional_text(name, f"{at}.storageClassName", texts.dns_subdomain)
    return errors + optional_choice(claim.get("volumeMode"), f"{at}.volumeMode", VOLUME_MODES)


def _mode(thing: Object, key: str, at: str) -> list[FieldError]:
    mode = thing.get(key)
    sound = mode is None or 0 <= mode <= HIGHEST_MODE
    return invalid(f"{at}.{key}", mode, [] if sound else [FILE_MODE])


def _unreserved_path(path: str, field: str) -> list[FieldError]:
    errors = descending_path(path, field)
    if path.startswith("..") and ".." not in path.split("/"):
        errors += invalid(field, path, ["must not start with '..'"])
    return errors


CHECKS: dict[str, VolumeCheck] = {
    "emptyDir": _empty_dir,
    "hostPath": _host_path,
    "nfs": _nfs,
    "image": _image,
    "secret": _secret,
    "downwardAPI": _downward,
    "configMap": _config_map,
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
    "secret": _part,
    "configMap": _part,
    "downwardAPI": _downward_files,
    "serviceAccountToken": _token,
}
