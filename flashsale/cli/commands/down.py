"""`flashsale down`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from flashsale.base.errors import ClusterUnreachableError, Hint, NoSaleError, RefusedError
from flashsale.base.text import begin_sentence
from flashsale.cli.event_loop import run
from flashsale.cli.options.global_options import Shared, shared
from flashsale.cli.output import print_result, progress
from flashsale.clusters.state.directory import state_home

if TYPE_CHECKING:
    from flashsale.base.image_names import RemovedImages
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
    from flashsale.ui.command_results import closed_view, purged_view

    typed = shared(ctx)
    lenient = ignore_not_found or purge
    closed, inside = run(_close(typed, stop=stop, purge=purge, ignore_not_found=lenient))
    purged = _purge(inside) if purge else None
    document = closed.as_json()
    if purged:
        document["purged"] = purged.as_json()
    more = f"\n{purged_view(purged)}" if purged else ""
    print_result(typed, document, lambda: closed_view(closed) + more)


async def _close(
    typed: Shared, *, stop: bool, purge: bool, ignore_not_found: bool
) -> tuple[DownResult, RemovedImages]:
    """Close the sale; returns what was removed, and which images of ours the cluster had.

    Those go before the cluster stops: a stopped one lets nobody remove them.
    """
    from flashsale.base.image_names import RemovedImages
    from flashsale.clusters.select import select_existing, select_for_down
    from flashsale.kube import ApiError
    from flashsale.sale.down import DownResult, close

    try:
        choice = await (select_for_down if stop else select_existing)(typed.wanted)
    except NoSaleError as error:
        if ignore_not_found:
            return DownResult((), False, 0.0), RemovedImages()
        error.hint = ELSEWHERE  # there is nothing to open first
        raise
    try:
        with progress() as shown:
            cluster = choice.cluster
            outlives = purge and not cluster.stops_with_sale
            later = outlives and await cluster.running()
            if outlives and not later:
                shown.note(
                    f"{begin_sentence(cluster.describe())} does not run:"
                    " images that were built in it stay there."
                )
            try:
                closed = await close(choice, typed.namespace, shown, stop=stop and not later)
            except (ApiError, ClusterUnreachableError) as error:
                if not (purge and cluster.stops_with_sale):
                    raise
                shown.note(f"{error} What it holds goes with all that is kept.")
                closed = DownResult((), await cluster.stop(shown), 0.0)
                choice.store.forget()
            if not later:
                return closed, RemovedImages()
            images = await cluster.remove_images(choice.record.image, shown)
            if stop:
                closed = replace(closed, stopped=await cluster.stop(shown))
            return closed, images
    except NoSaleError:
        if ignore_not_found:
            return DownResult((), False, 0.0), RemovedImages()
        raise


def _purge(inside: RemovedImages) -> Purged:
    """Remove what flashsale keeps if nothing works in it; ``inside`` went from the cluster."""
    from flashsale.clusters.select import ClusterOptions, select_existing
    from flashsale.sale.purge import purge, remove_docker_images

    try:
        run(select_existing(ClusterOptions()))
    except NoSaleError:
        home = state_home()
        images = run(remove_docker_images(home))
        return replace(purge(home), images=images.plus(inside))
    raise RefusedError("Another sale is still open here.", hint="flashsale down --purge")
