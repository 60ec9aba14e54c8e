"""`flashsale down`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from flashsale.base.errors import Hint, NoSaleError, RefusedError

if TYPE_CHECKING:
    from flashsale.cli.global_options import Shared
    from flashsale.sale.down import DownResult
    from flashsale.sale.purge import Purged

ELSEWHERE = Hint("flashsale down --context NAME", "if it is on another cluster")


def down(
    ctx: typer.Context,
    stop: Annotated[
        bool, typer.Option("--stop", help="Stop minikube too; the embedded cluster always stops.")
    ] = False,
    purge: Annotated[
        bool,
        typer.Option("--purge", help="Remove all that flashsale keeps, and print how much it was."),
    ] = False,
    ignore_not_found: Annotated[
        bool, typer.Option("--ignore-not-found", help="Exit with 0 where no sale is open.")
    ] = False,
) -> None:
    """Close the sale: remove its ReplicaSet, Service and pods."""
    from flashsale.cli.event_loop import run
    from flashsale.cli.global_options import shared
    from flashsale.cli.output import out, out_json
    from flashsale.ui.results import closed_view, purged_view

    typed = shared(ctx)
    closed = run(_close(typed, stop=stop, ignore_not_found=ignore_not_found or purge))
    purged = _purge() if purge else None
    if typed.json:
        out_json(closed.as_json() | ({"purged": purged.as_json()} if purged else {}))
    else:
        out("\n".join([closed_view(closed), *([purged_view(purged)] if purged else [])]))


async def _close(typed: Shared, *, stop: bool, ignore_not_found: bool) -> DownResult:
    from flashsale.cli.output import progress
    from flashsale.clusters.select import select_existing, select_for_down
    from flashsale.sale.down import DownResult, close

    try:
        choice = await (select_for_down if stop else select_existing)(typed.wanted)
    except NoSaleError as error:
        if ignore_not_found:
            return DownResult((), False, 0.0)
        error.hint = ELSEWHERE  # there is nothing to open first
        raise
    try:
        with progress() as shown:
            return await close(choice, typed.namespace, shown, stop=stop)
    except NoSaleError:
        if ignore_not_found:
            return DownResult((), False, 0.0)
        raise


def _purge() -> Purged:
    """Remove what flashsale keeps, unless something is still at work in it."""
    from flashsale.cli.event_loop import run
    from flashsale.clusters.select import ClusterOptions, select_existing
    from flashsale.clusters.state.directory import state_home
    from flashsale.sale.purge import purge

    try:
        run(select_existing(ClusterOptions()))
    except NoSaleError:
        return purge(state_home())
    raise RefusedError("Another sale is still open here.", hint="flashsale down --purge")
