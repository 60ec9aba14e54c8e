"""Rules for PriorityClasses (pkg/apis/scheduling/validation)."""

from __future__ import annotations

from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.validation.field_checks import choice
from flashsale.objects.models import Object

HIGHEST = 1_000_000_000  # of a user's class
PREFIX = "system-"
PREEMPTS, NEVER = "PreemptLowerPriority", "Never"
SYSTEM_CLASSES: dict[str, Object] = {
    "system-node-critical": {
        "value": 2_000_001_000,
        "description": "Used for system critical pods that must not be moved from their current "
        "node.",
    },
    "system-cluster-critical": {
        "value": 2_000_000_000,
        "description": "Used for system critical pods that must run in the cluster, but can be "
        "moved to another node if necessary.",
    },
}


def validate_priority_class(obj: Object) -> list[FieldError]:
    """Check all but the metadata."""
    name, value, errors = obj["metadata"].get("name") or "", obj.get("value", 0), []
    if name.startswith(PREFIX):
        if why := _not_of_the_system(name, value, obj.get("globalDefault", False)):
            reserved = f"priority class names with '{PREFIX}' prefix are reserved for system use"
            errors.append(FieldError.forbidden("metadata.name", f"{reserved} only. error: {why}"))
    elif value > HIGHEST:
        why = f"maximum allowed value of a user defined priority is {HIGHEST}"
        errors.append(FieldError.forbidden("value", why))
    policy = obj.get("preemptionPolicy")
    return errors + choice(policy, "preemptionPolicy", (PREEMPTS, NEVER))


def validate_priority_class_update(new: Object, old: Object) -> list[FieldError]:
    """Check what may not change."""
    errors = []
    if new.get("value", 0) != old.get("value", 0):
        errors.append(FieldError.forbidden("value", "may not be changed in an update."))
    policy = new.get("preemptionPolicy")
    if policy != old.get("preemptionPolicy"):
        errors.append(FieldError.invalid("preemptionPolicy", policy, "field is immutable"))
    return errors


def _not_of_the_system(name: str, value: int, default: bool) -> str:
    known = SYSTEM_CLASSES.get(name)
    if known is None:
        return f"{name} is not a known system priority class"
    if value != known["value"]:
        return f"value of {name} PriorityClass must be {known['value']}"
    if default:
        return f"globalDefault of {name} PriorityClass must be false"
    return ""
