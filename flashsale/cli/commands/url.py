"""`flashsale url`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from flashsale.cli.global_options import Shared


def url(ctx: typer.Context) -> None:
    """Print the sale's address, and nothing else.

    An address that exists only through a tunnel is held open until Ctrl-C; stderr says so.
    """
    from flashsale.cli.event_loop import run
    from flashsale.cli.global_options import shared
    from flashsale.cli.output import out, out_json

    typed = shared(ctx)

    def show(address: str) -> None:
        if typed.json:
            out_json({"url": address})
        else:
            out(address)

    run(hand_out(typed, show))


async def hand_out(typed: Shared, show: Callable[[str], None]) -> None:
    """Show the open sale's address; return at once where it works by itself, else hold it."""
    import asyncio

    from flashsale.base.errors import ClusterUnreachableError
    from flashsale.cli.output import notes
    from flashsale.clusters.base import TunnelUrl
    from flashsale.objects.models import Service
    from flashsale.sale.ready.endpoint_check import refuse_if_port_taken
    from flashsale.sale.session import connect_to_sale

    async with connect_to_sale(typed.wanted, typed.namespace) as sale:
        found = await sale.service_object()
        service = Service.from_object(found)
        try:
            address = await sale.cluster.address(service)
        except ClusterUnreachableError:
            async with sale.cluster.reach(service, notes(), one_pod=True) as address:
                show(address)
                sys.stdout.flush()  # whoever reads it through a pipe needs it now
                if isinstance(address, TunnelUrl):
                    await asyncio.Event().wait()
        else:
            await refuse_if_port_taken(sale, found, address)
            show(address)
