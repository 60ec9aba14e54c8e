"""`flashsale drill`."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flashsale.cli import common_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flashsale.base.errors import FlashsaleError
    from flashsale.cli.global_options import Shared
    from flashsale.drill.result import DrillResult
    from flashsale.drill.runner import Glance, Observers
    from flashsale.drill.scenario import Scenario, Step
    from flashsale.load.coordinator import Observer
    from flashsale.sale.session import Sale

    Done = tuple[DrillResult, FlashsaleError | None]

FORMATS = (".html", ".json")


@dataclass(frozen=True, slots=True)
class DrillOptions:
    """What was typed, apart from the scenario."""

    typed: Shared
    reports: tuple[Path, ...]
    dry_run: bool


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
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print the plan.")] = False,
    report: Annotated[
        list[Path] | None,
        typer.Option(
            "--report", metavar="FILE", help="Write a report, .html or .json; may be repeated."
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
    from flashsale.cli.event_loop import run
    from flashsale.cli.global_options import shared
    from flashsale.cli.parsers import duration
    from flashsale.drill.scenario import Scenario

    typed = shared(ctx)
    if compare:
        _compared(typed, *compare)
        return
    scenario = Scenario(
        rate=rate,
        kills=kills,
        every=duration(every, "--every"),
        scale_to=scale,
        blow=common_options.kill_method("drill", grace=grace, hard=hard, process=process),
        keep_ready=keep_ready,
        calm=duration(calm, "--calm"),
        seed=_seed(seed),
        timeout=duration(timeout, "--timeout"),
        max_lost=max_lost,
    )
    wish = DrillOptions(typed, _reports(report or []), dry_run)
    done = run(_drilled(wish, scenario))
    if done:
        from flashsale.cli.commands.drill_result import finish

        finish(wish.typed, wish.reports, *done)


def _seed(typed: int | None) -> int:
    """Draw a seed where none was typed, so that the report names one that repeats the drill."""
    import random

    return random.randrange(1_000_000) if typed is None else typed


def _reports(files: list[Path]) -> tuple[Path, ...]:
    """Check now what would only fail after a long drill.

    Raises:
        BadInputError: a file of another kind, or in no folder.
    """
    from flashsale.base.errors import BadInputError

    for file in files:
        if file.suffix not in FORMATS:
            raise BadInputError(
                f"--report writes .html or .json, not {file}.",
                hint="flashsale drill --report drill.html --report drill.json",
            )
        if not file.parent.is_dir() or file.is_dir():
            raise BadInputError(
                f"{file} cannot be written: there is no folder {file.parent}."
                if not file.parent.is_dir()
                else f"{file} is a folder.",
                hint=f"flashsale drill --report {file.name}",
            )
    return tuple(files)


async def _drilled(wish: DrillOptions, scenario: Scenario) -> Done | None:
    """Plan, and unless that is all, carry it out."""
    import sys

    from flashsale.cli.output import note, out, out_json
    from flashsale.drill.scenario import as_json, steps
    from flashsale.sale.session import connect_to_sale
    from flashsale.ui.console import filled, width
    from flashsale.ui.drill.text import plan_view

    async with connect_to_sale(wish.typed.wanted, wish.typed.namespace) as sale:
        replicas = int((await sale.replicaset())["spec"].get("replicas", 1))
        plan = steps(scenario, replicas)
        text = plan_view(scenario, plan, replicas, sale.cluster.context)
        if wish.dry_run:
            if wish.typed.json:
                out_json({"plan": as_json(plan), "seed": scenario.seed})
            else:
                out(filled(text, width(sys.stdout)))
            return None
        note(text + "\n")
        return await _carried_out(wish.typed, sale, scenario, plan)


async def _carried_out(
    typed: Shared, sale: Sale, scenario: Scenario, plan: tuple[Step, ...]
) -> Done:
    import asyncio

    from flashsale.cli.event_loop import interruptible
    from flashsale.cli.output import notes
    from flashsale.drill.environment import place
    from flashsale.drill.runner import run
    from flashsale.load.target import find_target
    from flashsale.objects.models import Service
    from flashsale.sale.ready.endpoint_check import refuse_if_port_taken

    found = await sale.service_object()
    async with sale.cluster.reach(Service.from_object(found), notes()) as url:
        await refuse_if_port_taken(sale, found, url)
        target = find_target(url, allow_remote=typed.allow_remote)
        where = await place(sale, url)
        stop, task = asyncio.Event(), asyncio.current_task()
        assert task is not None
        with interruptible(stop, task), _shown(sale, url) as audience:
            return await run(sale, target, where, scenario, plan, audience=audience, stop=stop)


@contextmanager
def _shown(sale: Sale, url: str) -> Iterator[Observers]:
    """Show the drill as it goes: live on a terminal, in plain lines elsewhere; always on stderr."""
    import sys

    from flashsale.clusters.state.directory import state_home
    from flashsale.load.status_file import Announcer
    from flashsale.ui.console import console, moving
    from flashsale.ui.drill.live import LiveDrill, PlainDrill

    shown_on = console(sys.stderr)
    with Announcer(state_home(), lambda progress: None) as announce:
        if not moving(sys.stderr):
            yield _announced(PlainDrill(shown_on).audience, announce)
            return
        with LiveDrill(shown_on, sale.cluster.context, sale.namespace, url) as shown:
            yield _announced(shown.audience, announce)


def _announced(audience: Observers, announce: Observer) -> Observers:
    """Let a `flashsale watch` in another window know of the load, too."""
    from dataclasses import replace

    def look(glance: Glance) -> None:
        announce(glance.progress)
        audience.look(glance)

    return replace(audience, look=look)


def _compared(typed: Shared, first: Path, second: Path) -> None:
    """Print what differs between two reports."""
    import sys

    from flashsale.cli.output import out, out_json
    from flashsale.drill.report.compare import compare
    from flashsale.drill.report.document import read
    from flashsale.ui.console import width
    from flashsale.ui.drill.text import comparison_view

    found = compare(read(first), read(second))
    if typed.json:
        out_json(found.to_json())
    else:
        out(comparison_view(found, str(first), str(second), width(sys.stdout)))
