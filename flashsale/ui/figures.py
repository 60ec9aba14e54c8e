"""Figures of a JSON document as people read them, in a terminal, on a page and in Markdown alike.

What is not known is a dash.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from flashsale.base.text import UNKNOWN, percent, seconds

LAST = {"baseline": 1, "unexplained": 2}  # below all kills and scalings


def count(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:,.0f}"


def rate(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:,.1f}"


def share(part: float | None, total: float = 1.0) -> str:
    return UNKNOWN if part is None or not total else percent(part / total)


def listed(counts: Mapping[str, int]) -> str:
    """Write counts with their names: `reset 3, timeout 1`."""
    return ", ".join(f"{name} {number:,}" for name, number in counts.items() if number)


def second_name(row: Mapping[str, Any]) -> str:
    """Name a second of the run; one in which buyers did not come all the time says so."""
    buyers = row["buyers_seconds"]
    if buyers == 1:
        return str(row["at"])
    return f"{row['at']} ({seconds(buyers)} of it)" if buyers else f"{row['at']} (no buyers)"


def loss_groups(losses: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sum up a drill's losses by their cause, in the order of their first.

    Those without a cause come last: the baseline's, which say why, and the unexplained.
    """
    groups: dict[tuple[Any, Any, Any], list[dict[str, Any]]] = {}
    for loss in losses:
        groups.setdefault((loss["cause"], loss["blamed_on"], loss["why"]), []).append(loss)
    rows = [
        {
            "cause": cause or ("baseline" if why else "unexplained"),
            "pod": pod or UNKNOWN,
            "why": why or "no pod came or went then",
            "lost": len(group_losses),
            "classes": listed(dict(Counter(loss["class"] for loss in group_losses).most_common())),
            "first": group_losses[0]["at_seconds"],
            "last": group_losses[-1]["at_seconds"],
        }
        for (cause, pod, why), group_losses in groups.items()
    ]
    return sorted(rows, key=lambda row: (LAST.get(row["cause"], 0), row["first"]))
