"""The scheduler at work on a registry: who is bound, who makes way, who is promised the room."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.scheduler.scheduler import Scheduler
from flashsale.embedded.storage.store import Store
from flashsale.embedded.types.resources import (
    EVENTS,
    NAMESPACES,
    NODES,
    PODS,
    PRIORITY_CLASSES,
    SERVICE_ACCOUNTS,
)
from flashsale.objects.models import Object, find_condition

ROOM = {"cpu": "1", "memory": "1Gi", "pods": "10"}


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """A cluster of one node with one CPU, and a class for important pods."""
    registry = Registry(Store(tmp_path / "state.db"), rng=random.Random(1))
    registry.create(NAMESPACES, "", {"metadata": {"name": "default"}})
    registry.create(SERVICE_ACCOUNTS, "default", {"metadata": {"name": "default"}})
    registry.create(PRIORITY_CLASSES, "", {"metadata": {"name": "high"}, "value": 1000})
    node = registry.create(NODES, "", {"metadata": {"name": "n"}})
    registry.set_status(NODES, node, {"allocatable": ROOM})
    return registry


def _create(registry: Registry, name: str, priority_class: str = "") -> None:
    resources = {"requests": {"cpu": "1"}}
    spec: Object = {"containers": [{"name": "c", "image": "x", "resources": resources}]}
    if priority_class:
        spec["priorityClassName"] = priority_class
    registry.create(PODS, "default", {"metadata": {"name": name}, "spec": spec})


@asynccontextmanager
async def _scheduling(registry: Registry) -> AsyncIterator[None]:
    task = asyncio.create_task(Scheduler(registry).run())
    await asyncio.sleep(0)  # it listens from here on
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _until(registry: Registry, holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await registry.store.wait()


async def test_an_important_pod_takes_the_room_of_another(registry: Registry) -> None:
    """The victim is deleted and told why, the room is promised, and nobody else gets it."""

    def pod(name: str) -> Object:
        return registry.get(PODS, "default", name)

    async with _scheduling(registry):
        _create(registry, "low")
        await _until(registry, lambda: pod("low")["spec"].get("nodeName"))
        _create(registry, "high", "high")
        await _until(registry, lambda: "deletionTimestamp" in pod("low")["metadata"])
        assert find_condition(pod("low"), "DisruptionTarget")["reason"] == "PreemptionByScheduler"
        assert pod("high")["status"]["nominatedNodeName"] == "n"
        assert find_condition(pod("high"), "PodScheduled")["message"] == (
            "0/1 nodes are available: 1 Insufficient cpu."
        )
        _create(registry, "next")
        await _until(registry, lambda: find_condition(pod("next"), "PodScheduled"))
        registry.store.remove(PODS, "default", "low")  # its kubelet is done with it
        await _until(registry, lambda: pod("high")["spec"].get("nodeName"))
        assert "nominatedNodeName" not in pod("high")["status"]
        assert "nodeName" not in pod("next")["spec"]
    said = {event["reason"]: event["message"] for event in registry.store.all(EVENTS)}
    assert said["Preempted"] == f"Preempted by pod {pod('high')['metadata']['uid']} on node n"
