"""What `flashsale drill` does when the drill is over: reports, the result, the exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from flashsale.base.errors import CTRL_C

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from flashsale.base.errors import FlashsaleError
    from flashsale.cli.global_options import Shared
    from flashsale.drill.analysis.verdict import Analysis
    from flashsale.drill.report.document import Document
    from flashsale.drill.result import DrillResult


def finish(
    typed: Shared, reports: Sequence[Path], outcome: DrillResult, error: FlashsaleError | None
) -> None:
    """Judge, write the reports, print the result, and leave with the exit code that fits."""
    from flashsale.cli.output import note, out_json
    from flashsale.drill.analysis.verdict import judge
    from flashsale.drill.report.document import document

    judged = judge(outcome)
    told = document(outcome, judged)
    if typed.json:
        out_json(told)
    else:
        _print(outcome, judged)
    for file in reports:
        _write(file, told)
        note(f"Report: {file}")
    if error:
        raise error
    if outcome.ended == "interrupted":
        raise typer.Exit(CTRL_C)
    _fail_if_lost(outcome, judged)


def _write(file: Path, told: Document) -> None:
    """Write a report whole or not at all."""
    import json

    from flashsale.base.files import replace_file

    if file.suffix == ".html":
        from flashsale.ui.report import page

        text = page(told)
    else:
        text = json.dumps(told, indent=1) + "\n"
    replace_file(file, text, mode=0o666)  # for others to read, as the user's umask has it


def _print(outcome: DrillResult, judged: Analysis) -> None:
    import sys

    from flashsale.ui.console import printed, width
    from flashsale.ui.drill.text import summary

    printed(summary(outcome, judged, width(sys.stdout)), sys.stdout)


def _fail_if_lost(outcome: DrillResult, judged: Analysis) -> None:
    """Leave with 7 when too many were lost, and with 1 when nothing at all was confirmed."""
    from flashsale.base.errors import FlashsaleError, PurchasesLostError
    from flashsale.base.text import counted

    lost, most = outcome.report.figures.lost, outcome.scenario.max_lost
    if lost > most:
        mild = "flashsale manifest" if _gentle(outcome) else "flashsale drill"
        hint = "flashsale logs" if 2 * judged.usual > lost else mild  # it loses them by itself
        were = f"{counted(lost, 'purchase')} {'was' if lost == 1 else 'were'} lost"
        raise PurchasesLostError(f"{were}; {most:,} may be.", hint=hint)
    if judged.verdict == "fail":
        raise FlashsaleError(judged.headline, hint="flashsale logs")


def _gentle(outcome: DrillResult) -> bool:
    """Whether pods could say goodbye: then what is lost is the manifest's fault."""
    blow = outcome.scenario.blow
    return not blow.process and blow.grace != 0
