"""kubernetes_asyncio, the client that others wrote for asyncio."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.api import Object
from tests.conformance.clients.asyncio_tour import scale_delete_and_watch
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
        assert [item.spec.replicas for item in listed.items] == [1]
        await scale_delete_and_watch(apps, watch, name, listed.metadata.resource_version)
