"""Rules for what a container mounts (ValidateVolumeMounts and ValidateVolumeDevices)."""

from __future__ import annotations

from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.validation.field_checks import invalid, optional_choice, required
from flashsale.embedded.validation.pod.volumes import descending_path
from flashsale.objects.models import Object

PROPAGATIONS = ("Bidirectional", "HostToContainer", "None")
RECURSIONS = ("Disabled", "Enabled", "IfPossible")


def validate_mounts(container: Object, field: str, volumes: set[str]) -> list[FieldError]:
    """Check where a container mounts volumes."""
    errors: list[FieldError] = []
    devices = container.get("volumeDevices") or []
    paths: set[str] = set()
    for index, mount in enumerate(container.get("volumeMounts") or []):
        at, name, path = f"{field}[{index}]", mount.get("name") or "", mount.get("mountPath") or ""
        errors += _volume_name(mount, at, volumes) + required(mount, "mountPath", at)
        errors += invalid(f"{at}.mountPath", path, ["must be unique"] if path in paths else [])
        paths.add(path)
        if name in [device.get("name") for device in devices]:
            errors += invalid(f"{at}.name", name, ["must not already exist in volumeDevices"])
        if path in [device.get("devicePath") for device in devices]:
            why = "must not already exist as a path in volumeDevices"
            errors += invalid(f"{at}.mountPath", path, [why])
        errors += _sub_paths(mount, at, field)
        errors += _mount_options(mount, container, field)
    return errors


def validate_devices(container: Object, field: str, volumes: set[str]) -> list[FieldError]:
    """Check block devices; none of the volumes here can be one."""
    errors: list[FieldError] = []
    mounts = container.get("volumeMounts") or []
    for index, device in enumerate(container.get("volumeDevices") or []):
        at, name, path = f"{field}[{index}]", device.get("name") or "", device.get("devicePath")
        errors += _volume_name(device, at, volumes) + required(device, "devicePath", at)
        if path and ".." in path.split("/"):
            errors += invalid(f"{at}.devicePath", path, ["can not contain backsteps ('..')"])
        if name in [mount.get("name") for mount in mounts]:
            errors += invalid(f"{at}.name", name, ["must not already exist in volumeMounts"])
        if path in [mount.get("mountPath") for mount in mounts]:
            why = "must not already exist as a path in volumeMounts"
            errors += invalid(f"{at}.devicePath", path, [why])
    return errors


def _volume_name(mount: Object, at: str, volumes: set[str]) -> list[FieldError]:
    name = mount.get("name") or ""
    missing = [] if name in volumes else [FieldError.not_found(f"{at}.name", name)]
    return required(mount, "name", at) + missing


def _sub_paths(mount: Object, at: str, field: str) -> list[FieldError]:
    errors: list[FieldError] = []
    path, expression = mount.get("subPath") or "", mount.get("subPathExpr") or ""
    if path:
        errors += descending_path(path, f"{field}.subPath")
    if path and expression:
        why = "subPathExpr and subPath are mutually exclusive"
        errors += invalid(f"{at}.subPathExpr", expression, [why])
    if expression:
        errors += descending_path(expression, f"{field}.subPathExpr")
    return errors


def _mount_options(mount: Object, container: Object, field: str) -> list[FieldError]:
    errors: list[FieldError] = []
    mode, recursive = mount.get("mountPropagation"), mount.get("recursiveReadOnly")
    privileged = (container.get("securityContext") or {}).get("privileged") is True
    errors += optional_choice(mode, f"{field}.mountPropagation", PROPAGATIONS)
    if mode == "Bidirectional" and not privileged:
        why = "Bidirectional mount propagation is available only to privileged containers"
        errors.append(FieldError.forbidden(f"{field}.mountPropagation", why))
    errors += optional_choice(recursive, f"{field}.recursiveReadOnly", RECURSIONS)
    if recursive in ("Enabled", "IfPossible") and not mount.get("readOnly"):
        why = "may only be specified when readOnly is true"
        errors.append(FieldError.forbidden(f"{field}.recursiveReadOnly", why))
    return errors
