"""Conditions of pods that others than their kubelet write (UpdatePodCondition in pkg/api/pod)."""

from __future__ import annotations

from flashsale.embedded.types import apitypes
from flashsale.objects.models import Object, rfc3339


def with_condition(status: Object, condition: Object, now: float) -> Object:
    """Return a pod's status with a condition, in the place of an older one of its type.

    Args:
        condition: without its times. That of the last transition stays where the status does.
        now: unix seconds.
    """
    there = status.get("conditions") or []
    old: Object = next((known for known in there if known.get("type") == condition["type"]), {})
    since = old.get("lastTransitionTime") if old.get("status") == condition["status"] else None
    times = {"lastProbeTime": None, "lastTransitionTime": since or rfc3339(now)}
    whole = condition | times
    fields = apitypes.struct("core.PodCondition").fields  # in the order of Go's struct
    new = {key: whole[key] for key in fields if key in whole}
    conditions = [new if known is old else known for known in there]
    return status | {"conditions": conditions if old else [*conditions, new]}


def with_disruption_target(
    pod: Object, reason: str, message: str, now: float, *, observes: bool = True
) -> Object:
    """Return a pod's status with the condition that says why somebody takes it away (KEP-3329).

    Args:
        observes: whether the pod's generation is noted, which the API server itself does not do.
    """
    condition = {"type": "DisruptionTarget", "status": "True", "reason": reason, "message": message}
    if observes:
        condition["observedGeneration"] = pod["metadata"].get("generation", 1)
    return with_condition(pod.get("status") or {}, condition, now)
