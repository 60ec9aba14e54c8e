"""What pods ask for and nodes have, in whole units: thousandths of a CPU, bytes, pieces.

After pkg/scheduler/framework/plugins/noderesources and component-helpers/resource.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from flashsale.embedded.scheduler.snapshot import Rejection, Snapshot
from flashsale.embedded.types import quantities
from flashsale.objects.models import Object

OWN = ("cpu", "memory", "ephemeral-storage")
SCORED = ("cpu", "memory")
UNSAID = {"cpu": 100, "memory": 200 * 1024 * 1024}  # what scoring takes a silent container to need
NOTHING: Mapping[str, int] = {}
Amounts = dict[str, int]


def requests(pod: Object, unsaid: Mapping[str, int] = NOTHING) -> Amounts:
    """Return what a pod asks for: its containers together, or more while one initializes.

    Args:
        unsaid: what a container is taken to ask for where it says nothing.
    """
    spec = pod["spec"]
    total = _sum(_of(container, unsaid) for container in spec.get("containers") or [])
    sidecars: Amounts = {}
    most: Amounts = {}
    for container in spec.get("initContainers") or []:
        requested = _of(container, unsaid)
        if container.get("restartPolicy") == "Always":
            total = _sum((total, requested))
            sidecars = requested = _sum((sidecars, requested))
        else:
            requested = _sum((sidecars, requested))
        most = _most(most, requested)
    whole = (spec.get("resources") or {}).get("requests") or {}
    pod_level = {name: _amount(name, whole[name]) for name in SCORED if name in whole}
    return _sum((_most(total, most) | pod_level, _amounts(spec.get("overhead") or {})))


def allocatable(node: Object) -> Amounts:
    """Return what pods may have of a node."""
    return _amounts((node.get("status") or {}).get("allocatable") or {})


def check_resources(pod: Object, snapshot: Snapshot, node: Object) -> Rejection | None:
    """Look whether a pod has room on a node beside the others."""
    there, here, wanted = allocatable(node), snapshot.on(node), requests(pod)
    used = _sum(map(requests, here))
    short = [
        name for name in _asked(wanted) if wanted[name] > there.get(name, 0) - used.get(name, 0)
    ]
    reasons = ["Too many pods"] if len(here) + 1 > there.get("pods", 0) else []
    reasons += [f"Insufficient {name}" for name in short]
    final = any(wanted[name] > there.get(name, 0) for name in short)
    return Rejection(tuple(reasons), final) if reasons else None


def least_allocated(pod: Object, snapshot: Snapshot, nodes: Sequence[Object]) -> Mapping[str, int]:
    """Score the share of CPU and memory that is left with the pod there."""
    wanted = requests(pod, UNSAID)
    return {
        node["metadata"]["name"]: _left(
            _sum((wanted, *(requests(other, UNSAID) for other in snapshot.on(node)))),
            allocatable(node),
        )
        for node in nodes
    }


def balanced_allocation(
    pod: Object, snapshot: Snapshot, nodes: Sequence[Object]
) -> Mapping[str, int] | None:
    """Score how much evener CPU and memory are used with the pod there than without it."""
    wanted = requests(pod)
    if not any(wanted.get(name) for name in SCORED):
        return None
    fractions = {}
    for node in nodes:
        there, used = allocatable(node), _sum(map(requests, snapshot.on(node)))
        gain = _evenness(_sum((used, wanted)), there) - _evenness(used, there)
        fractions[node["metadata"]["name"]] = 50 + (50 + gain) // 2
    return fractions


def _left(used: Amounts, there: Amounts) -> int:
    shares = [
        max(there[name] - used[name], 0) * 100 // there[name] for name in SCORED if there.get(name)
    ]
    return sum(shares) // len(shares) if shares else 0


def _evenness(used: Amounts, there: Amounts) -> int:
    shares = [min(used.get(name, 0) / there[name], 1.0) for name in SCORED if there.get(name)]
    deviation = abs(shares[0] - shares[1]) / 2 if len(shares) == 2 else 0.0
    return int((1 - deviation) * 100)


def _asked(wanted: Amounts) -> list[str]:
    return [name for name in (*OWN, *sorted(set(wanted) - set(OWN))) if wanted.get(name)]


def _of(container: Object, unsaid: Mapping[str, int]) -> Amounts:
    return {**unsaid, **_amounts((container.get("resources") or {}).get("requests") or {})}


def _amounts(resources: Mapping[str, str]) -> Amounts:
    return {name: _amount(name, quantity) for name, quantity in resources.items()}


@lru_cache(maxsize=1024)
def _amount(name: str, quantity: str) -> int:
    amount = quantities.parse_quantity(str(quantity))
    return math.ceil(amount * 1000 if name == "cpu" else amount)


def _sum(parts: Iterable[Amounts]) -> Amounts:
    total: Amounts = {}
    for part in parts:
        for name, amount in part.items():
            total[name] = total.get(name, 0) + amount
    return total


def _most(first: Amounts, other: Amounts) -> Amounts:
    return {name: max(first.get(name, 0), other.get(name, 0)) for name in first | other}
