"""`flashsale status`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from flashsale.cli.global_options import Shared
    from flashsale.sale.status import SaleStatus


def status(ctx: typer.Context) -> None:
    """Show the ReplicaSet, its pods and the Service, as kubectl does.

    `-o wide` adds what `kubectl get -o wide` adds: addresses and nodes, images and selectors.
    """
    from flashsale.cli.event_loop import run
    from flashsale.cli.global_options import shared
    from flashsale.cli.output import note, out, out_json
    from flashsale.ui.kubectl_tables import status_view

    typed = shared(ctx, outputs=("json", "wide"))
    found = run(_found(typed))
    if typed.json:
        out_json(found.as_json(time.time()))
    else:
        out(status_view(found, time.time(), wide=typed.output == "wide"))
    if found.trouble:
        note(found.trouble)


async def _found(typed: Shared) -> SaleStatus:
    from flashsale.cli.output import after_a_second
    from flashsale.sale import status as showing
    from flashsale.sale.session import connect_to_sale

    async with (
        after_a_second("Asking the cluster ..."),
        connect_to_sale(typed.wanted, typed.namespace) as sale,
    ):
        return await showing.status(sale)
