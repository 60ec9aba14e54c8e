"""PodDisruptionBudgets: how many pods may be evicted now (pkg/controller/disruption).

The pods of a budget are counted by the replicas of their ReplicaSets where it says a share or
`maxUnavailable`; a pod without a ReplicaSet then counts as itself, which the real one refuses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.controllers import MANAGER
from flashsale.embedded.controllers.event_recorder import EventRecorder
from flashsale.embedded.controllers.workqueue import WorkQueue
from flashsale.embedded.selectors.label_selectors import from_label_selector
from flashsale.embedded.storage.store import StoreEvent
from flashsale.embedded.types.resources import DISRUPTION_BUDGETS, PODS, REPLICA_SETS
from flashsale.objects.models import (
    Object,
    controller_uid,
    has_ended,
    is_ready,
    labels_of,
    namespaced_name,
    rfc3339,
    timestamp,
)

DELETION_SECONDS = 120.0  # in which an eviction must become a deletion (DeletionTimeout)
NO_PODS = "No matching pods found"
Key = tuple[str, str]


def budget_status(budget: Object, pods: Sequence[Object], replicas: int, now: float) -> Object:
    """Compute a budget's status.

    Args:
        pods: those that its selector finds.
        replicas: how many their controllers want.
    """
    spec, old = budget.get("spec") or {}, budget.get("status") or {}
    expected, desired = _desired(spec, len(pods), replicas)
    staying = {
        pod["metadata"]["name"]: pod for pod in pods if "deletionTimestamp" not in pod["metadata"]
    }
    evicted = {
        name: moment
        for name, moment in (old.get("disruptedPods") or {}).items()
        if name in staying and now - timestamp(moment) < DELETION_SECONDS
    }
    healthy = sum(is_ready(pod) for name, pod in staying.items() if name not in evicted)
    allowed = max(0, healthy - desired) if expected > 0 else 0
    status: Object = {
        "disruptionsAllowed": allowed,
        "currentHealthy": healthy,
        "desiredHealthy": desired,
        "expectedPods": expected,
        "observedGeneration": budget["metadata"].get("generation", 1),
        "conditions": [_condition(budget, old, allowed, now)],
    }
    return status | ({"disruptedPods": evicted} if evicted else {})


def _desired(spec: Object, count: int, replicas: int) -> tuple[int, int]:
    """Return how many pods are expected, and how many of them have to be healthy."""
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    if most is not None:
        return replicas, max(0, replicas - _scaled(most, replicas))
    if isinstance(least, str):
        return replicas, _scaled(least, replicas)
    return count, int(least or 0)


def _scaled(value: int | str, total: int) -> int:
    if isinstance(value, int):
        return value
    return math.ceil(total * int(value.rstrip("%") or 0) / 100)


def _condition(budget: Object, old: Object, allowed: int, now: float) -> Object:
    status = "True" if allowed > 0 else "False"
    before: Object = next(iter(old.get("conditions") or []), {})
    same = before.get("status") == status
    return {
        "type": "DisruptionAllowed",
        "status": status,
        "observedGeneration": budget["metadata"].get("generation", 1),
        "lastTransitionTime": before["lastTransitionTime"] if same else rfc3339(now),
        "reason": "SufficientPods" if allowed > 0 else "InsufficientPods",
        "message": "",
    }


class DisruptionController:
    """Keeps the status of every budget."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._store = registry.store
        self._queue: WorkQueue[Key] = WorkQueue("disruption", self.sync)
        self._events = EventRecorder(registry, "controllermanager")

    async def run(self) -> None:
        with self._store.subscribe(self._changed):
            self._add_all("")
            await self._queue.run()

    def _changed(self, event: StoreEvent) -> None:
        if event.resource is DISRUPTION_BUDGETS:
            self._queue.add(namespaced_name(event.object))
        elif event.resource in (PODS, REPLICA_SETS):
            self._add_all(event.object["metadata"]["namespace"])

    def _add_all(self, namespace: str) -> None:
        for budget in self._store.all(DISRUPTION_BUDGETS, namespace):
            self._queue.add(namespaced_name(budget))

    async def sync(self, key: Key) -> None:
        """Make one budget's status true."""
        budget = self._store.get(DISRUPTION_BUDGETS, *key)
        if budget is None:
            return
        now = self._registry.clock()
        selector = from_label_selector((budget.get("spec") or {}).get("selector"))
        alive = [pod for pod in self._store.all(PODS, key[0]) if not has_ended(pod)]
        pods = [pod for pod in alive if selector.matches(labels_of(pod))]
        if not pods:
            self._events.record(DISRUPTION_BUDGETS, budget, "Normal", "NoPods", NO_PODS)
        status = budget_status(budget, pods, self._replicas(key[0], pods), now)
        self._registry.set_status(DISRUPTION_BUDGETS, budget, status, MANAGER)
        if status.get("disruptedPods"):
            self._queue.add_after(key, DELETION_SECONDS)

    def _replicas(self, namespace: str, pods: Sequence[Object]) -> int:
        owners = {controller_uid(pod) for pod in pods}
        replicas = 0
        for replicaset in self._store.all(REPLICA_SETS, namespace):
            if replicaset["metadata"]["uid"] in owners:
                replicas += int(replicaset["spec"].get("replicas", 1))
        return replicas + sum(not controller_uid(pod) for pod in pods)
