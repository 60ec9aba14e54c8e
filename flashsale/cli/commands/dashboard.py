"""`flashsale dashboard`."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Annotated

import typer

from flashsale.base.aio import in_thread
from flashsale.base.errors import FlashsaleError
from flashsale.base.files import replace_file
from flashsale.base.ranges import check_range
from flashsale.cli.event_loop import run
from flashsale.cli.hints import placed
from flashsale.cli.options.global_options import Shared, shared
from flashsale.cli.output import note, out, out_json
from flashsale.clusters.state.directory import state_home

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HIGHEST_PORT = 65535
FIRST_LOOK = 3.0  # seconds to find out whether there is a sale
OPENER = "dashboard.html"


def dashboard(
    ctx: typer.Context,
    port: Annotated[
        int | None,
        typer.Option("--port", metavar="N", help="Listen on this port.  [default: a free one]"),
    ] = None,
    no_open: Annotated[bool, typer.Option("--no-open", help="Open no browser.")] = False,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Show the sale, without buttons to change it.")
    ] = False,
) -> None:
    """Show the sale live in the browser, with buttons to kill, scale, load and drill.

    Listens on 127.0.0.1 alone, until Ctrl-C. The address holds a token: keep it to yourself.
    """
    check_range("--port", port, 1, HIGHEST_PORT, hint="flashsale dashboard --port 8080")
    run(_serve(shared(ctx), port or 0, browser=not no_open, read_only=read_only))


async def _serve(typed: Shared, port: int, *, browser: bool, read_only: bool) -> None:
    """Serve until a signal, or until something ends that no waiting mends."""
    import asyncio

    from flashsale.dashboard.actions import all_actions
    from flashsale.dashboard.follow import DashboardClock, SaleFollower
    from flashsale.dashboard.page_document import page_document
    from flashsale.dashboard.page_stream import Broadcast
    from flashsale.dashboard.runs import Runs
    from flashsale.dashboard.security import Guard
    from flashsale.dashboard.web_server import Dashboard, bind
    from flashsale.ui.report.page import drill_page

    clock, home = DashboardClock(), state_home()
    with bind(port) as sock:
        guard = Guard(sock.getsockname()[1])
        follower = SaleFollower(typed.sale, home)
        broadcast = Broadcast(
            lambda: page_document(follower.state, clock.now(), read_only=read_only)
        )
        follower.changed = broadcast.change
        runs = Runs(follower, typed.sale, home, allow_remote=typed.allow_remote)
        actions = {} if read_only else all_actions(follower, runs)
        served = Dashboard(
            guard,
            broadcast,
            actions,
            report=lambda: drill_page(runs.last_drill) if runs.last_drill else "",
            place_hint=lambda hint: placed(hint, typed),
        )
        async with served.listening(sock), runs, asyncio.TaskGroup() as group:
            group.create_task(follower.run(), name="dashboard: follow the sale")
            group.create_task(broadcast.run(), name="dashboard: broadcast")
            with suppress(TimeoutError):  # a refusal ends it here, and nobody is led to a dead page
                await asyncio.wait_for(follower.looked.wait(), FIRST_LOOK)
            _show_address(typed, guard.address)
            async with _opened(guard.address, wanted=browser):
                await asyncio.Event().wait()


def _show_address(typed: Shared, address: str) -> None:
    if typed.json:
        out_json({"url": address}, line=True)
    else:
        out(address)
    sys.stdout.flush()
    note("Serving the dashboard until Ctrl-C.")


def opener(address: str) -> str:
    return f'<meta http-equiv="refresh" content="0;url={address}">\n'


@asynccontextmanager
async def _opened(address: str, *, wanted: bool) -> AsyncIterator[None]:
    """Show the address in the browser, where there is one.

    It travels in a file of our user's: other users of the machine see what programs are called
    with, and the address is a secret. Opening takes a thread: a browser that is only starting is
    waited for, and asks this server meanwhile.
    """
    from flashsale.cli.commands.open_ import browse

    if not wanted:
        yield
        return
    file = state_home() / OPENER
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, opener(address))
        await in_thread(lambda: browse(file.as_uri()))
    except (FlashsaleError, OSError):
        note("There is no browser here to open: open the address above in one.")
    try:
        yield
    finally:
        with suppress(OSError):
            file.unlink(missing_ok=True)
