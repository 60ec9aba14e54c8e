"""Binds each pod to the best node, or says why there is none (pkg/scheduler)."""

from __future__ import annotations

from flashsale.embedded.apiserver.pod_conditions import with_condition, with_disruption_target
from flashsale.embedded.apiserver.registry.deletion import DeleteOptions
from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.controllers.event_recorder import record_scheduling
from flashsale.embedded.controllers.workqueue import WorkQueue
from flashsale.embedded.scheduler.placement import NO_NODES, place
from flashsale.embedded.scheduler.preemption import Candidate, find_preemption, pod_priority
from flashsale.embedded.scheduler.snapshot import Snapshot, pods_by_node
from flashsale.embedded.storage.store import StoreEvent
from flashsale.embedded.types.resources import (
    DISRUPTION_BUDGETS,
    NAMESPACES,
    NODES,
    PODS,
    REPLICA_SETS,
    SERVICES,
)
from flashsale.objects.fields import with_value
from flashsale.objects.models import Object, has_ended, labels_of, namespaced_name

NAME = "default-scheduler"
MANAGER = "kube-scheduler"  # in managedFields
TARGET = (  # why victims go
    "PreemptionByScheduler",
    "default-scheduler: preempting to accommodate a higher priority pod",
)
RETRY_SECONDS = 60.0
Key = tuple[str, str]


class Scheduler:
    """Binds pods that have no node; those that fit nowhere wait for room."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._store = registry.store
        self._waiting: set[Key] = set()
        self._promised: set[Key] = set()  # those that others make way for
        self._queue: WorkQueue[Key] = WorkQueue("scheduler", self.sync)

    async def run(self) -> None:
        with self._store.subscribe(self._changed):
            for pod in self._store.all(PODS):
                self._note_promise(pod)
                self._consider(pod)
            await self._queue.run()

    def _changed(self, event: StoreEvent) -> None:
        if event.resource is PODS:
            self._note_promise(event.object, gone=event.type == "DELETED")
            if event.type == "ADDED" or _lost_its_gates(event):
                self._consider(event.object)
            elif event.type == "DELETED" or has_ended(event.object):
                self._retry()  # there is room now
        elif event.resource is NODES:
            self._retry()

    def _note_promise(self, pod: Object, *, gone: bool = False) -> None:
        waits = not gone and not pod["spec"].get("nodeName")
        if waits and (pod.get("status") or {}).get("nominatedNodeName"):
            self._promised.add(namespaced_name(pod))
        else:
            self._promised.discard(namespaced_name(pod))

    def _consider(self, pod: Object) -> None:
        spec = pod["spec"]
        if spec.get("schedulingGates"):
            return
        if not spec.get("nodeName") and spec.get("schedulerName", NAME) == NAME:
            self._queue.add(namespaced_name(pod))

    def _retry(self) -> None:
        for key in sorted(self._waiting, key=self._rank):
            self._queue.add(key)

    def _rank(self, key: Key) -> tuple[int, str]:
        """Sort the most important first, then who waits longest."""
        pod = self._store.get(PODS, *key)
        return (-pod_priority(pod), pod["metadata"]["creationTimestamp"]) if pod else (0, "")

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
        placed = place(pod, snapshot) if count else None
        best = placed.best() if placed else []
        if best:
            self._bind(pod, self._registry.rng.choice(best))
        elif placed:
            budgets = self._store.all(DISRUPTION_BUDGETS)
            result = find_preemption(pod, snapshot, placed.rejections, budgets)
            nominated = pod["status"].get("nominatedNodeName", "") if result.refusal else ""
            nominated = result.chosen.node if result.chosen else nominated
            self._wait(key, pod, placed.message(result.outlook()), nominated)
            if result.chosen:
                self._make_way(pod, result.chosen)
        else:
            self._wait(key, pod, NO_NODES)

    def _make_way(self, pod: Object, chosen: Candidate) -> None:
        """Delete the pods that give way to a more important one."""
        message = f"Preempted by pod {pod['metadata']['uid']} on node {chosen.node}"
        for victim in chosen.victims:
            if "deletionTimestamp" in victim["metadata"]:
                continue
            status = with_disruption_target(victim, *TARGET, self._registry.clock())
            self._registry.set_status(PODS, victim, status, MANAGER)
            self._registry.delete(PODS, *namespaced_name(victim), DeleteOptions())
            record_scheduling(
                self._registry, victim, "Normal", "Preempted", message, action="Preempting"
            )

    def _snapshot(self, pod: Object) -> Snapshot:
        namespace = pod["metadata"]["namespace"]
        return Snapshot(
            self._store.all(NODES),
            self._pods_by_node(pod),
            {entry["metadata"]["name"]: labels_of(entry) for entry in self._store.all(NAMESPACES)},
            self._store.all(SERVICES, namespace),
            self._store.all(REPLICA_SETS, namespace),
        )

    def _pods_by_node(self, pod: Object) -> dict[str, list[Object]]:
        """Return the pods on each node, with those to which it is promised before this one."""
        by_node = pods_by_node(self._store.all(PODS))
        for key in self._promised - {namespaced_name(pod)}:
            other = self._store.get(PODS, *key)
            if other and pod_priority(other) >= pod_priority(pod):
                by_node.setdefault(other["status"]["nominatedNodeName"], []).append(other)
        return by_node

    def _wait(self, key: Key, pod: Object, why: str, nominated: str = "") -> None:
        self._fail(pod, why, nominated)
        self._waiting.add(key)
        self._queue.add_after(key, RETRY_SECONDS)

    def _bind(self, pod: Object, node: str) -> None:
        self._registry.bind(pod, node)
        message = f"Successfully assigned {'/'.join(namespaced_name(pod))} to {node}"
        record_scheduling(self._registry, pod, "Normal", "Scheduled", message)

    def _fail(self, pod: Object, message: str, nominated: str) -> None:
        condition = {
            "type": "PodScheduled",
            "observedGeneration": pod["metadata"].get("generation", 1),
            "status": "False",
            "reason": "Unschedulable",
            "message": message,
        }
        status = with_condition(pod["status"], condition, self._registry.clock())
        status = with_value(status, "nominatedNodeName", nominated)
        if status == pod["status"]:
            return  # said before
        pod = self._registry.set_status(PODS, pod, status, MANAGER) or pod
        record_scheduling(self._registry, pod, "Warning", "FailedScheduling", message)


def missing_claim(pod: Object) -> str:
    """Return the first PersistentVolumeClaim that a pod names; there are none here."""
    claims = (volume.get("persistentVolumeClaim") for volume in pod["spec"].get("volumes") or [])
    return next((str(claim.get("claimName", "")) for claim in claims if claim is not None), "")


def _lost_its_gates(event: StoreEvent) -> bool:
    before = (event.previous or {}).get("spec") or {}
    return bool(before.get("schedulingGates")) and not event.object["spec"].get("schedulingGates")
