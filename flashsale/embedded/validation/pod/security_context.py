"""Rules for the security contexts of pods and containers."""

from __future__ import annotations

import re
from typing import Any

from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.types.golang.go_structs import internal
from flashsale.embedded.validation.field_checks import invalid, optional_choice
from flashsale.embedded.validation.pod.volumes import descending_path
from flashsale.objects.models import Object

HIGHEST_ID = (1 << 31) - 1
ID_RANGE = f"must be between 0 and {HIGHEST_ID}, inclusive"
PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
PROC_MOUNTS = ("Default", "Unmasked")
GROUP_CHANGES = ("Always", "OnRootMismatch")
GROUP_POLICIES = ("Merge", "Strict")
SYSCTL = r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
LONGEST_SYSCTL = 253


def validate_pod_security(context: Object, at: str) -> list[FieldError]:
    """Check the security context of a pod."""
    errors: list[FieldError] = []
    for key in ("fsGroup", "runAsUser", "runAsGroup"):
        errors += _identity(context.get(key), f"{at}.{key}")
    for index, group in enumerate(context.get("supplementalGroups") or []):
        errors += _identity(group, f"{at}.supplementalGroups[{index}]")
    errors += _sysctls(context.get("sysctls") or [], f"{at}.sysctls")
    errors += optional_choice(
        context.get("fsGroupChangePolicy"), f"{at}.fsGroupChangePolicy", GROUP_CHANGES
    )
    errors += _seccomp(context.get("seccompProfile"), f"{at}.seccompProfile")
    errors += _app_armor(context.get("appArmorProfile"), f"{at}.appArmorProfile")
    errors += optional_choice(
        context.get("supplementalGroupsPolicy"), f"{at}.supplementalGroupsPolicy", GROUP_POLICIES
    )
    return errors + optional_choice(
        context.get("seLinuxChangePolicy"), f"{at}.seLinuxChangePolicy", ("Recursive",)
    )


def validate_container_security(context: Object | None, at: str) -> list[FieldError]:
    """Check the security context of a container."""
    if context is None:
        return []
    errors: list[FieldError] = []
    for key in ("runAsUser", "runAsGroup"):
        errors += _identity(context.get(key), f"{at}.{key}")
    errors += optional_choice(context.get("procMount"), f"{at}.procMount", PROC_MOUNTS)
    if context.get("procMount") == "Unmasked":
        why = "`hostUsers` must be false to use `Unmasked`"
        errors += invalid(f"{at}.procMount", "Unmasked", [why])
    errors += _seccomp(context.get("seccompProfile"), f"{at}.seccompProfile")
    errors += _escalation(context, at)
    return errors + _app_armor(context.get("appArmorProfile"), f"{at}.appArmorProfile")


def _identity(number: int | None, field: str) -> list[FieldError]:
    sound = number is None or 0 <= number <= HIGHEST_ID
    return invalid(field, number, [] if sound else [ID_RANGE])


def _sysctls(sysctls: list[Object], field: str) -> list[FieldError]:
    errors: list[FieldError] = []
    names: set[str] = set()
    for index, sysctl in enumerate(sysctls):
        at, name = f"{field}[{index}].name", sysctl.get("name") or ""
        if not name:
            errors.append(FieldError.required(at))
        elif len(name) > LONGEST_SYSCTL or not re.fullmatch(SYSCTL, name):
            why = f"must have at most {LONGEST_SYSCTL} characters and match regex ^{SYSCTL}$"
            errors.append(FieldError.invalid(at, name, why))
        elif name in names:
            errors.append(FieldError.duplicate(at, name))
        names.add(name)
    return errors


def _seccomp(profile: Object | None, at: str) -> list[FieldError]:
    if profile is None:
        return []
    kind, local, errors = profile.get("type") or "", profile.get("localhostProfile"), []
    if not kind:
        errors.append(
            FieldError.required(f"{at}.type", "type is required when seccompProfile is set")
        )
    else:
        errors += optional_choice(kind, f"{at}.type", PROFILES)
    if kind == "Localhost":
        if local is None:
            why = "must be set when seccomp type is Localhost"
            return [*errors, FieldError.required(f"{at}.localhostProfile", why)]
        return errors + descending_path(local, f"{at}.localhostProfile")
    if local is not None:
        shown = {"Type": kind, "LocalhostProfile": local}
        why = "can only be set when seccomp type is Localhost"
        errors.append(FieldError.invalid(f"{at}.localhostProfile", shown, why))
    return errors


def _app_armor(profile: Object | None, at: str) -> list[FieldError]:
    if profile is None:
        return []
    kind, local = profile.get("type") or "", profile.get("localhostProfile")
    if not kind:
        why = "type is required when appArmorProfile is set"
        return [FieldError.required(f"{at}.type", why)]
    if kind not in PROFILES:
        return [FieldError.unsupported(f"{at}.type", kind, PROFILES)]
    if kind == "Localhost" and not local:
        why = "must be set when AppArmor type is Localhost"
        return [FieldError.required(f"{at}.localhostProfile", why)]
    if local is not None and local != local.strip():
        return invalid(f"{at}.localhostProfile", local, ["must not be padded with whitespace"])
    if kind != "Localhost" and local is not None:
        why = "can only be set when AppArmor type is Localhost"
        return invalid(f"{at}.localhostProfile", local, [why])
    return []


def _escalation(context: Object, at: str) -> list[FieldError]:
    if context.get("allowPrivilegeEscalation") is not False:
        return []
    shown: Any = internal("SecurityContext", context)
    errors: list[FieldError] = []
    if context.get("privileged") is True:
        why = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
        errors.append(FieldError.invalid(at, shown, why))
    if "CAP_SYS_ADMIN" in ((context.get("capabilities") or {}).get("add") or []):
        why = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
        errors.append(FieldError.invalid(at, shown, why))
    return errors
