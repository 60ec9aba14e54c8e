"""Rules for what a container mounts (ValidateVolumeMounts and ValidateVolumeDevices)."""

from __future__ import annotations

from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.validation.field_checks import Errors, each, optional_choice, required
from flashsale.embedded.validation.pod.volumes import descending_path
from flashsale.objects.models import Object

PROPAGATIONS = ("Bidirectional", "HostToContainer", "None")
RECURSIONS = ("Disabled", "Enabled", "IfPossible")


def validate_mounts(container: Object, at: str, volumes: set[str]) -> Errors:
    field, paths = f"{at}.volumeMounts", set[str]()
    devices = container.get("volumeDevices") or []
    for place, mount in each(container, "volumeMounts", at):
        name, path = mount.get("name") or "", mount.get("mountPath") or ""
        yield from _volume_name(mount, place, volumes)
        yield from required(mount, "mountPath", place)
        if path in paths:
            yield FieldError.invalid(f"{place}.mountPath", path, "must be unique")
        paths.add(path)
        if name in [device.get("name") for device in devices]:
            why = "must not already exist in volumeDevices"
            yield FieldError.invalid(f"{place}.name", name, why)
        if path in [device.get("devicePath") for device in devices]:
            why = "must not already exist as a path in volumeDevices"
            yield FieldError.invalid(f"{place}.mountPath", path, why)
        yield from _sub_paths(mount, place, field)
        yield from _mount_options(mount, container, field)


def validate_devices(container: Object, at: str, volumes: set[str]) -> Errors:
    """Check block devices; none of the volumes here can be one."""
    mounts = container.get("volumeMounts") or []
    for place, device in each(container, "volumeDevices", at):
        name, path = device.get("name") or "", device.get("devicePath")
        yield from _volume_name(device, place, volumes)
        yield from required(device, "devicePath", place)
        if path and ".." in path.split("/"):
            yield FieldError.invalid(
                f"{place}.devicePath", path, "can not contain backsteps ('..')"
            )
        if name in [mount.get("name") for mount in mounts]:
            why = "must not already exist in volumeMounts"
            yield FieldError.invalid(f"{place}.name", name, why)
        if path in [mount.get("mountPath") for mount in mounts]:
            why = "must not already exist as a path in volumeMounts"
            yield FieldError.invalid(f"{place}.devicePath", path, why)


def _volume_name(mount: Object, at: str, volumes: set[str]) -> Errors:
    yield from required(mount, "name", at)
    if (name := mount.get("name") or "") not in volumes:
        yield FieldError.not_found(f"{at}.name", name)


def _sub_paths(mount: Object, at: str, field: str) -> Errors:
    path, expression = mount.get("subPath") or "", mount.get("subPathExpr") or ""
    yield from descending_path(path, f"{field}.subPath")
    if path and expression:
        why = "subPathExpr and subPath are mutually exclusive"
        yield FieldError.invalid(f"{at}.subPathExpr", expression, why)
    yield from descending_path(expression, f"{field}.subPathExpr")


def _mount_options(mount: Object, container: Object, field: str) -> Errors:
    mode, recursive = mount.get("mountPropagation"), mount.get("recursiveReadOnly")
    privileged = (container.get("securityContext") or {}).get("privileged") is True
    yield from optional_choice(mode, f"{field}.mountPropagation", PROPAGATIONS)
    if mode == "Bidirectional" and not privileged:
        why = "Bidirectional mount propagation is available only to privileged containers"
        yield FieldError.forbidden(f"{field}.mountPropagation", why)
    yield from optional_choice(recursive, f"{field}.recursiveReadOnly", RECURSIONS)
    if recursive in ("Enabled", "IfPossible") and not mount.get("readOnly"):
        why = "may only be specified when readOnly is true"
        yield FieldError.forbidden(f"{field}.recursiveReadOnly", why)
