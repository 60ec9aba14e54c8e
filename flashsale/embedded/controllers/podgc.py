"""Pods that are bound to a node that does not exist: no kubelet will end them, so this does.

The one part of pkg/controller/podgc/gc_controller.go (gcOrphaned) that is needed here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from flashsale.embedded.apiserver.pod_conditions import with_disruption_target
from flashsale.embedded.apiserver.registry.deletion import DeleteOptions
from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.controllers import MANAGER
from flashsale.embedded.controllers.workqueue import errors_logged
from flashsale.embedded.types.resources import NODES, PODS
from flashsale.objects.models import Object, has_ended, namespaced_name

PERIOD_SECONDS = 20.0  # gcCheckPeriod
QUARANTINE_SECONDS = 40.0  # for which a node may be missing
TARGET = ("DeletionByPodGC", "PodGC: node no longer exists")  # why a pod goes


class OrphanCollector:
    """Looks for such pods from time to time, and deletes them by force."""

    def __init__(self, registry: Registry, clock: Callable[[], float] = time.monotonic) -> None:
        self._registry = registry
        self._store = registry.store
        self._clock = clock
        self._missing: dict[str, float] = {}  # nodes that do not exist, and since when

    async def run(self) -> None:
        while True:
            with errors_logged("orphaned pods"):
                self.collect()
            await asyncio.sleep(PERIOD_SECONDS)

    def collect(self) -> None:
        """Delete the pods of nodes that have been missing for long enough.

        Raises:
            StatusError: a pod cannot be deleted.
            StoreError: the disk is full.
        """
        now, nodes = self._clock(), {node["metadata"]["name"] for node in self._store.all(NODES)}
        orphans = [pod for pod in self._store.all(PODS) if _node(pod) not in ("", *nodes)]
        self._missing = {_node(pod): self._missing.get(_node(pod), now) for pod in orphans}
        for pod in orphans:
            if now - self._missing[_node(pod)] >= QUARANTINE_SECONDS:
                self._remove(pod)

    def _remove(self, pod: Object) -> None:
        """Mark a pod as failed, with the reason, and delete it."""
        if not has_ended(pod):
            marked = with_disruption_target(pod, *TARGET, self._registry.clock())
            end = {"phase": "Failed", "observedGeneration": pod["metadata"]["generation"]}
            self._registry.set_status(PODS, pod, marked | end, MANAGER)
        options = DeleteOptions(grace=0, uid=pod["metadata"]["uid"])
        self._registry.delete(PODS, *namespaced_name(pod), options)


def _node(pod: Object) -> str:
    return str(pod["spec"].get("nodeName") or "")
