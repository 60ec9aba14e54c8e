"""A finished load as one JSON document: what `load -o json` prints and the terminal shows."""

from __future__ import annotations

from typing import Any

from flashsale.load.machine_limits import own_limits
from flashsale.load.results import Report
from flashsale.load.shares import judge_shares


def build_load_document(report: Report) -> dict[str, Any]:
    """Write down the figures, the verdict on the shares, and what this machine could not do."""
    return {
        **report.figures.to_json(),
        "shares": judge_shares(report).to_json(),
        "notes": own_limits(report.figures),
    }
