"""`flashsale load`."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from flashsale.base.errors import BadInputError, FlashsaleError
from flashsale.base.ranges import check_range
from flashsale.base.text import plain_number
from flashsale.cli.event_loop import interruptible, run
from flashsale.cli.options import common_options
from flashsale.cli.options.crowd_options import (
    CrowdOptions,
    crowd_of,
    read_crowd_options,
    refuse_without_jobs,
    service_target,
    typed_target,
)
from flashsale.cli.options.global_options import Shared, shared
from flashsale.cli.options.parsers import parse_duration
from flashsale.cli.output import note, notes, out_json
from flashsale.clusters.state.directory import state_home
from flashsale.ui.console import console, moving, printed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from flashsale.load.plan import LoadPlan
    from flashsale.load.results import Figures, LoadProgress, Report
    from flashsale.load.tracking import LoadObserver, RunLoad
    from flashsale.sale.session import Sale

LINE_EVERY = 5.0  # seconds between lines where there is no terminal


class Finished(NamedTuple):
    """A load that is over."""

    report: Report
    signal_code: int  # the exit code of the signal that ended it early, or 0
    failure: FlashsaleError | None  # why nothing was confirmed


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
    max_lost: Annotated[
        int | None,
        typer.Option("--max-lost", metavar="N", help="Fail when more purchases are lost."),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option("--url", metavar="URL", help="Send to this address, not to the open sale."),
    ] = None,
    in_cluster: common_options.InCluster = False,
    workers: common_options.Workers = None,
    worker_image: common_options.WorkerImage = None,
    node_selector: common_options.NodeSelector = None,
) -> None:
    """Send buyers on a schedule, and count what becomes of every purchase."""
    typed = shared(ctx)
    crowd = read_crowd_options("load", in_cluster, workers, worker_image, node_selector)
    options = {
        "rate": rate,
        "seconds": parse_duration(duration, "--for"),
        "arrivals": arrival_kind(arrivals),
        "seed": seed,
        "keepalive": keepalive,
        "timeout": parse_duration(timeout, "--timeout"),
    }
    check_range("--max-lost", max_lost, 0, hint="flashsale load --max-lost 0")
    finished = run(
        _run_in_cluster(typed, url, options, crowd)
        if in_cluster
        else _run_load(typed, url, options)
    )
    _print(typed, finished.report)
    if finished.report.interrupted:
        raise typer.Exit(finished.signal_code)
    if failure := finished.failure or too_many_lost(finished.report.figures, max_lost):
        raise failure


def too_many_lost(figures: Figures, max_lost: int | None) -> FlashsaleError | None:
    """Make the error of a load that lost more than allowed; by default any number is allowed."""
    from flashsale.load.results import purchases_lost_error

    if max_lost is None or figures.lost <= max_lost:
        return None
    return purchases_lost_error(figures.lost, max_lost, "flashsale drill")


def arrival_kind(text: str) -> str:
    if text not in ("even", "poisson"):
        raise BadInputError(
            f"--arrivals must be even or poisson, not '{text}'.",
            hint="flashsale load --arrivals poisson",
        )
    return text


async def _run_load(typed: Shared, url: str | None, options: dict[str, Any]) -> Finished:
    """Find the sale, send the purchases, and hold the connection to the sale meanwhile."""
    from flashsale.load.coordinator import run_load
    from flashsale.load.plan import LoadPlan
    from flashsale.load.target import find_target

    async with _open_address(typed, url) as (address, sale):
        target = find_target(address, allow_remote=typed.allow_remote)
        return await _send_and_judge(LoadPlan(target=target, **options), run_load, sale)


async def _run_in_cluster(
    typed: Shared, url: str | None, options: dict[str, Any], typed_crowd: CrowdOptions
) -> Finished:
    """Send from pods of the sale's cluster."""
    from flashsale.load.plan import LoadPlan

    async with typed.sale() as sale:
        refuse_without_jobs("load", sale)
        target = (
            typed_target(url, allow_remote=typed.allow_remote)
            if url
            else await service_target(sale)
        )
        plan = LoadPlan(target=target, **options)
        kept = plan.keepalive
        crowd = await crowd_of(sale, typed_crowd, plan.rate, keepalive=kept, progress=notes())
        return await _send_and_judge(plan, crowd.run, sale)


async def _send_and_judge(plan: LoadPlan, run_load: RunLoad, sale: Sale | None) -> Finished:
    """Say what will be sent, send it, and explain where nothing was confirmed."""
    purchases = "purchase" if plan.rate == 1 else "purchases"
    rate, seconds = plain_number(plan.rate), plain_number(plan.seconds)
    note(f"{rate} {purchases} a second for {seconds} s to {plan.target.url}")
    report, code = await _send(plan, run_load)
    figures = report.figures
    failure = None
    if figures.sent and not figures.confirmed and not report.interrupted:
        from flashsale.drill.preflight import nothing_confirmed_error  # only when it is needed

        failure = await nothing_confirmed_error(sale, plan.target.url, figures)
    return Finished(report, code, failure)


@asynccontextmanager
async def _open_address(typed: Shared, url: str | None) -> AsyncIterator[tuple[str, Sale | None]]:
    """Give the address that was typed, or the open sale's for as long as it is held."""
    if url is not None:
        yield url, None
        return
    from flashsale.sale.url import open_url

    async with typed.sale() as sale, open_url(sale, notes()) as address:
        yield address, sale


async def _send(plan: LoadPlan, run_load: RunLoad) -> tuple[Report, int]:
    """Send everything, showing how it goes; the first signal ends it early, the second at once."""
    import asyncio

    from flashsale.load.status_file import StatusFile

    stop = asyncio.Event()
    with (
        interruptible(stop, terminable=True) as signals,
        _board() as show,
        StatusFile(state_home(), show) as status,
    ):
        report = await run_load(plan, observer=status, stop=stop)
    return report, signals[0] if signals else 0


@contextmanager
def _board() -> Iterator[LoadObserver]:
    """Give an observer that draws on a terminal, and elsewhere writes a line now and then."""
    from flashsale.ui import load as views

    if not moving(sys.stderr):
        yield _liner()
        return
    from rich.live import Live

    with Live(console=console(sys.stderr), auto_refresh=False, transient=True) as live:
        yield lambda progress: live.update(views.live(progress), refresh=True)


def _liner() -> LoadObserver:
    from flashsale.ui import load as views

    due = LINE_EVERY

    def show(progress: LoadProgress) -> None:
        nonlocal due
        if progress.elapsed >= due:
            due += LINE_EVERY
            note(views.line(progress))

    return show


def _print(typed: Shared, report: Report) -> None:
    from flashsale.load.load_document import build_load_document
    from flashsale.ui import load as views

    document = build_load_document(report)
    if typed.json:
        out_json(document)
    else:
        printed(views.load_summary(document), sys.stdout)
