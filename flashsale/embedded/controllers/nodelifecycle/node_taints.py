"""The taints that stand for a node's conditions, and for a cordon.

After nodeConditionToTaintKeyStatusMap in pkg/controller/nodelifecycle and pkg/util/taints.
"""

from __future__ import annotations

from collections.abc import Sequence

from flashsale.objects.fields import with_value
from flashsale.objects.models import Object

PREFIX = "node.kubernetes.io/"
NOT_READY, UNREACHABLE = PREFIX + "not-ready", PREFIX + "unreachable"
UNSCHEDULABLE = PREFIX + "unschedulable"
OF_CONDITIONS = {
    ("Ready", "False"): NOT_READY,
    ("Ready", "Unknown"): UNREACHABLE,
    ("MemoryPressure", "True"): PREFIX + "memory-pressure",
    ("DiskPressure", "True"): PREFIX + "disk-pressure",
    ("NetworkUnavailable", "True"): PREFIX + "network-unavailable",
    ("PIDPressure", "True"): PREFIX + "pid-pressure",
}
OURS = {UNSCHEDULABLE, *OF_CONDITIONS.values()}
Taint = tuple[str, str]  # key and effect


def taints_of(node: Object) -> list[Object]:
    return (node.get("spec") or {}).get("taints") or []


def has_taint(node: Object, taint: Taint) -> bool:
    """Whether a node has a taint of that key and effect, whatever its value."""
    return taint in [(there.get("key"), there.get("effect")) for there in taints_of(node)]


def no_schedule_change(node: Object) -> tuple[list[Taint], list[Taint]]:
    """Return which NoSchedule taints a node lacks, and which it has too many."""
    conditions = (node.get("status") or {}).get("conditions") or []
    states = [(condition.get("type"), condition.get("status")) for condition in conditions]
    keys = [OF_CONDITIONS[state] for state in states if state in OF_CONDITIONS]
    if (node.get("spec") or {}).get("unschedulable"):
        keys.append(UNSCHEDULABLE)
    there = [
        taint["key"]
        for taint in taints_of(node)
        if taint.get("effect") == "NoSchedule" and taint.get("key") in OURS
    ]
    return (
        [(key, "NoSchedule") for key in keys if key not in there],
        [(key, "NoSchedule") for key in there if key not in keys],
    )


def with_taints(node: Object, taints: Sequence[Taint], now: str) -> Object:
    """Return a node with more taints, behind those that it has.

    Args:
        now: as RFC 3339.
    """
    more = [
        {"key": key, "effect": effect, "timeAdded": now}
        for key, effect in taints
        if not has_taint(node, (key, effect))
    ]
    return _with(node, [*taints_of(node), *more])


def without_taints(node: Object, taints: Sequence[Taint]) -> Object:
    there = taints_of(node)
    return _with(
        node, [taint for taint in there if (taint.get("key"), taint.get("effect")) not in taints]
    )


def _with(node: Object, taints: list[Object]) -> Object:
    return node | {"spec": with_value(node.get("spec") or {}, "taints", taints)}
