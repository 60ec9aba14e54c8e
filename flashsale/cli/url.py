"""`flashsale url`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from flashsale.cli.shared import Shared


def url(ctx: typer.Context) -> None:
    """Print the sale's address, and nothing else."""
    from flashsale.cli.output import out, out_json
    from flashsale.cli.running import run
    from flashsale.cli.shared import shared

    typed = shared(ctx)
    address = run(sale_address(typed))
    if typed.json:
        out_json({"url": address})
    else:
        out(address)


async def sale_address(typed: Shared) -> str:
    """Find the address of the open sale."""
    from flashsale.exercise.sale import find

    async with (
        find(typed.wanted, typed.namespace) as sale,
        sale.cluster.reach(await sale.service()) as address,
    ):
        return address
