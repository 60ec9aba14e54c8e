"""What the two clients for asyncio have in common: their generated calls have the same names."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Coroutine
from typing import Any


def run_and_collect(tour: Coroutine[Any, Any, None]) -> None:
    """Run on a loop of its own, and collect the socket that the official client's watch leaves
    behind: else it is another test, later, that is blamed for it."""
    with warnings.catch_warnings():
        asyncio.run(tour)
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


async def scale_delete_and_watch(apps: Any, watch: Any, namespace: str, version: str) -> None:
    """Scale the ReplicaSet `one` to 2 and delete it; a watch from before tells both.

    Args:
        version: the resourceVersion to watch from.
    """
    await apps.patch_namespaced_replica_set_scale("one", namespace, {"spec": {"replicas": 2}})
    await apps.delete_namespaced_replica_set("one", namespace)
    seen = []
    async with watch.Watch() as stream:
        async for event in stream.stream(
            apps.list_namespaced_replica_set,
            namespace,
            resource_version=version,
            timeout_seconds=30,
        ):
            seen.append((event["type"], event["object"].spec.replicas))
            if event["type"] == "DELETED":
                break
    assert seen[-1] == ("DELETED", 2)
