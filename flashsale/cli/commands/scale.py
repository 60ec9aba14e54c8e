"""`flashsale scale`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from flashsale.cli.event_loop import run
from flashsale.cli.options import common_options, parsers
from flashsale.cli.options.global_options import Shared, shared
from flashsale.cli.output import looking, note, print_result, progress

if TYPE_CHECKING:
    from flashsale.sale.scale import Scaling


def scale(
    ctx: typer.Context,
    replicas: Annotated[str, typer.Argument(metavar="N", help="How many pods to keep, 0 to 100.")],
    no_wait: common_options.NoWait = False,
    timeout: common_options.Patience = "120s",
) -> None:
    """Change how many pods Kubernetes keeps alive."""
    from flashsale.sale.replica_count import replica_count
    from flashsale.ui.command_results import scaled_view
    from flashsale.ui.console import width

    typed, count = shared(ctx), replica_count(replicas)
    name, scaling = run(
        _scale(typed, count, wait=not no_wait, timeout=parsers.parse_duration(timeout, "--timeout"))
    )

    def text() -> str:
        return scaled_view(name, scaling, waited=not no_wait, width=width(sys.stdout))

    print_result(typed, scaling.as_json(), text)


async def _scale(
    typed: Shared, replicas: int, *, wait: bool, timeout: float
) -> tuple[str, Scaling]:
    from flashsale.sale import scale as scaling

    async with typed.sale() as sale:
        if not wait:
            return sale.name, await scaling.set_replicas(sale, replicas)
        from flashsale.sale.observe.monitor import SaleMonitor

        with progress() as shown:
            shown.step(f"Scaling {sale.name} to {replicas}")
            async with SaleMonitor.of(sale, *looking(shown)) as monitor:
                done = await scaling.scale(monitor, replicas, timeout=timeout, note=note)
        return sale.name, done
