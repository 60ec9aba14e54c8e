"""What the two clients for asyncio have in common: their generated calls have the same names."""

from __future__ import annotations

from typing import Any


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
