"""`flashsale kill-node`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from flashsale.base.text import counted
from flashsale.cli import output
from flashsale.cli.event_loop import run
from flashsale.cli.options import parsers
from flashsale.cli.options.global_options import Shared, shared
from flashsale.cli.output import looking, note, progress
from flashsale.ui.console import width

if TYPE_CHECKING:
    from flashsale.sale.kill.kill_node import NodeKill


def kill_node(
    ctx: typer.Context,
    node: Annotated[
        str | None,
        typer.Argument(
            metavar="NODE", help="Name of the node.  [default: a random one with pods of the sale]"
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed", metavar="N", help="Choose the same node every time.  [default: at random]"
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print which node would be killed.")
    ] = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Do not wait for the replacements.")
    ] = False,
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="TIME", help="How long to wait for replacements.")
    ] = "10m",
) -> None:
    """Cut a node's power, and follow its pods until each has a ready replacement.

    Kubernetes waits 50 s for a sign of life, and 300 s more before it replaces the pods. The only
    control plane is never killed.
    """
    from flashsale.ui.command_results import node_kill_view

    typed = shared(ctx)
    patience = parsers.parse_duration(timeout, "--timeout")
    killed = run(_kill(typed, node, seed, dry_run=dry_run, wait=not no_wait, timeout=patience))
    if typed.json:
        output.out_json(killed.as_json())
    elif dry_run:
        output.out(f"{killed.node} would be killed, with {_pods(killed)} (dry run)")
    elif no_wait:
        output.out(f"{killed.node} killed, with {_pods(killed)}")
    else:
        output.out(node_kill_view(killed, width(sys.stdout)))


async def _kill(
    typed: Shared, name: str | None, seed: int | None, *, dry_run: bool, wait: bool, timeout: float
) -> NodeKill:
    import random

    from flashsale.sale.kill.kill import unfollowed_healings
    from flashsale.sale.kill.kill_node import NodeKill, choose_living_node, kill_node, staying_on
    from flashsale.sale.observe.monitor import SaleMonitor
    from flashsale.ui.command_results import NodeNotes

    async with typed.sale() as sale:
        own = await sale.own_pods()
        node = await choose_living_node(sale, own, name=name, rng=random.Random(seed))
        there = staying_on(own, node.name)
        unfollowed = NodeKill(node.name, pods=tuple(unfollowed_healings(there, "deleted")))
        if dry_run:
            return unfollowed
        with progress() as shown:
            shown.step(f"Killing the node {node.name}")
            if not wait:
                await sale.cluster.kill_node(sale.api, node.name, shown)
                return unfollowed
            timing = await sale.cluster.node_timing(sale.api)
            if words := timing.describe():
                note(words)
            notes = NodeNotes(shown.note, {pod.uid for pod in there})
            async with SaleMonitor.of(sale, notes.see, *looking(shown)) as monitor:
                return await kill_node(monitor, node, shown, timeout=timeout)


def _pods(killed: NodeKill) -> str:
    return counted(len(killed.pods), "pod")
