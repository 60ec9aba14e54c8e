"""`flashsale load`."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flashsale.cli import common_options

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from flashsale.cli.global_options import Shared
    from flashsale.load.coordinator import Observer
    from flashsale.load.plan import LoadPlan
    from flashsale.load.results import LoadProgress, Report

    Done = tuple[Report, int]  # and the exit code of what ended it early

LINE_EVERY = 5.0  # seconds between lines where there is no terminal


def load(
    ctx: typer.Context,
    rate: common_options.Rate = 100.0,
    duration: Annotated[
        str, typer.Option("--for", metavar="TIME", help="How long new buyers come.")
    ] = "30s",
    keepalive: Annotated[
        bool,
        typer.Option("--keepalive", help="Share kept connections, which skews the pods' shares."),
    ] = False,
    arrivals: Annotated[
        str, typer.Option("--arrivals", metavar="even|poisson", help="How buyers are spaced.")
    ] = "even",
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="Repeat the same poisson arrivals.")
    ] = 0,
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="TIME", help="How long a buyer waits.")
    ] = "5s",
    url: Annotated[
        str | None,
        typer.Option("--url", metavar="URL", help="Send to this address, not to the open sale."),
    ] = None,
) -> None:
    """Send buyers on a schedule, and count what becomes of every purchase."""
    from flashsale.cli.event_loop import run
    from flashsale.cli.global_options import shared
    from flashsale.cli.output import out_json
    from flashsale.cli.parsers import duration as seconds
    from flashsale.load.fairness import shares

    typed = shared(ctx)
    wishes = {
        "rate": rate,
        "seconds": seconds(duration, "--for"),
        "arrivals": arrival_kind(arrivals),
        "seed": seed,
        "keepalive": keepalive,
        "timeout": seconds(timeout, "--timeout"),
    }
    report, code = run(_loaded(typed, url, wishes))
    verdict = shares(report)
    if typed.json:
        out_json({**report.figures.to_json(), "shares": verdict.to_json()})
    else:
        _print(report, verdict.text)
    if report.interrupted:
        raise typer.Exit(code)


def arrival_kind(text: str) -> str:
    """Read the value of `--arrivals`."""
    from flashsale.base.errors import BadInputError

    if text not in ("even", "poisson"):
        raise BadInputError(
            f"--arrivals must be even or poisson, not '{text}'.",
            hint="flashsale load --arrivals poisson",
        )
    return text


async def _loaded(typed: Shared, url: str | None, wishes: dict[str, Any]) -> Done:
    """Find the sale, send the crowd, and hold on to the way there meanwhile."""
    from flashsale.base.text import number
    from flashsale.cli.output import note
    from flashsale.load.plan import LoadPlan
    from flashsale.load.target import find_target

    async with _address(typed, url) as address:
        target = find_target(address, allow_remote=typed.allow_remote)
        plan = LoadPlan(target=target, **wishes)
        buyers = "purchase a second" if plan.rate == 1 else "purchases a second"
        note(f"{number(plan.rate)} {buyers} for {number(plan.seconds)} s to {target.url}")
        return await _sent(plan)


@asynccontextmanager
async def _address(typed: Shared, url: str | None) -> AsyncIterator[str]:
    """Give the address that was typed, or the open sale's for as long as it is held."""
    if url is not None:
        yield url
        return
    from flashsale.cli.output import notes
    from flashsale.objects.models import Service
    from flashsale.sale.ready.endpoint_check import refuse_if_port_taken
    from flashsale.sale.session import connect_to_sale

    async with connect_to_sale(typed.wanted, typed.namespace) as sale:
        found = await sale.service_object()
        async with sale.cluster.reach(Service.from_object(found), notes()) as address:
            await refuse_if_port_taken(sale, found, address)
            yield address


async def _sent(plan: LoadPlan) -> Done:
    """Send everything, showing how it goes; the first signal ends it early, the second at once."""
    import asyncio

    from flashsale.cli.event_loop import interruptible
    from flashsale.clusters.state.directory import state_home
    from flashsale.load.coordinator import run
    from flashsale.load.status_file import Announcer

    stop, task = asyncio.Event(), asyncio.current_task()
    assert task is not None
    with (
        interruptible(stop, task, terminable=True) as heard,
        _board() as show,
        Announcer(state_home(), show) as told,
    ):
        report = await run(plan, observer=told, stop=stop)
    return report, heard[0] if heard else 0


@contextmanager
def _board() -> Iterator[Observer]:
    """Give an observer that draws on a terminal, and elsewhere writes a line now and then."""
    import sys

    from flashsale.ui import load as views
    from flashsale.ui.console import console, moving

    if not moving(sys.stderr):
        yield _liner()
        return
    from rich.live import Live

    with Live(console=console(sys.stderr), auto_refresh=False, transient=True) as live:
        yield lambda progress: live.update(views.live(progress), refresh=True)


def _liner() -> Observer:
    from flashsale.cli.output import note
    from flashsale.ui import load as views

    due = LINE_EVERY

    def show(progress: LoadProgress) -> None:
        nonlocal due
        if progress.elapsed >= due:
            due += LINE_EVERY
            note(views.line(progress))

    return show


def _print(report: Report, verdict: str) -> None:
    import sys

    from flashsale.load.machine_limits import own_limits
    from flashsale.ui import load as views
    from flashsale.ui.console import printed

    shown = views.summary(report.figures, verdict, own_limits(report.figures))
    printed(shown, sys.stdout)
