"""Many pods at once: everything else has its turn meanwhile, and may change what is wanted.

Pods here are bound to no node, so that those that are deleted are gone at once.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from flashsale.embedded.apiserver.registry.deletion import DeleteOptions
from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.controllers.garbagecollector import GarbageCollector
from flashsale.embedded.controllers.namespace import NamespaceController
from flashsale.embedded.controllers.replicaset.replicaset import ReplicaSetController
from flashsale.embedded.storage.store import Store, StoreEvent
from flashsale.embedded.types.resources import NAMESPACES, PODS, REPLICA_SETS

PODS_AT_ONCE = 100
HALF = PODS_AT_ONCE // 2
MOST = 60  # pods that may come or go between two looks: many milliseconds of work, not seconds


class World:
    """A ReplicaSet, its pods, and the controllers that deal with them."""

    def __init__(self, path: Path) -> None:
        self.registry = Registry(Store(path / "state.db"))
        self.changes: Counter[str] = Counter()  # ADDED and DELETED of pods
        self.registry.store.subscribe(self._count)
        self.registry.create(NAMESPACES, "", {"metadata": {"name": "shop"}})
        labels = {"app": "shop"}
        template = {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "c", "image": "x"}]},
        }
        spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
        self.registry.create(REPLICA_SETS, "shop", {"metadata": {"name": "rs"}, "spec": spec})

    @property
    def pods(self) -> int:
        """How many there are."""
        return len(self.registry.store.all(PODS))

    def scale(self, replicas: int) -> None:
        """Change the wish."""
        old = self.registry.get(REPLICA_SETS, "shop", "rs")
        spec = old["spec"] | {"replicas": replicas}
        self.registry.update(REPLICA_SETS, "shop", "rs", old | {"spec": spec})

    async def until(self, pods: int) -> int:
        """Look at every turn of the loop until there are so many pods.

        Returns:
            The largest number of pods that came or went between two looks.
        """
        most, before = 0, self.pods
        async with asyncio.timeout(60):
            while (now := self.pods) != pods:
                most, before = max(most, abs(now - before)), now
                await asyncio.sleep(0)
        return max(most, abs(pods - before))

    async def meanwhile(self, condition: Callable[[], bool]) -> None:
        """Look after every write until a condition holds."""
        async with asyncio.timeout(60):
            while not condition():
                await self.registry.store.wait()

    def _count(self, event: StoreEvent) -> None:
        if event.resource is PODS:
            self.changes[event.type] += 1


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Many pods, and controllers at work."""
    async with running(tmp_path) as world:
        world.scale(PODS_AT_ONCE)
        await world.until(PODS_AT_ONCE)
        yield world


@asynccontextmanager
async def running(path: Path) -> AsyncIterator[World]:
    """Run the controllers on a ReplicaSet without pods."""
    world = World(path)
    controllers = (
        ReplicaSetController(world.registry),
        GarbageCollector(world.registry),
        NamespaceController(world.registry, "the CA"),
    )
    tasks = [asyncio.create_task(controller.run()) for controller in controllers]
    await asyncio.sleep(0)
    try:
        yield world
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        world.registry.store.close()


async def test_others_have_their_turn_while_pods_are_created(tmp_path: Path) -> None:
    """After every few pods."""
    async with running(tmp_path) as world:
        world.scale(PODS_AT_ONCE)
        assert await world.until(PODS_AT_ONCE) <= MOST


async def test_others_have_their_turn_while_a_replicaset_shrinks(world: World) -> None:
    """After every few pods."""
    world.scale(0)
    assert await world.until(0) <= MOST


@pytest.mark.parametrize("policy", ["Background", "Foreground"])
async def test_others_have_their_turn_while_pods_go_with_their_owner(
    world: World, policy: str
) -> None:
    """Whoever waits for whom."""
    world.registry.delete(REPLICA_SETS, "shop", "rs", DeleteOptions(policy=policy))
    assert await world.until(0) <= MOST
    await world.meanwhile(lambda: not world.registry.store.all(REPLICA_SETS))


async def test_others_have_their_turn_while_a_namespace_is_emptied(world: World) -> None:
    """Then it goes itself."""
    world.registry.delete(NAMESPACES, "", "shop", DeleteOptions())
    assert await world.until(0) <= MOST
    await world.meanwhile(lambda: world.registry.store.get(NAMESPACES, "", "shop") is None)


async def test_a_wish_that_changes_while_pods_are_deleted_is_heeded_at_once(world: World) -> None:
    """No pod goes that is wanted by then, so none has to be created in its place."""
    world.scale(0)
    await world.meanwhile(lambda: world.pods < PODS_AT_ONCE - 20)
    world.scale(HALF)
    await world.until(HALF)
    await settled(world, HALF)
    assert world.changes["ADDED"] == PODS_AT_ONCE
    assert world.changes["DELETED"] == HALF


async def test_a_wish_that_changes_while_pods_are_created_is_heeded_at_once(tmp_path: Path) -> None:
    """No pod comes that is not wanted by then."""
    async with running(tmp_path) as world:
        world.scale(PODS_AT_ONCE)
        await world.meanwhile(lambda: world.pods > 20)
        world.scale(HALF)
        await settled(world, HALF)
        assert world.changes == {"ADDED": HALF}


async def settled(world: World, pods: int) -> None:
    """Wait until the ReplicaSet says that it has so many pods, and acted on its newest wish."""

    def is_written() -> bool:
        replicaset = world.registry.get(REPLICA_SETS, "shop", "rs")
        status = replicaset["status"]
        acted = status.get("observedGeneration") == replicaset["metadata"]["generation"]
        return bool(acted and status["replicas"] == pods)

    await world.meanwhile(is_written)
