"""`flashsale version`."""

from __future__ import annotations

import typer

from flashsale.base.errors import FlashsaleError
from flashsale.cli.event_loop import run
from flashsale.cli.options.global_options import Shared, shared
from flashsale.cli.output import print_result


def version(ctx: typer.Context) -> None:
    """Print the version of flashsale, and of the cluster."""
    from flashsale import __version__

    typed = shared(ctx)
    cluster = run(_server(typed))
    text = f"flashsale {__version__}" + (f"\nkubernetes {cluster}" if cluster else "")
    print_result(typed, {"flashsale": __version__, "cluster": cluster}, lambda: text)


async def _server(typed: Shared) -> str | None:
    """Ask the sale's cluster, if there is one that answers: the question is about us first."""
    try:
        async with typed.sale() as sale:
            return str((await sale.api.version()).get("gitVersion", ""))
    except FlashsaleError:
        if typed.wanted.anything:
            raise
        return None
