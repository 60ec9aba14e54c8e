"""`flashsale drill`."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flashsale.base.errors import CTRL_C, FlashsaleError, Hint
from flashsale.cli.event_loop import interruptible, run
from flashsale.cli.hints import placed
from flashsale.cli.options import common_options
from flashsale.cli.options.crowd_options import (
    CrowdOptions,
    crowd_of,
    read_crowd_options,
    refuse_without_jobs,
    service_target,
)
from flashsale.cli.options.global_options import Shared, shared
from flashsale.cli.options.parsers import parse_duration
from flashsale.cli.options.report_files import check_report_files, write_reports
from flashsale.cli.output import note, notes, out_json, print_result
from flashsale.clusters.state.directory import state_home
from flashsale.ui.console import console, filled, moving, printed, width

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from flashsale.drill.preflight import WayToSale
    from flashsale.drill.report.drill_document import Document
    from flashsale.drill.result import DrillResult
    from flashsale.drill.runner import DrillProgress, Observers
    from flashsale.drill.scenario import DrillStep, Scenario
    from flashsale.load.tracking import LoadObserver
    from flashsale.sale.session import Sale

    Finished = tuple[DrillResult, FlashsaleError | None]

FORMATS = (".html", ".md", ".json")


@dataclass(frozen=True, slots=True)
class DrillOptions:
    """What was typed, apart from the scenario."""

    typed: Shared
    reports: tuple[Path, ...]
    dry_run: bool
    crowd: CrowdOptions


def drill(
    ctx: typer.Context,
    rate: common_options.Rate = 100.0,
    kills: Annotated[int, typer.Option("--kills", metavar="N", help="How many pods to kill.")] = 3,
    every: Annotated[
        str,
        typer.Option(
            "--every",
            metavar="TIME",
            help="Time from kill to kill; longer where healing takes longer.",
        ),
    ] = "8s",
    scale: Annotated[
        int, typer.Option("--scale", metavar="N", help="How many pods to keep meanwhile.")
    ] = 5,
    grace: common_options.Grace = None,
    hard: common_options.Hard = False,
    process: common_options.Process = False,
    kill_node: Annotated[
        bool,
        typer.Option("--kill-node", help="Then let a node die, and bring it back; see kill-node."),
    ] = False,
    keep_ready: Annotated[
        int,
        typer.Option("--keep-ready", metavar="N", help="How many ready pods a kill must leave."),
    ] = 1,
    calm: Annotated[
        str,
        typer.Option(
            "--calm", metavar="TIME", help="Time of load alone: first, after scaling, last."
        ),
    ] = "5s",
    max_lost: Annotated[
        int, typer.Option("--max-lost", metavar="N", help="How many lost purchases still pass.")
    ] = 0,
    seed: common_options.Seed = None,
    timeout: Annotated[
        str,
        typer.Option("--timeout", metavar="TIME", help="How long to wait for each replacement."),
    ] = "120s",
    in_cluster: common_options.InCluster = False,
    workers: common_options.Workers = None,
    worker_image: common_options.WorkerImage = None,
    node_selector: common_options.NodeSelector = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print the plan.")] = False,
    report: Annotated[
        list[Path] | None,
        typer.Option(
            "--report", metavar="FILE", help="Write a report, .html, .md or .json; may be repeated."
        ),
    ] = None,
    compare: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            "--compare",
            metavar="A.json B.json",
            help="Print two reports side by side, instead of a drill.",
        ),
    ] = None,
) -> None:
    """Load the sale while it scales and kills pods, and judge what that cost."""
    from random import randrange

    from flashsale.drill.scenario import Scenario

    typed = shared(ctx)
    reports = check_report_files(report or [], FORMATS, "flashsale drill --report drill.html")
    crowd = read_crowd_options("drill", in_cluster, workers, worker_image, node_selector)
    if compare:
        _compare(typed, *compare, reports)
        return
    scenario = Scenario(
        rate=rate,
        kills=kills,
        every=parse_duration(every, "--every"),
        scale_to=scale,
        kill_method=common_options.read_kill_method(
            "drill", grace=grace, hard=hard, process=process
        ),
        keep_ready=keep_ready,
        calm=parse_duration(calm, "--calm"),
        seed=randrange(1_000_000) if seed is None else seed,  # the report names it
        timeout=parse_duration(timeout, "--timeout"),
        max_lost=max_lost,
        kill_node=kill_node,
    )
    options = DrillOptions(typed, reports, dry_run, crowd)
    finished = run(_plan_and_run(options, scenario))
    if finished:
        _finish(options, *finished)


async def _plan_and_run(options: DrillOptions, scenario: Scenario) -> Finished | None:
    """Plan, and unless that is all, carry it out."""
    from flashsale.drill.scenario import plan_as_json, plan_steps
    from flashsale.sale.kill.kill_node import check_node_death
    from flashsale.ui.drill.sentences import plan_view

    typed = options.typed
    async with typed.sale() as sale:
        replicas = await sale.desired()
        if options.crowd.in_cluster:
            refuse_without_jobs("drill", sale)
        wait = await check_node_death(sale) if scenario.kill_node else 0.0
        plan = plan_steps(scenario, replicas, wait)
        text = plan_view(scenario, plan, replicas, sale.cluster.context)
        if options.dry_run:
            document = {"plan": plan_as_json(plan), "seed": scenario.seed}
            print_result(typed, document, lambda: filled(text, width(sys.stdout)))
            return None
        note(text + "\n")
        if scenario.kill_node and (timing := await sale.cluster.node_timing(sale.api)).describe():
            note(timing.describe() + "\n")
        return await _run(options, sale, scenario, plan)


async def _run(
    options: DrillOptions, sale: Sale, scenario: Scenario, plan: tuple[DrillStep, ...]
) -> Finished:
    import asyncio

    from flashsale.drill.environment import read_environment
    from flashsale.drill.runner import run_drill

    async with _way_to_sale(options, sale, scenario.rate) as way:
        environment = await read_environment(sale, way.url)
        stop = asyncio.Event()
        with interruptible(stop), _live_view(sale, way.url) as observers:
            return await run_drill(
                sale, way, environment, scenario, plan, observers=observers, stop=stop
            )


@asynccontextmanager
async def _way_to_sale(options: DrillOptions, sale: Sale, rate: float) -> AsyncIterator[WayToSale]:
    """Give the way by which purchases go, for as long as it is held."""
    from flashsale.drill.preflight import WayToSale
    from flashsale.load.coordinator import run_load
    from flashsale.load.target import find_target
    from flashsale.sale.url import open_url

    if options.crowd.in_cluster:
        target = await service_target(sale)
        crowd = await crowd_of(sale, options.crowd, rate, keepalive=False, progress=notes())
        yield WayToSale(f"http://{target.host}", target, crowd.run, from_here=False)
        return
    async with open_url(sale, notes()) as url:
        target = find_target(url, allow_remote=options.typed.allow_remote)
        yield WayToSale(url, target, run_load)


@contextmanager
def _live_view(sale: Sale, url: str) -> Iterator[Observers]:
    """Show the drill as it goes: live on a terminal, in plain lines elsewhere; always on stderr."""
    from flashsale.load.status_file import StatusFile
    from flashsale.ui.drill.live import LiveDrill, PlainDrill

    stderr = console(sys.stderr)
    with StatusFile(state_home(), lambda progress: None) as status:
        if not moving(sys.stderr):
            yield _with_status(PlainDrill(stderr).observers, status)
            return
        with LiveDrill(stderr, sale.cluster.context, sale.namespace, url) as view:
            yield _with_status(view.observers, status)


def _with_status(observers: Observers, status: LoadObserver) -> Observers:
    """Let a `flashsale watch` in another window know of the load, too."""

    def on_progress(progress: DrillProgress) -> None:
        status(progress.load)
        observers.on_progress(progress)

    return replace(observers, on_progress=on_progress)


def _finish(options: DrillOptions, result: DrillResult, error: FlashsaleError | None) -> None:
    """Judge, write the reports, print the result, and leave with the exit code that fits."""
    from flashsale.drill import past_drills
    from flashsale.drill.analysis.verdict import analyse
    from flashsale.drill.report.drill_document import build_drill_document
    from flashsale.ui.drill.sentences import drill_summary, repeat_command
    from flashsale.ui.report import markdown, page

    drill = build_drill_document(result, analyse(result))
    again = Hint(repeat_command(drill["scenario"]))
    drill["command"] = placed(again, options.typed).command
    past_drills.remember(state_home(), drill)
    if options.typed.json:
        out_json(drill)
    else:
        printed(drill_summary(drill, width(sys.stdout)), sys.stdout)
    writers = {".html": page.drill_page, ".md": markdown.drill_report}
    write_reports(options.reports, drill, writers)
    if result.ended == "interrupted":
        raise typer.Exit(CTRL_C)
    _raise_unless_passed(drill, error)


def _raise_unless_passed(drill: Document, error: FlashsaleError | None) -> None:
    """Leave with 7 when too many were lost, and with 1 when the drill has shown nothing."""
    from flashsale.load.results import purchases_lost_error

    if drill["verdict"] == "inconclusive":
        hint, details = (error.hint, error.details) if error else ("flashsale status", "")
        raise FlashsaleError(drill["reason"], hint=hint, details=details) from error
    if drill["verdict"] == "fail":
        lost, scenario = drill["load"]["lost"], drill["scenario"]
        raise purchases_lost_error(lost, scenario["max_lost"], _cure(drill))


def _cure(drill: Document) -> Hint:
    """Choose what to look at: the sale where it loses by itself, else the manifest or the kills."""
    lost = drill["load"]["lost"]
    if 2 * drill["attribution"]["baseline"] > lost:
        return Hint("flashsale logs", "shows why purchases are lost without a kill, too")
    if 2 * sum(death["lost"] for death in drill["node_deaths"]) > lost:
        return Hint("flashsale drill", "without --kill-node: what the pods' own deaths cost")
    graceful = not drill["scenario"]["process"] and drill["scenario"]["grace"] != 0
    if graceful:
        return Hint("flashsale manifest", "has a preStop sleep, which lets a pod finish its sales")
    return Hint("flashsale drill", "kills gracefully, so that a pod can finish its sales")


def _compare(typed: Shared, first: Path, second: Path, reports: Sequence[Path]) -> None:
    from flashsale.drill.report.compare import compare
    from flashsale.drill.report.drill_document import read_document
    from flashsale.ui.drill.sentences import comparison_view
    from flashsale.ui.report import markdown, page

    a, b = str(first), str(second)
    comparison = compare(read_document(first), read_document(second))
    columns = width(sys.stdout)
    print_result(typed, comparison, lambda: comparison_view(comparison, a, b, columns))
    writers = {
        ".html": lambda comparison: page.comparison_page(comparison, a, b),
        ".md": lambda comparison: markdown.comparison_report(comparison, a, b),
    }
    write_reports(reports, comparison, writers)
