"""Nodes that are heard of no longer: not ready, tainted, their pods taken out of service.

After pkg/controller/nodelifecycle/node_lifecycle_controller.go. The rates by which it slows down
when many nodes of a zone are lost at once are left out: a cluster of nine nodes has one eviction to
make at a time, and the real controller does not slow down for the first.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from flashsale.embedded.apiserver.node_timing import node_timing
from flashsale.embedded.apiserver.registry import Registry
from flashsale.embedded.controllers.event_recorder import EventRecorder
from flashsale.embedded.controllers.node import LEASE_NAMESPACE
from flashsale.embedded.storage.store import StoreError, StoreEvent
from flashsale.embedded.types.api_errors import StatusError
from flashsale.embedded.types.resources import LEASES, NODES, PODS
from flashsale.objects.models import Object, find_condition, rfc3339

MANAGER = "kube-controller-manager"  # in managedFields
NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
OWN_TAINTS = (NOT_READY, UNREACHABLE, UNSCHEDULABLE)
LOST = {"reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}
NEVER = {"reason": "NodeStatusNeverUpdated", "message": "Kubelet never posted node status."}
CONDITIONS = ("MemoryPressure", "DiskPressure", "PIDPressure", "Ready")
WITHOUT_KUBELET = 60.0  # seconds for a new node to say anything (node-startup-grace-period)
log = logging.getLogger(__name__)


def wanted_taints(node: Object, ready: str, now: str) -> list[Object]:
    """Return a node's taints as its Ready condition and a cordon want them."""
    spec = node.get("spec") or {}
    old = spec.get("taints") or []
    kept = [taint for taint in old if taint.get("key") not in OWN_TAINTS]
    lost = {"True": "", "False": NOT_READY}.get(ready, UNREACHABLE)
    wanted = [(UNSCHEDULABLE, "NoSchedule")] if spec.get("unschedulable") else []
    wanted += [(lost, "NoSchedule"), (lost, "NoExecute")] if lost else []
    known = {(taint.get("key"), taint.get("effect")): taint for taint in old}
    return kept + [
        known.get(one, {"key": one[0], "effect": one[1], "timeAdded": now}) for one in wanted
    ]


class NodeLifecycleController:
    """Watches the leases and statuses of all nodes."""

    def __init__(self, registry: Registry, clock: Callable[[], float] = time.monotonic) -> None:
        self._registry = registry
        self._store = registry.store
        self._clock = clock
        self._signs: dict[str, tuple[object, float]] = {}  # by node: the last one, and since when
        self._wake = asyncio.Event()
        self._events = EventRecorder(registry, "node-controller", "", registry.clock)

    async def run(self) -> None:
        """Work until cancelled.

        Where this process itself was away (stopped by a signal, short of CPU time) it heard
        nothing: then the nodes, which are parts of it, get their time anew.
        """
        unsubscribe = self._store.subscribe(self._changed)
        looked = self._clock()
        try:
            while True:
                self._wake.clear()
                if self._clock() - looked > node_timing(self._store).grace / 2:
                    self._signs.clear()
                looked = self._clock()
                for node in self._store.all(NODES):
                    self._attempt(node)
                try:
                    async with asyncio.timeout(node_timing(self._store).period):
                        await self._wake.wait()
                except TimeoutError:
                    continue
        finally:
            unsubscribe()

    def _changed(self, event: StoreEvent) -> None:
        if event.resource is NODES:
            self._wake.set()

    def _attempt(self, node: Object) -> None:
        try:
            self.examine(node)
        except (StatusError, StoreError) as error:  # a full disk: the next look may succeed
            log.warning("node %s: %s", node["metadata"]["name"], error)
        except Exception:  # a mistake of ours: it must not end the cluster
            log.exception("node %s", node["metadata"]["name"])

    def examine(self, node: Object) -> None:
        """Bring one node's conditions, taints and pods to what is known of it.

        Raises:
            StatusError, StoreError: a write was refused.
        """
        before = find_condition(node, "Ready").get("status", "Unknown")
        if self._silent_seconds(node) > self._patience(node):
            node = self._mark_unknown(node)
        ready = find_condition(node, "Ready").get("status", "Unknown")
        self._taint(node, ready)
        if before == "True" != ready:
            name = node["metadata"]["name"]
            message = f"Node {name} status is now: NodeNotReady"
            self._events.record(NODES, node, "Normal", "NodeNotReady", message)
            self._take_pods_out(name)

    def _silent_seconds(self, node: Object) -> float:
        name = node["metadata"]["name"]
        lease = self._store.get(LEASES, LEASE_NAMESPACE, name)
        beats = [
            c.get("lastHeartbeatTime") for c in (node.get("status") or {}).get("conditions") or []
        ]
        unknown = find_condition(node, "Ready").get("status") == "Unknown"
        sign = ((lease or {}).get("spec", {}).get("renewTime"), None if unknown else beats)
        last, since = self._signs.get(name, (None, 0.0))
        if name not in self._signs or (sign != last and not unknown):
            last, since = sign, self._clock()
            self._signs[name] = sign, since
        return self._clock() - since

    def _patience(self, node: Object) -> float:
        known = find_condition(node, "Ready")
        return node_timing(self._store).grace if known else WITHOUT_KUBELET

    def _mark_unknown(self, node: Object) -> Object:
        now = rfc3339(self._registry.clock())
        status = node.get("status") or {}
        conditions = []
        for kind in CONDITIONS:
            old = find_condition(node, kind)
            if old.get("status") == "Unknown":
                conditions.append(old)
                continue
            heard = {"lastHeartbeatTime": old.get("lastHeartbeatTime", now)}
            lost = LOST if old else NEVER
            conditions.append({"type": kind, "status": "Unknown", **heard,
                               "lastTransitionTime": now, **lost})  # fmt: skip
        others = [c for c in status.get("conditions") or [] if c.get("type") not in CONDITIONS]
        marked = status | {"conditions": [*conditions, *others]}
        return self._registry.set_status(NODES, node, marked, MANAGER) or node

    def _taint(self, node: Object, ready: str) -> None:
        spec = node.get("spec") or {}
        taints = wanted_taints(node, ready, rfc3339(self._registry.clock()))
        if taints == (spec.get("taints") or []):
            return
        kept = {key: value for key, value in spec.items() if key != "taints"}
        changed = node | {"spec": kept | ({"taints": taints} if taints else {})}
        self._registry.update(NODES, "", node["metadata"]["name"], changed, manager=MANAGER)

    def _take_pods_out(self, name: str) -> None:
        """Say of a lost node's pods that they are not ready, so that no Service leads there."""
        for pod in self._store.all(PODS):
            if (
                pod["spec"].get("nodeName") != name
                or find_condition(pod, "Ready").get("status") != "True"
            ):
                continue
            now = rfc3339(self._registry.clock())
            conditions = [
                one | {"status": "False", "lastTransitionTime": now}
                if one["type"] == "Ready"
                else one
                for one in pod["status"]["conditions"]
            ]
            status = pod["status"] | {"conditions": conditions}
            self._registry.set_status(PODS, pod, status, MANAGER)
            self._events.record(PODS, pod, "Warning", "NodeNotReady", "Node is not ready")
