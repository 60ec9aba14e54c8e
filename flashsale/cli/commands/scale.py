"""`flashsale scale`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from flashsale.cli import common_options, parsers

if TYPE_CHECKING:
    from flashsale.cli.global_options import Shared
    from flashsale.sale.scale import Scaling


def scale(
    ctx: typer.Context,
    replicas: Annotated[str, typer.Argument(metavar="N", help="How many pods to keep, 0 to 100.")],
    no_wait: common_options.NoWait = False,
    timeout: common_options.Patience = "120s",
) -> None:
    """Change how many pods Kubernetes keeps alive."""
    from flashsale.cli.event_loop import run
    from flashsale.cli.global_options import shared
    from flashsale.cli.output import out, out_json
    from flashsale.ui.results import scaled_view

    typed, count = shared(ctx), parsers.replica_count(replicas)
    name, scaling = run(
        _scale(typed, count, wait=not no_wait, timeout=parsers.duration(timeout, "--timeout"))
    )
    if typed.json:
        out_json(scaling.as_json())
    else:
        out(scaled_view(name, scaling, waited=not no_wait))


async def _scale(
    typed: Shared, replicas: int, *, wait: bool, timeout: float
) -> tuple[str, Scaling]:
    from flashsale.sale.scale import scale as change
    from flashsale.sale.session import connect_to_sale

    async with connect_to_sale(typed.wanted, typed.namespace) as sale:
        if not wait:
            return sale.name, await change(sale, replicas, wait=False)
        from flashsale.cli.output import looking, progress

        with progress() as shown:
            shown.step(f"Scaling {sale.name} to {replicas}")
            view = looking(shown)
            tell = view.sight if view else None
            scaling = await change(sale, replicas, timeout=timeout, tell=tell)
        return sale.name, scaling
