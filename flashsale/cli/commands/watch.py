"""`flashsale watch`."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flashsale.cli.event_loop import run
from flashsale.cli.options.global_options import Shared, shared
from flashsale.cli.options.parsers import parse_duration
from flashsale.cli.output import logs_held, out_json
from flashsale.clusters.state.directory import state_home
from flashsale.ui.console import moving

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flashsale.sale.observe.monitor import SaleMonitor
    from flashsale.sale.observe.state import Update
    from flashsale.sale.session import Sale
    from flashsale.ui.watch.view_model import Board


def watch(
    ctx: typer.Context,
    duration: Annotated[
        str | None,
        typer.Option(
            "--for", metavar="TIME", help="End after this time.  [default: with q or Ctrl-C]"
        ),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Print the state once.")] = False,
) -> None:
    """Watch the pods live: which one dies, what replaces it, and how long that takes.

    On a terminal: q ends it, the arrow keys choose a pod, k kills it, + and - scale, ? lists all
    keys. Elsewhere, and with -o json, each change is a line.
    """
    typed = shared(ctx)
    run(_watch(typed, parse_duration(duration) if duration else None, once))


async def _watch(typed: Shared, duration: float | None, once: bool) -> None:
    """Choose the form: one picture, JSON lines, a screen, or plain lines."""
    from flashsale.sale.observe.monitor import SaleMonitor
    from flashsale.ui.watch.view_model import Board, Place

    async with typed.sale() as sale:
        await sale.replicaset()  # it is really there
        timing = (await sale.cluster.node_timing(sale.api)).describe()
        board = Board(Place(sale.cluster.context, sale.namespace, node_timing=timing))
        monitor = SaleMonitor.of(sale, needs_cluster=False, needs_replicaset=False, nodes=True)
        if typed.json:
            await _write_json(monitor, board, duration, once=once)
        elif once:
            await _print_once(sale, monitor, board)
        elif moving(sys.stdout):
            await _show(sale, monitor, board, duration)
        else:
            await _write_lines(monitor, board, duration)


async def _show(sale: Sale, monitor: SaleMonitor, board: Board, duration: float | None) -> None:
    """Draw it on the terminal until somebody quits."""
    from flashsale.sale.url import follow_url
    from flashsale.ui.watch import watch_session
    from flashsale.ui.watch.keys.key_actions import key_actions
    from flashsale.ui.watch.load_status import Buyers
    from flashsale.ui.watch.screen import Screen

    view = watch_session.WatchSession(
        monitor, board, Screen(sys.stdout), key_actions(monitor), buyers=Buyers(state_home())
    )
    try:
        with logs_held():
            async with monitor, follow_url(monitor, view.set_url):
                await view.run(duration)
    finally:
        watch_session.print_last(view.board)


async def _print_once(sale: Sale, monitor: SaleMonitor, board: Board) -> None:
    from flashsale.sale.url import find_url
    from flashsale.ui.watch import watch_session

    writer = watch_session.LineWriter(board, lambda *_: None)
    monitor.add_observer(writer.see)
    async with monitor:
        service = (await monitor.until_synced()).service
    url = (await find_url(sale, service))[0] if service else ""
    place = replace(board.place, url=url)
    watch_session.print_once(replace(writer.board, place=place))


async def _write_json(
    monitor: SaleMonitor, board: Board, duration: float | None, *, once: bool
) -> None:
    """Write each change as one JSON object a line."""
    import time

    from flashsale.ui.watch.plain_output import json_lines, unfinished_lines
    from flashsale.ui.watch.watch_session import LineWriter

    def write(before: Board, after: Board, update: Update, wall: float) -> None:
        _print_json(json_lines(before, after, update, wall))

    writer = LineWriter(board, write)
    await _run(monitor, writer.see, duration, once=once)
    _print_json(unfinished_lines(writer.board, time.time()))


async def _write_lines(monitor: SaleMonitor, board: Board, duration: float | None) -> None:
    """Write each change as a line for people."""
    from flashsale.ui.watch.plain_output import plain_lines
    from flashsale.ui.watch.watch_session import LineWriter

    def write(before: Board, after: Board, update: Update, wall: float) -> None:
        for line in plain_lines(before, after, update, wall):
            sys.stdout.write(line + "\n")
        sys.stdout.flush()

    await _run(monitor, LineWriter(board, write).see, duration)


async def _run(
    monitor: SaleMonitor, observer: Any, duration: float | None, *, once: bool = False
) -> None:
    """Run the monitor for so many seconds, or until everything that is there is known."""
    monitor.add_observer(observer)
    async with monitor:
        try:
            await monitor.until(lambda _: once, duration)
        except TimeoutError:
            return


def _print_json(lines: Iterable[dict[str, Any]]) -> None:
    for line in lines:
        out_json(line, line=True)
