"""`flashsale learn`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flashsale.base.errors import BadInputError, Hint
from flashsale.cli.event_loop import run
from flashsale.cli.hints import placed
from flashsale.cli.options.global_options import Shared, shared
from flashsale.cli.options.report_files import check_report_files, write_report
from flashsale.cli.output import logs_held, note, out, out_json, print_result
from flashsale.clusters.state.directory import state_home
from flashsale.ui.console import moving

if TYPE_CHECKING:
    from flashsale.learn.look import LookOptions
    from flashsale.learn.step import Step


def learn(
    ctx: typer.Context,
    step: Annotated[
        str | None,
        typer.Argument(metavar="STEP", help="Begin this step anew.  [default: where you stopped]"),
    ] = None,
    named: Annotated[
        str | None, typer.Option("--step", metavar="STEP", help="The same as STEP.")
    ] = None,
    listed: Annotated[
        bool, typer.Option("--list", help="Print all steps, and what became of each.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Print which facts of STEP hold now; without STEP all facts, those included that"
            " the course saw before.",
        ),
    ] = False,
    reset: Annotated[bool, typer.Option("--reset", help="Forget what was done so far.")] = False,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE.html", help="Write a page about what was done."),
    ] = None,
    steps: Annotated[
        Path | None,
        typer.Option("--steps", metavar="DIR", help="Add the steps of this folder to the course."),
    ] = None,
) -> None:
    """Learn what a ReplicaSet does: a course of eleven steps on your own sale.

    It runs in one terminal and watches the cluster; you type commands in another one, or let it
    type them. Each step asks for a guess first, and ends with what really happened here.
    """
    from flashsale.learn.course import course, find_step
    from flashsale.learn.look import LookOptions

    typed = shared(ctx)
    if sum((listed, check, reset, report is not None)) > 1:
        raise BadInputError(
            "Give only one of --list, --check, --reset, --report.", hint="flashsale learn --help"
        )
    known = course(steps)
    name = step or named
    chosen = find_step(known, name) if name else None
    place = LookOptions(typed.wanted, typed.namespace)
    if listed:
        _list(typed, known)
    elif reset:
        _reset(typed, chosen)
    elif check:
        _check(typed, known, chosen, place)
    elif report is not None:
        _report(typed, known, report)
    else:
        _play(typed, known, chosen, place)


def _list(typed: Shared, steps: tuple[Step, ...]) -> None:
    from flashsale.learn import course_progress
    from flashsale.learn.views import listing

    done = course_progress.read_progress(state_home())
    print_result(typed, listing.list_json(steps, done), lambda: listing.list_view(steps, done))


def _reset(typed: Shared, step: Step | None) -> None:
    from flashsale.learn import course_progress

    home = state_home()
    if step is None:
        course_progress.forget_progress(home)
    else:
        done = course_progress.read_progress(home)
        anew = done.with_step(step.name, course_progress.StepRecord())
        course_progress.write_progress(home, anew)
    if typed.json:
        out_json({"reset": step.name if step else None})
    elif step is None:
        note("The course begins anew: flashsale learn")
    else:
        note(f"The step {step.name} begins anew: flashsale learn {step.name}")


def _check(typed: Shared, steps: tuple[Step, ...], step: Step | None, place: LookOptions) -> None:
    """Print which facts hold; leave with 1 where not all do."""
    from flashsale.learn import course_progress
    from flashsale.learn.look import look_once
    from flashsale.learn.views import listing

    extras = frozenset().union(*(each.extras for each in ([step] if step else steps)))
    facts = run(look_once(place, extras))
    done = course_progress.read_progress(state_home())
    checked = (
        listing.check_now(step, facts, done) if step else listing.check_all(steps, facts, done)
    )
    document = [fact.as_json() for fact in checked]
    print_result(typed, document, lambda: listing.check_view(checked, one_step=step is not None))
    if not all(fact.holds for fact in checked):
        raise typer.Exit(1)


def _report(typed: Shared, steps: tuple[Step, ...], file: Path) -> None:
    from flashsale.learn import course_progress
    from flashsale.learn.views.certificate import certificate_page

    check_report_files([file], [".html"], "flashsale learn --report course.html")
    write_report(file, certificate_page(steps, course_progress.read_progress(state_home())))
    if typed.json:
        out_json({"report": str(file)})
    else:
        note(f"Report: {file}")


def _recorded(typed: Shared) -> bool:
    """Whether commands without options already go where this one was told to go."""
    from flashsale.clusters.state.sale_store import SaleStore

    record = SaleStore(state_home()).read_if_usable()
    if record is None or typed.profile:
        return False
    same = typed.cluster in (None, "auto", record.kind) and typed.context in (None, record.context)
    return same and typed.namespace in (None, record.namespace)


def _play(typed: Shared, steps: tuple[Step, ...], step: Step | None, place: LookOptions) -> None:
    from flashsale.learn.course_runner import play

    seated = sys.stdout.isatty() and sys.stdin.isatty()
    name = f" {step.name}" if step else ""
    if seated and not typed.json and not moving(sys.stdout):
        raise BadInputError(
            "The course draws on the whole screen, and TERM says that this terminal cannot.",
            hint=Hint(f"TERM=xterm-256color flashsale learn{name}", "if it can after all"),
        )
    if typed.json or not seated:
        raise BadInputError(
            "The course needs a terminal. A script can list its steps and check them.",
            hint=Hint("flashsale learn --list", "and flashsale learn --check STEP"),
        )

    def at_place(command: str) -> str:
        return command if _recorded(typed) else placed(Hint(command), typed).command

    with logs_held():
        lines = run(play(steps, step, place, state_home(), at_place))
    out("\n".join(lines))
