"""The address of a monitored sale is followed when its Service changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from flashsale.base.errors import ClusterUnreachableError
from flashsale.objects.models import Service
from flashsale.sale.observe.monitor import SaleMonitor
from flashsale.sale.observe.observations import Observation, ReplicaSetSeen, ServiceSeen, Synced
from flashsale.sale.session import Sale
from flashsale.sale.url import follow_url
from tests.sale.api_objects import replicaset_object

LIMIT = 10.0  # seconds that anything here may take on a busy machine


class Tunnels:
    """A cluster that leads to a Service only while the way there is held."""

    def __init__(self) -> None:
        self.open: list[int | None] = []

    @asynccontextmanager
    async def reach(self, service: Service) -> AsyncIterator[str]:
        if service.node_port is None:
            raise ClusterUnreachableError("nothing leads there")
        self.open.append(service.node_port)
        try:
            yield f"http://127.0.0.1:{service.node_port}"
        finally:
            self.open.remove(service.node_port)


def service(port: int | None) -> ServiceSeen:
    return ServiceSeen(1.0, Service("svc", "NodePort", "10.0.0.1", port, "80", 0.0))


async def listed(first: ServiceSeen) -> AsyncGenerator[Observation]:
    yield ReplicaSetSeen.from_object(replicaset_object(), "listed", 1.0)
    yield first
    yield Synced(1.0)
    await asyncio.Event().wait()


@pytest.mark.parametrize("later", [service(30002), service(None), ServiceSeen(2.0, None)])
async def test_an_address_that_changes_is_followed(later: ServiceSeen) -> None:
    """The old way is given up; where none is left, the address is empty."""
    cluster, urls = Tunnels(), asyncio.Queue[str]()
    sale = Sale(cast(Any, cluster), cast(Any, None), "default", "flashsale-rs", "svc")
    monitor = SaleMonitor(listed(service(30001)), sale=sale)
    async with asyncio.timeout(LIMIT), monitor, follow_url(monitor, urls.put_nowait):
        assert await urls.get() == "http://127.0.0.1:30001"
        monitor.add(later)
        port = later.service.node_port if later.service else None
        assert await urls.get() == (f"http://127.0.0.1:{port}" if port else "")
        assert cluster.open == [port] * bool(port)
    assert cluster.open == []
