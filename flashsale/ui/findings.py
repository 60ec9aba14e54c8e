"""What `doctor` found. State in, text out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flashsale.clusters.findings import Finding

MARKS = {"ok": "ok", "absent": "-", "problem": "PROBLEM"}


def findings_view(findings: Sequence[Finding]) -> str:
    """Write one line a finding, and under it the command that mends it, where it is not well."""
    lines = []
    for one in findings:
        lines.append(f"{MARKS[one.grade]:<8} {one.name:<9} {one.text}")
        if one.hint and one.grade != "ok":
            lines.append(f"{'':<18} {one.hint}")
    return "\n".join(lines)
