"""The condition that says why somebody takes a pod away (KEP-3329)."""

from __future__ import annotations

from flashsale.objects.models import Object, rfc3339

DISRUPTION_TARGET = "DisruptionTarget"


def with_disruption_target(status: Object, reason: str, message: str, now: float) -> Object:
    """Return a pod's status with the condition, in the place of an older one.

    Args:
        now: unix seconds.
    """
    conditions = status.get("conditions") or []
    condition = {
        "type": DISRUPTION_TARGET,
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": rfc3339(now),
        "reason": reason,
        "message": message,
    }
    others = [one for one in conditions if one.get("type") != DISRUPTION_TARGET]
    return status | {"conditions": [*others, condition]}
