"""Rules for PriorityClasses (pkg/apis/scheduling/validation)."""

from __future__ import annotations

from flashsale.embedded.types import texts
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.validation.field_checks import Errors, choice
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


def validate_priority_class(obj: Object) -> Errors:
    """Check all but the metadata."""
    name, value = obj["metadata"].get("name") or "", obj.get("value", 0)
    if name.startswith(PREFIX):
        if why := _not_of_the_system(name, value, obj.get("globalDefault", False)):
            reserved = f"priority class names with '{PREFIX}' prefix are reserved for system use"
            yield FieldError.forbidden("metadata.name", f"{reserved} only. error: {why}")
    elif value > HIGHEST:
        why = f"maximum allowed value of a user defined priority is {HIGHEST}"
        yield FieldError.forbidden("value", why)
    yield from choice(obj.get("preemptionPolicy"), "preemptionPolicy", (PREEMPTS, NEVER))


def validate_priority_class_update(new: Object, old: Object) -> Errors:
    """Check what may not change."""
    if new.get("value", 0) != old.get("value", 0):
        yield FieldError.forbidden("value", "may not be changed in an update.")
    policy = new.get("preemptionPolicy")
    if policy != old.get("preemptionPolicy"):
        yield FieldError.invalid("preemptionPolicy", policy, texts.NOT_IMMUTABLE)


def _not_of_the_system(name: str, value: int, default: bool) -> str:
    known = SYSTEM_CLASSES.get(name)
    if known is None:
        return f"{name} is not a known system priority class"
    if value != known["value"]:
        return f"value of {name} PriorityClass must be {known['value']}"
    if default:
        return f"globalDefault of {name} PriorityClass must be false"
    return ""
