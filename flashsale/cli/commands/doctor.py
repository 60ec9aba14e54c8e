"""`flashsale doctor`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from flashsale.base.errors import FlashsaleError
from flashsale.cli.event_loop import run
from flashsale.cli.options.global_options import Shared, shared
from flashsale.cli.output import after_a_second, out_json
from flashsale.clusters.state.directory import named_home
from flashsale.ui.console import colourful, width

if TYPE_CHECKING:
    from flashsale.doctor.finding import Finding


def doctor(ctx: typer.Context) -> None:
    """Check this machine, and say what `up` would choose.

    Exits with 1 when something is a PROBLEM; what is merely not there is none.
    """
    from flashsale.ui.doctor import findings_view

    typed = shared(ctx)
    findings = run(_found(typed))
    if typed.json:
        out_json([finding.as_json() for finding in findings])
    else:
        text = findings_view(findings, width=width(sys.stdout), colour=colourful(sys.stdout))
        typer.echo(text)
    if any(finding.grade == "problem" for finding in findings):
        raise typer.Exit(FlashsaleError.exit_code)


async def _found(typed: Shared) -> list[Finding]:
    from flashsale.doctor.examine import examine

    async with after_a_second("Looking at this machine and its clusters ..."):
        return await examine(typed.wanted, named_home())
