"""`flashsale url`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from flashsale.cli.event_loop import run
from flashsale.cli.options.global_options import Shared, shared
from flashsale.cli.output import notes, print_result

if TYPE_CHECKING:
    from collections.abc import Callable


def url(ctx: typer.Context) -> None:
    """Print the sale's address, and nothing else.

    An address that exists only through a tunnel is held open until Ctrl-C; stderr says so.
    """
    typed = shared(ctx)

    def show(address: str) -> None:
        print_result(typed, {"url": address}, lambda: address)

    run(show_url(typed, show))


async def show_url(typed: Shared, show: Callable[[str], None]) -> None:
    """Show the open sale's address; return at once where it works by itself, else hold it."""
    import asyncio

    from flashsale.clusters.base import TunnelUrl
    from flashsale.sale.url import open_url

    async with typed.sale() as sale, open_url(sale, notes(), one_pod=True) as address:
        show(address)
        sys.stdout.flush()  # whoever reads it through a pipe needs it now
        if isinstance(address, TunnelUrl):
            await asyncio.Event().wait()
