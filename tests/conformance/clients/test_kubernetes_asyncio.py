"""kubernetes_asyncio, the client that others wrote for asyncio."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.api import Object
from tests.conformance.scene import Scene

asyncio_client = pytest.importorskip("kubernetes_asyncio")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a watch's socket
async def test_kubernetes_asyncio(place: Scene, kubeconfig: Path, replicaset: Object) -> None:
    """It applies, lists, scales, watches and deletes."""
    from kubernetes_asyncio import config, watch

    client = await config.new_client_from_config(config_file=str(kubeconfig))
    async with client:
        apps, name = asyncio_client.client.AppsV1Api(client), place.namespace
        await apps.patch_namespaced_replica_set(
            "one",
            name,
            replicaset,
            field_manager="asyncio",
            _content_type="application/apply-patch+yaml",
        )
        listed = await apps.list_namespaced_replica_set(name)
        assert [one.spec.replicas for one in listed.items] == [1]
        await apps.patch_namespaced_replica_set_scale("one", name, {"spec": {"replicas": 2}})
        await apps.delete_namespaced_replica_set("one", name)
        version, seen = listed.metadata.resource_version, []
        async with watch.Watch() as stream:
            async for event in stream.stream(
                apps.list_namespaced_replica_set,
                name,
                resource_version=version,
                timeout_seconds=30,
            ):
                seen.append((event["type"], event["object"].spec.replicas))
                if event["type"] == "DELETED":
                    break
        assert seen[-1] == ("DELETED", 2)
