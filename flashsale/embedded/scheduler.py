"""The scheduler: finds a node with room, or says why there is none (pkg/scheduler)."""

from __future__ import annotations

from collections.abc import Sequence

from flashsale.embedded.apiserver.registry import Registry
from flashsale.embedded.controllers.event_recorder import record_scheduling
from flashsale.embedded.controllers.workqueue import WorkQueue
from flashsale.embedded.storage.store import StoreEvent
from flashsale.embedded.types import quantities
from flashsale.embedded.types.resources import NODES, PODS
from flashsale.objects.models import Object, rfc3339

NAME = "default-scheduler"
RETRY_SECONDS = 60.0
Key = tuple[str, str]


def misfits(pod: Object, node: Object, others: Sequence[Object]) -> list[str]:
    """Return why a pod does not fit on a node beside the others, empty if it does."""
    selector = pod["spec"].get("nodeSelector") or {}
    if not selector.items() <= (node["metadata"].get("labels") or {}).items():
        return ["node(s) didn't match Pod's node affinity/selector"]
    if node.get("spec", {}).get("unschedulable"):
        return ["node(s) were unschedulable"]
    allocatable = (node.get("status") or {}).get("allocatable") or {}
    here = [other for other in others if _occupies(other, node)]
    reasons = []
    if len(here) + 1 > _amount(allocatable, "pods"):
        reasons.append("Too many pods")
    for resource in ("cpu", "memory", "ephemeral-storage"):
        wanted = requested(pod, resource)
        used = sum(requested(other, resource) for other in here)
        if wanted and wanted + used > _amount(allocatable, resource):
            reasons.append(f"Insufficient {resource}")
    return reasons


def requested(pod: Object, resource: str) -> float:
    """Return what a pod asks for: its containers together, or its largest init container."""
    spec = pod["spec"]
    return max(
        sum(_request(container, resource) for container in spec.get("containers") or []),
        max((_request(c, resource) for c in spec.get("initContainers") or []), default=0.0),
    )


def _request(container: Object, resource: str) -> float:
    return _amount((container.get("resources") or {}).get("requests") or {}, resource)


def _amount(resources: Object, resource: str) -> float:
    return float(quantities.parse_quantity(resources[resource])) if resource in resources else 0.0


def _occupies(pod: Object, node: Object) -> bool:
    ended = pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
    return not ended and pod["spec"].get("nodeName") == node["metadata"]["name"]


def explanation(nodes: int, reasons: Sequence[str]) -> str:
    """Word why no node fits, as FitError does for one node."""
    if not nodes:
        return "no nodes available to schedule pods"
    listed = ", ".join(f"1 {reason}" for reason in sorted(reasons))
    return (
        f"0/{nodes} nodes are available: {listed}. no new claims to deallocate, preemption: "
        f"0/{nodes} nodes are available: 1 Preemption is not helpful for scheduling."
    )


class Scheduler:
    """Binds pods that have no node; those that fit nowhere wait for room."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._store = registry.store
        self._waiting: set[Key] = set()
        self._queue: WorkQueue[Key] = WorkQueue("scheduler", self.sync)

    async def run(self) -> None:
        """Work until cancelled."""
        unsubscribe = self._store.subscribe(self._changed)
        try:
            for pod in self._store.all(PODS):
                self._consider(pod)
            await self._queue.run()
        finally:
            unsubscribe()

    def _changed(self, event: StoreEvent) -> None:
        if event.resource is PODS:
            if event.type == "ADDED":
                self._consider(event.object)
            elif event.type == "DELETED" or event.object["status"].get("phase") in (
                "Succeeded",
                "Failed",
            ):
                self._retry()  # there is room now
        elif event.resource is NODES:
            self._retry()

    def _consider(self, pod: Object) -> None:
        spec = pod["spec"]
        if not spec.get("nodeName") and spec.get("schedulerName", NAME) == NAME:
            self._queue.add(_key(pod))

    def _retry(self) -> None:
        for key in self._waiting:
            self._queue.add(key)

    async def sync(self, key: Key) -> None:
        """Bind one pod, or note why not."""
        self._waiting.discard(key)
        pod = self._store.get(PODS, *key)
        if pod is None or pod["spec"].get("nodeName") or "deletionTimestamp" in pod["metadata"]:
            return
        nodes = self._store.all(NODES)
        others = self._store.all(PODS)
        reasons: list[str] = []
        for node in nodes:
            misfit = misfits(pod, node, others)
            if not misfit:
                self._bind(pod, node["metadata"]["name"])
                return
            reasons += misfit
        self._fail(pod, explanation(len(nodes), reasons))
        self._waiting.add(key)
        self._queue.add_after(key, RETRY_SECONDS)

    def _bind(self, pod: Object, node: str) -> None:
        meta = pod["metadata"]
        condition = self._condition(pod, {"status": "True"})
        self._registry.bind(pod, node, condition)
        message = f"Successfully assigned {meta['namespace']}/{meta['name']} to {node}"
        record_scheduling(self._registry, PODS, pod, "Normal", "Scheduled", message)

    def _fail(self, pod: Object, message: str) -> None:
        condition = self._condition(
            pod, {"status": "False", "reason": "Unschedulable", "message": message}
        )
        conditions = pod["status"].get("conditions") or []
        if conditions and conditions[0].get("message") == message:
            return  # said before
        status = pod["status"] | {"conditions": [condition]}
        pod = self._registry.set_status(PODS, pod, status) or pod
        record_scheduling(self._registry, PODS, pod, "Warning", "FailedScheduling", message)

    def _condition(self, pod: Object, more: Object) -> Object:
        return {
            "type": "PodScheduled",
            "observedGeneration": pod["metadata"].get("generation", 1),
            "lastProbeTime": None,
            "lastTransitionTime": rfc3339(self._registry.clock()),
            **more,
        }


def _key(pod: Object) -> Key:
    return pod["metadata"]["namespace"], pod["metadata"]["name"]
