"""`flashsale status`."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from flashsale.base.errors import BadInputError
from flashsale.cli.event_loop import run
from flashsale.cli.options.global_options import Shared, shared
from flashsale.cli.output import after_a_second, note, print_result
from flashsale.ui.console import width

if TYPE_CHECKING:
    from flashsale.sale.status import SaleInNamespace, SaleStatus


def status(
    ctx: typer.Context,
    everywhere: Annotated[
        bool, typer.Option("--all-namespaces", "-A", help="List the sales of all namespaces.")
    ] = False,
) -> None:
    """Show the ReplicaSet, its pods and the Service, as kubectl does.

    `-o wide` adds what `kubectl get -o wide` adds: addresses and nodes, images and selectors.
    """
    from flashsale.ui.kubectl_tables import sales_table, status_view

    typed = shared(ctx)
    if everywhere:
        if typed.namespace:
            raise BadInputError("Give only one of -A, -n.", hint="flashsale status -A")
        sales = run(_find_all(typed))
        document = [sale.as_json() for sale in sales]
        print_result(typed, document, lambda: sales_table(sales, time.time()))
        return
    found, now = run(_find(typed)), time.time()
    wide, columns = typed.output == "wide", width(sys.stdout)

    def view() -> str:
        return status_view(found, now, wide=wide, width=columns)

    print_result(typed, found.as_json(now), view)
    if found.trouble:
        note(found.trouble)


async def _find(typed: Shared) -> SaleStatus:
    from flashsale.sale import status as sale_status

    async with after_a_second("Asking the cluster ..."), typed.sale() as sale:
        found = await sale_status.status(sale)
        return await sale_status.with_nodes(sale, found) if typed.output == "wide" else found


async def _find_all(typed: Shared) -> list[SaleInNamespace]:
    from flashsale.sale.status import all_sales

    async with after_a_second("Asking the cluster ..."), typed.sale() as sale:
        return await all_sales(sale)
