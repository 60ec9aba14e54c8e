"""Pods on nodes with a NoExecute taint: they leave, at once or when their toleration ends.

After pkg/controller/tainteviction/taint_eviction.go.
"""

from __future__ import annotations

import asyncio
import logging

from flashsale.embedded.apiserver.pod_conditions import with_disruption_target
from flashsale.embedded.apiserver.registry.deletion import DeleteOptions
from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.controllers import MANAGER
from flashsale.embedded.controllers.event_recorder import EventRecorder
from flashsale.embedded.scheduler.node_rules import tolerates
from flashsale.embedded.storage.store import StoreError, StoreEvent
from flashsale.embedded.types.api_errors import StatusError
from flashsale.embedded.types.resources import NODES, PODS
from flashsale.objects.models import Object, namespaced_name

RETRY_SECONDS = 1.0
TARGET = ("DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint")
log = logging.getLogger(__name__)


def seconds_left(pod: Object, node: Object) -> float | None:
    """Return how long a pod may stay on its node, 0 for not at all, None for ever."""
    taints = [t for t in (node.get("spec") or {}).get("taints") or [] if t["effect"] == "NoExecute"]
    tolerations = pod["spec"].get("tolerations") or []
    used = []
    for taint in taints:
        accepting = [toleration for toleration in tolerations if tolerates(toleration, taint)]
        if not accepting:
            return 0.0
        used += accepting
    limits = [max(0.0, float(toleration["tolerationSeconds"])) for toleration in used
              if toleration.get("tolerationSeconds") is not None]  # fmt: skip
    return min(limits, default=None)


class TaintEvictionController:
    """Has a timer for every pod that must leave later."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._store = registry.store
        self._timers: dict[str, asyncio.TimerHandle] = {}  # by the pod's uid
        self._events = EventRecorder(registry, "taint-eviction-controller")

    async def run(self) -> None:
        self._loop = asyncio.get_running_loop()
        with self._store.subscribe(self._changed):
            try:
                for node in self._store.all(NODES):
                    self._consider_all(node)
                await asyncio.Event().wait()
            finally:
                for timer in self._timers.values():
                    timer.cancel()

    def _changed(self, event: StoreEvent) -> None:
        if event.resource is NODES and event.type != "DELETED":
            if _taints(event.object) != _taints(event.previous):
                self._consider_all(event.object)
        elif event.resource is PODS:
            if event.type == "DELETED":
                self._cancel(event.object)
            elif _bound_now(event):
                node = self._store.get(NODES, "", event.object["spec"]["nodeName"])
                if node:
                    self._consider(event.object, node)

    def _consider_all(self, node: Object) -> None:
        for pod in self._store.all(PODS):
            if pod["spec"].get("nodeName") == node["metadata"]["name"]:
                self._consider(pod, node)

    def _consider(self, pod: Object, node: Object) -> None:
        uid = pod["metadata"]["uid"]
        left = seconds_left(pod, node) if _taints(node) else None
        if not left:  # for ever, or not at all: what was planned before does not count
            self._cancel(pod)
        if left is not None and uid not in self._timers:
            self._timers[uid] = self._loop.call_later(left, self._evict, pod)

    def _cancel(self, pod: Object) -> None:
        if timer := self._timers.pop(pod["metadata"]["uid"], None):
            timer.cancel()
            self._record(pod, "Cancelling deletion of Pod")

    def _evict(self, pod: Object) -> None:
        meta = pod["metadata"]
        self._timers.pop(meta["uid"], None)
        try:
            self._record(pod, "Marking for deletion Pod")
            live = self._store.get(PODS, *namespaced_name(pod))
            if live is None or live["metadata"]["uid"] != meta["uid"]:
                return
            marked = with_disruption_target(live, *TARGET, self._registry.clock())
            self._registry.set_status(PODS, live, marked, MANAGER)
            options = DeleteOptions(uid=meta["uid"])
            self._registry.delete(PODS, *namespaced_name(pod), options)
        except StatusError as error:
            if error.code not in (404, 409):
                log.warning("evicting %s: %s", meta["name"], error)
        except StoreError as error:  # a full disk
            log.warning("evicting %s: %s", meta["name"], error)
            self._timers[meta["uid"]] = self._loop.call_later(RETRY_SECONDS, self._evict, pod)

    def _record(self, pod: Object, what: str) -> None:
        meta = pod["metadata"]
        about = {"metadata": {key: meta[key] for key in ("namespace", "name")}}
        message = f"{what} {meta['namespace']}/{meta['name']}"
        self._events.record(PODS, about, "Normal", "TaintManagerEviction", message)


def _taints(node: Object | None) -> list[tuple[str, str]]:
    taints = ((node or {}).get("spec") or {}).get("taints") or []
    return [
        (taint["key"], taint.get("value", "")) for taint in taints if taint["effect"] == "NoExecute"
    ]


def _bound_now(event: StoreEvent) -> bool:
    before = (event.previous or {}).get("spec") or {}
    return bool(event.object["spec"].get("nodeName")) and not before.get("nodeName")
