"""Rules for the security contexts of pods and containers."""

from __future__ import annotations

import re

from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.types.golang.go_structs import internal
from flashsale.embedded.validation.field_checks import Errors, each, once, optional_choice
from flashsale.embedded.validation.pod.volumes import descending_path
from flashsale.objects.models import Object

HIGHEST_ID = (1 << 31) - 1
PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
PROC_MOUNTS = ("Default", "Unmasked")
GROUP_CHANGES = ("Always", "OnRootMismatch")
GROUP_POLICIES = ("Merge", "Strict")
SYSCTL = r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
LONGEST_SYSCTL = 253


def validate_pod_security(context: Object, at: str) -> Errors:
    for key in ("fsGroup", "runAsUser", "runAsGroup"):
        yield from _identity(context.get(key), f"{at}.{key}")
    for place, group in each(context, "supplementalGroups", at):
        yield from _identity(group, place)
    yield from _sysctls(context, at)
    changes = context.get("fsGroupChangePolicy")
    yield from optional_choice(changes, f"{at}.fsGroupChangePolicy", GROUP_CHANGES)
    yield from _seccomp(context.get("seccompProfile"), f"{at}.seccompProfile")
    yield from _app_armor(context.get("appArmorProfile"), f"{at}.appArmorProfile")
    for key, supported in (
        ("supplementalGroupsPolicy", GROUP_POLICIES),
        ("seLinuxChangePolicy", ("Recursive",)),
    ):
        yield from optional_choice(context.get(key), f"{at}.{key}", supported)


def validate_container_security(context: Object, at: str) -> Errors:
    for key in ("runAsUser", "runAsGroup"):
        yield from _identity(context.get(key), f"{at}.{key}")
    yield from optional_choice(context.get("procMount"), f"{at}.procMount", PROC_MOUNTS)
    if context.get("procMount") == "Unmasked":
        why = "`hostUsers` must be false to use `Unmasked`"
        yield FieldError.invalid(f"{at}.procMount", "Unmasked", why)
    yield from _seccomp(context.get("seccompProfile"), f"{at}.seccompProfile")
    yield from _escalation(context, at)
    yield from _app_armor(context.get("appArmorProfile"), f"{at}.appArmorProfile")


def _identity(number: int | None, field: str) -> Errors:
    if number is not None and not 0 <= number <= HIGHEST_ID:
        yield FieldError.invalid(field, number, f"must be between 0 and {HIGHEST_ID}, inclusive")


def _sysctls(context: Object, field: str) -> Errors:
    names: set[str] = set()
    for at, sysctl in each(context, "sysctls", field):
        name = sysctl.get("name") or ""
        if not name:
            yield FieldError.required(f"{at}.name")
        elif len(name) > LONGEST_SYSCTL or not re.fullmatch(SYSCTL, name):
            why = f"must have at most {LONGEST_SYSCTL} characters and match regex ^{SYSCTL}$"
            yield FieldError.invalid(f"{at}.name", name, why)
        else:
            yield from once(name, f"{at}.name", names)


def _seccomp(profile: Object | None, at: str) -> Errors:
    if profile is None:
        return
    kind, local = profile.get("type") or "", profile.get("localhostProfile")
    field = f"{at}.localhostProfile"
    if not kind:
        yield FieldError.required(f"{at}.type", "type is required when seccompProfile is set")
    else:
        yield from optional_choice(kind, f"{at}.type", PROFILES)
    if kind != "Localhost" and local is not None:
        shown = {"Type": kind, "LocalhostProfile": local}
        yield FieldError.invalid(field, shown, "can only be set when seccomp type is Localhost")
    elif kind == "Localhost" and local is None:
        yield FieldError.required(field, "must be set when seccomp type is Localhost")
    elif local is not None:
        yield from descending_path(local, field)


def _app_armor(profile: Object | None, at: str) -> Errors:
    if profile is None:
        return
    kind, local = profile.get("type") or "", profile.get("localhostProfile")
    field = f"{at}.localhostProfile"
    if not kind:
        yield FieldError.required(f"{at}.type", "type is required when appArmorProfile is set")
    elif kind not in PROFILES:
        yield FieldError.unsupported(f"{at}.type", kind, PROFILES)
    elif kind == "Localhost" and not local:
        yield FieldError.required(field, "must be set when AppArmor type is Localhost")
    elif local is not None and local != local.strip():
        yield FieldError.invalid(field, local, "must not be padded with whitespace")
    elif kind != "Localhost" and local is not None:
        yield FieldError.invalid(field, local, "can only be set when AppArmor type is Localhost")


def _escalation(context: Object, at: str) -> Errors:
    if context.get("allowPrivilegeEscalation") is not False:
        return
    shown, cannot = internal("SecurityContext", context), "cannot set `allowPrivilegeEscalation` to"
    if context.get("privileged") is True:
        yield FieldError.invalid(at, shown, f"{cannot} false and `privileged` to true")
    if "CAP_SYS_ADMIN" in ((context.get("capabilities") or {}).get("add") or []):
        yield FieldError.invalid(at, shown, f"{cannot} false and `capabilities.Add` CAP_SYS_ADMIN")
