"""Pods that are bound to a node that does not exist."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flashsale.embedded.apiserver.registry.deletion import DeleteOptions
from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.controllers.podgc import OrphanCollector
from flashsale.embedded.storage.store import Store, StoreEvent
from flashsale.embedded.types.resources import NAMESPACES, NODES, PODS
from flashsale.objects.models import find_condition


class World:
    """A registry with one node, and a clock that goes on when it is told to."""

    def __init__(self, path: Path) -> None:
        self.registry = Registry(Store(path / "state.db"))
        self.registry.create(NAMESPACES, "", {"metadata": {"name": "default"}})
        self.node("embedded")
        self.now = 0.0  # seconds
        self.collector = OrphanCollector(self.registry, lambda: self.now)
        self.events: list[StoreEvent] = []
        self.registry.store.subscribe(self.events.append)

    def node(self, name: str) -> None:
        """Register a node."""
        self.registry.create(NODES, "", {"metadata": {"name": name}})

    def pod(self, name: str, node: str) -> None:
        """Create a pod that is bound already."""
        spec = {"nodeName": node, "containers": [{"name": "c", "image": "x"}]}
        self.registry.create(PODS, "default", {"metadata": {"name": name}, "spec": spec})

    @property
    def pods(self) -> list[str]:
        """The names of those that are left."""
        return [pod["metadata"]["name"] for pod in self.registry.store.all(PODS)]

    def collect(self, *, at: float) -> None:
        """Look for orphans at a time."""
        self.now = at
        self.collector.collect()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """One node, no pods."""
    world = World(tmp_path)
    yield world
    world.registry.store.close()


def test_a_deleted_pod_of_a_node_that_does_not_exist_goes(world: World) -> None:
    """It would be Terminating for ever; nobody else's pods are touched."""
    world.pod("lost", "nowhere")
    world.pod("found", "embedded")
    for name in ("lost", "found"):
        world.registry.delete(PODS, "default", name, DeleteOptions())
    world.collect(at=0)
    assert world.pods == ["found", "lost"]
    world.collect(at=40)
    assert world.pods == ["found"]


def test_one_that_nobody_deleted_goes_too_and_says_why(world: World) -> None:
    """It ends as Failed first, so that whoever waits for its end hears of it."""
    world.pod("lost", "nowhere")
    world.collect(at=0)
    world.collect(at=40)
    assert world.pods == []
    last = world.events[-1]
    assert (last.type, last.object["status"]["phase"]) == ("DELETED", "Failed")
    assert find_condition(last.object, "DisruptionTarget")["reason"] == "DeletionByPodGC"


def test_a_node_may_come_late(world: World) -> None:
    """And be missed again: that counts from anew."""
    world.pod("early", "late")
    world.collect(at=0)
    world.node("late")
    world.collect(at=39)
    world.registry.delete(NODES, "", "late", DeleteOptions())
    world.collect(at=60)
    world.collect(at=99)
    assert world.pods == ["early"]
    world.collect(at=100)
    assert world.pods == []


def test_one_that_cannot_go_does_not_keep_the_others(world: World) -> None:
    """A finalizer holds it; it is asked to go, and that is all."""
    world.pod("a", "nowhere")
    pod = world.registry.get(PODS, "default", "a")
    held = pod | {"metadata": pod["metadata"] | {"finalizers": ["example.com/hold"]}}
    world.registry.update(PODS, "default", "a", held)
    world.pod("b", "nowhere")
    world.collect(at=0)
    world.collect(at=40)
    assert world.pods == ["a"]
    before = len(world.events)
    world.collect(at=60)
    assert len(world.events) == before
