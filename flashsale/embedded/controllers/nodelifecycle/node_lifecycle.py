"""Nodes that are heard of no longer: not ready, tainted, their pods taken out of service.

After pkg/controller/nodelifecycle/node_lifecycle_controller.go.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.apiserver.stored_node_timing import changes_timing, read_node_timing
from flashsale.embedded.controllers import MANAGER
from flashsale.embedded.controllers.event_recorder import EventRecorder
from flashsale.embedded.controllers.node import LEASE_NAMESPACE
from flashsale.embedded.controllers.nodelifecycle.eviction_rate import EvictionRate, ZoneName
from flashsale.embedded.controllers.nodelifecycle.node_health import NodeHealth, unknown_conditions
from flashsale.embedded.controllers.nodelifecycle.node_taints import (
    NOT_READY,
    UNREACHABLE,
    Taint,
    has_taint,
    no_schedule_change,
    with_taints,
    without_taints,
)
from flashsale.embedded.controllers.workqueue import errors_logged
from flashsale.embedded.storage.store import StoreEvent
from flashsale.embedded.types.resources import LEASES, NODES, PODS
from flashsale.objects.models import Object, find_condition, is_ready, labels_of, rfc3339

EVICTING: dict[str, Taint] = {
    "False": (NOT_READY, "NoExecute"),
    "Unknown": (UNREACHABLE, "NoExecute"),
}
WITHOUT_KUBELET = 60.0  # seconds for a new node to say anything (node-startup-grace-period)
REGION, ZONE = "topology.kubernetes.io/region", "topology.kubernetes.io/zone"


class NodeLifecycleController:
    """Looks at the leases and statuses of all nodes every few seconds, at taints at once."""

    def __init__(self, registry: Registry, clock: Callable[[], float] = time.monotonic) -> None:
        self._registry = registry
        self._store = registry.store
        self._clock = clock
        self._health = NodeHealth()
        self._rate = EvictionRate()
        self._known: dict[str, Object] = {}  # nodes, at the last look
        self._changed_nodes: set[str] = set()
        self._looked = clock()
        self._wake = asyncio.Event()
        self._events = EventRecorder(registry, "node-controller")

    async def run(self) -> None:
        with self._store.subscribe(self._changed):
            self.look()
            while True:
                self._wake.clear()
                period = read_node_timing(self._store).period
                if self._clock() >= self._looked + period:
                    self.look()
                self.taint()
                due = min(self._looked + period, self._rate.next_at())
                try:
                    async with asyncio.timeout(max(0.0, due - self._clock())):
                        await self._wake.wait()
                except TimeoutError:
                    continue

    def _changed(self, event: StoreEvent) -> None:
        if event.resource is NODES:
            self._changed_nodes.add(event.object["metadata"]["name"])
            self._wake.set()
        elif changes_timing(event):
            self._wake.set()

    def look(self) -> None:
        """Bring the conditions of all nodes, and the pods of lost ones, to what is known."""
        now, nodes = self._clock(), self._store.all(NODES)
        grace = read_node_timing(self._store).grace
        if now - self._looked > grace:  # this process itself was stopped
            self._health.forgive(self._known, now)
        self._looked = now
        self._note_members({node["metadata"]["name"]: node for node in nodes})
        for node in nodes:
            self._attempt(node, lambda node: self._examine(node, now))
        zones: dict[ZoneName, list[bool]] = {}
        for node in self._store.all(NODES):
            zones.setdefault(_zone(node), []).append(is_ready(node))
            self._changed_nodes.add(node["metadata"]["name"])  # what failed is tried again
        were_lost = self._rate.all_lost
        self._rate.see(zones, now)
        if self._rate.all_lost and not were_lost:
            for node in nodes:
                self._attempt(node, self._mark_reachable)
        elif were_lost and not self._rate.all_lost:
            self._health.forgive(self._known, now)

    def taint(self) -> None:
        """Taint nodes that changed, and those whose turn it is to be emptied."""
        while self._changed_nodes:
            node = self._store.get(NODES, "", self._changed_nodes.pop())
            if node and find_condition(node, "Ready"):  # a new one keeps the taint of its admission
                self._attempt(node, lambda node: self._swap(node, *no_schedule_change(node)))
        for name in self._rate.take(self._clock()):
            if node := self._store.get(NODES, "", name):
                self._attempt(node, self._evict)

    def _attempt(self, node: Object, work: Callable[[Object], None]) -> None:
        with errors_logged(f"node {node['metadata']['name']}"):
            work(node)

    def _note_members(self, nodes: dict[str, Object]) -> None:
        for name in nodes.keys() - self._known.keys():
            self._record(
                nodes[name], "RegisteredNode", f"event: Registered Node {name} in Controller"
            )
        for name in self._known.keys() - nodes.keys():
            gone = self._known[name]
            self._record(gone, "RemovingNode", f"event: Removing Node {name} from Controller")
            self._health.forget(name)
            self._rate.remove(name)
        self._known = nodes

    def _examine(self, node: Object, now: float) -> None:
        meta = node["metadata"]
        before = find_condition(node, "Ready").get("status", "Unknown")
        lease = self._store.get(LEASES, LEASE_NAMESPACE, meta["name"])
        known = bool(find_condition(node, "Ready"))
        patience = read_node_timing(self._store).grace if known else WITHOUT_KUBELET
        if self._health.silent_seconds(node, lease, now) > patience:
            at = rfc3339(self._registry.clock())
            marked = (node.get("status") or {}) | {"conditions": unknown_conditions(node, at)}
            node = self._registry.set_status(NODES, node, marked, MANAGER) or node
        ready = find_condition(node, "Ready").get("status")
        if ready == "True":
            self._mark_reachable(node)
        elif ready is not None:
            self._mark_lost(node, EVICTING[ready])
            if before == "True":
                self._record(node, "NodeNotReady", "status is now: NodeNotReady")
                self._take_pods_out(meta["name"])

    def _mark_reachable(self, node: Object) -> None:
        self._rate.remove(node["metadata"]["name"])
        self._swap(node, [], [taint for taint in EVICTING.values() if has_taint(node, taint)])

    def _mark_lost(self, node: Object, taint: Taint) -> None:
        """Let a node wait for its turn; one that is being emptied has another reason at once."""
        if any(has_taint(node, other) for other in EVICTING.values() if other != taint):
            self._evict(node)
        elif not has_taint(node, taint):
            self._rate.add(node["metadata"]["name"], _zone(node))

    def _evict(self, node: Object) -> None:
        if taint := EVICTING.get(find_condition(node, "Ready").get("status", "")):
            self._swap(node, [taint], [other for other in EVICTING.values() if other != taint])

    def _swap(self, node: Object, more: Sequence[Taint], fewer: Sequence[Taint]) -> None:
        """Add taints, then take others away: two writes, as the real controller makes them."""
        if more:
            self._write(with_taints(node, more, rfc3339(self._registry.clock())))
        there = self._store.get(NODES, "", node["metadata"]["name"])
        if there and any(has_taint(there, taint) for taint in fewer):
            self._write(without_taints(there, fewer))

    def _write(self, node: Object) -> None:
        self._registry.update(NODES, "", node["metadata"]["name"], node, manager=MANAGER)

    def _record(self, node: Object, reason: str, words: str) -> None:
        name = node["metadata"]["name"]
        about = {"metadata": {"name": name, "uid": node["metadata"]["uid"]}}
        self._events.record(NODES, about, "Normal", reason, f"Node {name} {words}")

    def _take_pods_out(self, name: str) -> None:
        """Say of a lost node's pods that they are not ready, so that no Service leads there."""
        for pod in self._store.all(PODS):
            if pod["spec"].get("nodeName") != name or not is_ready(pod):
                continue
            now = rfc3339(self._registry.clock())
            conditions = [
                condition | {"status": "False", "lastTransitionTime": now}
                if condition["type"] == "Ready"
                else condition
                for condition in pod["status"]["conditions"]
            ]
            status = pod["status"] | {"conditions": conditions}
            self._registry.set_status(PODS, pod, status, MANAGER)
            self._events.record(PODS, pod, "Warning", "NodeNotReady", "Node is not ready")


def _zone(node: Object) -> ZoneName:
    labels = labels_of(node)
    return labels.get(REGION, ""), labels.get(ZONE, "")
