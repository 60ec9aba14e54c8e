"""What `doctor` found. State in, text out."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flashsale.ui.colours import BOLD, GREEN, RED, paint

if TYPE_CHECKING:
    from flashsale.doctor.finding import Finding

MARKS = {"ok": "ok", "absent": "-", "problem": "PROBLEM"}
COLOURS = {"ok": GREEN, "absent": "2", "problem": f"{BOLD};{RED}"}
MARK, NAME = 9, 10  # columns
LEAST = 30  # columns for the text, however narrow the terminal is


def findings_view(
    findings: Sequence[Finding], *, width: int | None = None, colour: bool = False
) -> str:
    """Write each finding and what mends it; without a ``width`` each text is on one line."""
    return "\n".join(line for finding in findings for line in _lines(finding, width, colour))


def _lines(finding: Finding, width: int | None, colour: bool) -> list[str]:
    margin = MARK + NAME
    room = None if width is None else max(LEAST, width - margin)
    text = textwrap.wrap(finding.text, room) if room else [finding.text]
    mark = MARKS[finding.grade].ljust(MARK)
    if colour:
        mark = paint(mark, COLOURS[finding.grade])
    lines = [f"{mark}{finding.name:<{NAME}}{text[0]}"]
    lines += [" " * margin + line for line in text[1:]]
    if finding.hint:
        hint = f"→ {finding.hint}"  # never broken: it is there to be copied
        lines.append(" " * margin + (paint(hint, "36") if colour else hint))
    return lines
