"""`flashsale doctor`."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import typer

from flashsale.base.errors import FlashsaleError

if TYPE_CHECKING:
    from flashsale.cli.options.global_options import Shared
    from flashsale.doctor.finding import Finding


def doctor(ctx: typer.Context) -> None:
    """Check this machine, and say what `up` would choose.

    Exits with 1 when something is a PROBLEM; what is merely not there is none.
    """
    from flashsale.cli.event_loop import run
    from flashsale.cli.options.global_options import shared
    from flashsale.cli.output import out_json
    from flashsale.ui.console import colourful
    from flashsale.ui.doctor import findings_view

    typed = shared(ctx)
    findings = run(_found(typed))
    if typed.json:
        out_json([one.as_json() for one in findings])
    else:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        typer.echo(findings_view(findings, width=width, colour=colourful(sys.stdout)))
    if any(one.grade == "problem" for one in findings):
        raise typer.Exit(FlashsaleError.exit_code)


async def _found(typed: Shared) -> list[Finding]:
    from flashsale.cli.output import after_a_second
    from flashsale.clusters.state.directory import named_home
    from flashsale.doctor.examine import examine

    async with after_a_second("Looking at this machine and its clusters ..."):
        return await examine(typed.wanted, named_home())
