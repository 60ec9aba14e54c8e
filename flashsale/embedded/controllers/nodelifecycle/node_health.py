"""When each node was last heard of, and what is said of one that is silent.

After tryUpdateNodeHealth in pkg/controller/nodelifecycle/node_lifecycle_controller.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flashsale.objects.models import Object, find_condition

LOST = {"reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}
NEVER = {"reason": "NodeStatusNeverUpdated", "message": "Kubelet never posted node status."}
KUBELETS_OWN = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")


@dataclass(slots=True)
class _Heard:
    at: float
    heartbeat: object  # of the Ready condition; None before there is one
    renewed: str  # when the lease was


class NodeHealth:
    """Remembers the last sign of life of each node: a lease renewed, or a status written."""

    def __init__(self) -> None:
        self._heard: dict[str, _Heard] = {}

    def silent_seconds(self, node: Object, lease: Object | None, now: float) -> float:
        """Return how long nothing has been heard of a node; 0 for one that was not known before."""
        name = node["metadata"]["name"]
        heartbeat = find_condition(node, "Ready").get("lastHeartbeatTime")
        renewed = str(((lease or {}).get("spec") or {}).get("renewTime") or "")
        last = self._heard.get(name)
        if last is None or heartbeat != last.heartbeat or renewed > last.renewed:
            self._heard[name] = _Heard(now, heartbeat, renewed)
        return now - self._heard[name].at

    def forget(self, name: str) -> None:
        self._heard.pop(name, None)

    def forgive(self, names: Iterable[str], now: float) -> None:
        """Count all nodes as heard of now: nobody could be heard for a while."""
        for name in names:
            if name in self._heard:
                self._heard[name].at = now


def unknown_conditions(node: Object, now: str) -> list[Object]:
    """Return the conditions of a node that is silent, in their order.

    Args:
        now: as RFC 3339.
    """
    there = (node.get("status") or {}).get("conditions") or []
    known = {condition.get("type") for condition in there}
    conditions = [
        _unknown(condition, now) if condition.get("type") in KUBELETS_OWN else condition
        for condition in there
    ]
    born = node["metadata"].get("creationTimestamp", now)
    return conditions + [
        {"type": kind, "status": "Unknown", "lastHeartbeatTime": born,
         "lastTransitionTime": now, **NEVER}
        for kind in KUBELETS_OWN if kind not in known
    ]  # fmt: skip


def _unknown(condition: Object, now: str) -> Object:
    if condition.get("status") == "Unknown":
        return condition
    return condition | {"status": "Unknown", "lastTransitionTime": now} | LOST
