"""A cluster to watch, and the door to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from flashsale.kube import Api, connect
from tests.kube.list_watch.lying_api_server import Cluster


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    """A real HTTP server on a free port of this machine."""
    server = Cluster()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def api(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Api]:
    """The door that the commands use, to that server."""
    kubeconfig = tmp_path / "config"
    named = {"name": "test"}
    kubeconfig.write_text(
        yaml.safe_dump(
            {
                "clusters": [{**named, "cluster": {"server": cluster.url}}],
                "users": [{**named, "user": {}}],
                "contexts": [{**named, "context": {"cluster": "test", "user": "test"}}],
            }
        )
    )
    async with connect(kubeconfig, "test") as door:
        yield door
