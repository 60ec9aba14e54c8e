"""`flashsale start-node`."""

from __future__ import annotations

from typing import Annotated

import typer

from flashsale.cli import output
from flashsale.cli.event_loop import run
from flashsale.cli.options import common_options, parsers
from flashsale.cli.options.global_options import Shared, shared
from flashsale.cli.output import progress

RAN = 0.0  # seconds until a node is ready that was not stopped


def start_node(
    ctx: typer.Context,
    node: Annotated[str, typer.Argument(metavar="NODE", help="Name of the node.")],
    no_wait: common_options.NoWait = False,
    timeout: common_options.Patience = "120s",
) -> None:
    """Start a node that was killed, and wait until it is ready."""
    typed = shared(ctx)
    patience = parsers.parse_duration(timeout, "--timeout")
    seconds = run(_start(typed, node, wait=not no_wait, timeout=patience))
    if typed.json:
        taken = None if seconds is None else round(seconds, 3)
        output.out_json({"node": node, "ready_seconds": taken})
    elif seconds == RAN:
        output.out(f"{node} runs already")
    elif seconds is None:
        output.out(f"{node} started")
    else:
        output.out(f"{node} is ready after {seconds:.1f} s")


async def _start(typed: Shared, name: str, *, wait: bool, timeout: float) -> float | None:
    from flashsale.sale.kill.kill_node import start_node, wait_until_node_ready

    async with typed.sale() as sale:
        await sale.cluster.check_node_kill()
        with progress() as shown:
            if not await start_node(sale, name, shown):
                return RAN
            return await wait_until_node_ready(sale, name, timeout=timeout) if wait else None
