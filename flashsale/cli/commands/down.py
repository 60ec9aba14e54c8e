"""`flashsale down`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from flashsale.base.errors import NoSaleError

if TYPE_CHECKING:
    from flashsale.cli.global_options import Shared
    from flashsale.sale.down import DownResult

ELSEWHERE = "if it is on another cluster: flashsale down --context NAME"


def down(
    ctx: typer.Context,
    stop: Annotated[
        bool, typer.Option("--stop", help="Stop minikube too; the embedded cluster always stops.")
    ] = False,
) -> None:
    """Close the sale: remove its ReplicaSet, Service and pods."""
    from flashsale.cli.event_loop import run
    from flashsale.cli.global_options import shared
    from flashsale.cli.output import out, out_json
    from flashsale.ui.results import closed_view

    typed = shared(ctx)
    closed = run(_closed(typed, stop))
    if typed.json:
        out_json(closed.as_json())
    else:
        out(closed_view(closed))


async def _closed(typed: Shared, stop: bool) -> DownResult:
    from flashsale.cli.output import progress
    from flashsale.clusters.select import select_existing, select_for_down
    from flashsale.sale.down import close

    try:
        choice = await (select_for_down if stop else select_existing)(typed.wanted)
    except NoSaleError as error:
        error.hint = ELSEWHERE  # there is nothing to open first
        raise
    with progress() as shown:
        return await close(choice, typed.namespace, shown, stop=stop)
