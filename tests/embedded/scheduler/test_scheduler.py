"""The scheduler at work on a registry: who is bound, who makes way, who is promised the room."""

from __future__ import annotations

import random
from pathlib import Path

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


async def test_an_important_pod_takes_the_room_of_another(registry: Registry) -> None:
    """The victim is deleted and told why, the room is promised, and nobody else gets it."""
    scheduler = Scheduler(registry)
    for name, priority_class in (("low", ""), ("high", "high"), ("next", "")):
        _create(registry, name, priority_class)
        await scheduler.sync(("default", name))
    low, high, following = (registry.get(PODS, "default", n) for n in ("low", "high", "next"))
    assert low["spec"]["nodeName"] == "n"
    assert "deletionTimestamp" in low["metadata"]
    assert find_condition(low, "DisruptionTarget")["reason"] == "PreemptionByScheduler"
    assert high["status"]["nominatedNodeName"] == "n"
    assert find_condition(high, "PodScheduled")["message"] == (
        "0/1 nodes are available: 1 Insufficient cpu."
    )
    said = {event["reason"]: event["message"] for event in registry.store.all(EVENTS)}
    assert said["Preempted"] == f"Preempted by pod {high['metadata']['uid']} on node n"

    registry.store.remove(PODS, "default", "low")  # its kubelet is done with it
    await scheduler.sync(("default", "next"))
    assert "nodeName" not in following["spec"]
    await scheduler.sync(("default", "high"))
    high = registry.get(PODS, "default", "high")
    assert high["spec"]["nodeName"] == "n"
    assert "nominatedNodeName" not in high["status"]
