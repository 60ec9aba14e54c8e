"""Binds each pod to the best node, or says why there is none (pkg/scheduler)."""

from __future__ import annotations

from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.controllers.event_recorder import record_scheduling
from flashsale.embedded.controllers.workqueue import WorkQueue
from flashsale.embedded.scheduler.placement import NO_NODES, place
from flashsale.embedded.scheduler.snapshot import Snapshot, labels_of, pods_by_node
from flashsale.embedded.storage.store import StoreEvent
from flashsale.embedded.types.resources import NAMESPACES, NODES, PODS, REPLICA_SETS, SERVICES
from flashsale.objects.models import Object, rfc3339

NAME = "default-scheduler"
MANAGER = "kube-scheduler"  # in managedFields
RETRY_SECONDS = 60.0
Key = tuple[str, str]


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
            if event.type == "ADDED" or _lost_its_gates(event):
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
        if spec.get("schedulingGates"):
            return
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
        snapshot = self._snapshot(pod)
        claim, count = missing_claim(pod), len(snapshot.nodes)
        if claim and count:
            why = f'persistentvolumeclaim "{claim}" not found. not found'
            self._wait(key, pod, f"0/{count} nodes are available: {why}")
            return
        found = place(pod, snapshot) if count else None
        best = found.best() if found else []
        if best:
            self._bind(pod, self._registry.rng.choice(best))
        else:
            self._wait(key, pod, found.message() if found else NO_NODES)

    def _snapshot(self, pod: Object) -> Snapshot:
        namespace = pod["metadata"]["namespace"]
        return Snapshot(
            self._store.all(NODES),
            pods_by_node(self._store.all(PODS)),
            {one["metadata"]["name"]: labels_of(one) for one in self._store.all(NAMESPACES)},
            self._store.all(SERVICES, namespace),
            self._store.all(REPLICA_SETS, namespace),
        )

    def _wait(self, key: Key, pod: Object, why: str) -> None:
        self._fail(pod, why)
        self._waiting.add(key)
        self._queue.add_after(key, RETRY_SECONDS)

    def _bind(self, pod: Object, node: str) -> None:
        meta = pod["metadata"]
        condition = self._condition({"status": "True"})  # the kubelet notes the generation
        self._registry.bind(pod, node, condition)
        message = f"Successfully assigned {meta['namespace']}/{meta['name']} to {node}"
        record_scheduling(self._registry, PODS, pod, "Normal", "Scheduled", message)

    def _fail(self, pod: Object, message: str) -> None:
        generation = pod["metadata"].get("generation", 1)
        condition = self._condition(
            {
                "observedGeneration": generation,
                "status": "False",
                "reason": "Unschedulable",
                "message": message,
            }
        )
        conditions = pod["status"].get("conditions") or []
        if conditions and conditions[0].get("message") == message:
            return  # said before
        status = pod["status"] | {"conditions": [condition]}
        pod = self._registry.set_status(PODS, pod, status, MANAGER) or pod
        record_scheduling(self._registry, PODS, pod, "Warning", "FailedScheduling", message)

    def _condition(self, more: Object) -> Object:
        return {
            "type": "PodScheduled",
            "lastProbeTime": None,
            "lastTransitionTime": rfc3339(self._registry.clock()),
            **more,
        }


def missing_claim(pod: Object) -> str:
    """Return the first PersistentVolumeClaim that a pod names; there are none here."""
    for volume in pod["spec"].get("volumes") or []:
        claim = volume.get("persistentVolumeClaim")
        if claim is not None:
            return str(claim.get("claimName", ""))
    return ""


def _lost_its_gates(event: StoreEvent) -> bool:
    before = (event.previous or {}).get("spec") or {}
    return bool(before.get("schedulingGates")) and not event.object["spec"].get("schedulingGates")


def _key(pod: Object) -> Key:
    return pod["metadata"]["namespace"], pod["metadata"]["name"]
