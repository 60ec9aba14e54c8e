"""The sale's address, as `url`, `open`, `load`, `drill`, `status` and `watch` give it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING

from flashsale.base.aio import end_tasks
from flashsale.base.errors import ClusterUnreachableError, FlashsaleError
from flashsale.clusters.base import Progress
from flashsale.objects.models import Service
from flashsale.sale.ready.endpoint_check import refuse_if_port_taken
from flashsale.sale.session import Sale

if TYPE_CHECKING:
    from flashsale.sale.observe.monitor import SaleMonitor
    from flashsale.sale.observe.state import Condition


@asynccontextmanager
async def open_url(
    sale: Sale, progress: Progress | None = None, *, one_pod: bool = False
) -> AsyncIterator[str]:
    """Give the sale's URL for as long as it is held; a tunnel is opened where it takes one.

    Args:
        progress: notes which way leads there.
        one_pod: a tunnel to one pod will do, enough for a look and not for a load; where the
            address works by itself nothing is noted.

    Raises:
        NoSaleError: there is no Service.
        RefusedError: another program has its node port.
        ClusterUnreachableError: nothing leads there.
    """
    service = await sale.service()
    if one_pod:
        try:
            url = await sale.cluster.address(service)
        except ClusterUnreachableError:
            pass
        else:
            await refuse_if_port_taken(sale, service, url)
            yield url
            return
    async with sale.cluster.reach(service, progress, one_pod=one_pod) as url:
        await refuse_if_port_taken(sale, service, url)
        yield url


async def find_url(sale: Sale, service: Service) -> tuple[str, str]:
    """Find the URL, if one works by itself; else say why there is none, and what to type."""
    try:
        return await sale.cluster.address(service), ""
    except FlashsaleError as error:
        return "", f"{error}\n{error.hint}"


@asynccontextmanager
async def hold_url_if_any(sale: Sale, service: Service | None) -> AsyncIterator[str]:
    """Give the URL to a view that can do without, and hold it; empty where there is none."""
    if service is None:
        yield ""
        return
    async with AsyncExitStack() as stack:
        url = ""
        with suppress(FlashsaleError):
            url = await stack.enter_async_context(sale.cluster.reach(service))
        yield url


@asynccontextmanager
async def follow_url(monitor: SaleMonitor, notify: Callable[[str], None]) -> AsyncIterator[None]:
    """Tell the URL of a monitored sale, and again whenever its Service changed."""
    task = asyncio.create_task(_follow_url(monitor, notify), name="follow the sale's URL")
    try:
        yield
    finally:
        await end_tasks(task)


async def _follow_url(monitor: SaleMonitor, notify: Callable[[str], None]) -> None:
    service = (await monitor.until(lambda _: True)).service
    while True:
        async with hold_url_if_any(monitor.sale, service) as url:
            notify(url)
            service = (await monitor.until(_service_differs(service))).service


def _service_differs(before: Service | None) -> Condition:
    return lambda state: state.service != before
