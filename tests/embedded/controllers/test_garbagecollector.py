"""What the garbage collector remembers: only what there is."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from flashsale.embedded.apiserver.registry.deletion import DeleteOptions
from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.controllers.garbagecollector import GarbageCollector
from flashsale.embedded.storage.store import Store
from flashsale.embedded.types.resources import CONFIG_MAPS, NAMESPACES


@pytest.mark.parametrize("policy", ["Background", "Foreground", "Orphan"])
async def test_nothing_is_remembered_of_owners_that_are_gone(tmp_path: Path, policy: str) -> None:
    """However they went: a cluster that runs for weeks sees many come and go."""
    registry = Registry(Store(tmp_path / "state.db"))
    registry.create(NAMESPACES, "", {"metadata": {"name": "default"}})
    collector = GarbageCollector(registry)
    work = asyncio.create_task(collector.run())
    await asyncio.sleep(0)
    owner = registry.create(CONFIG_MAPS, "default", {"metadata": {"name": "owner"}})
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner"}
    reference |= {"uid": owner["metadata"]["uid"]}
    for name in ("a", "b"):
        meta = {"name": name, "ownerReferences": [reference | {"blockOwnerDeletion": True}]}
        registry.create(CONFIG_MAPS, "default", {"metadata": meta})
    assert len(collector._dependents) == 1
    registry.delete(CONFIG_MAPS, "default", "owner", DeleteOptions(policy=policy))
    left = {"a", "b"} if policy == "Orphan" else set()
    async with asyncio.timeout(10):
        while {obj["metadata"]["name"] for obj in registry.store.all(CONFIG_MAPS)} != left:
            await registry.store.wait()
    assert collector._dependents == {}
    assert len(collector._uids) == 1 + len(left)  # the namespace
    work.cancel()
    await asyncio.wait([work])
    registry.store.close()
