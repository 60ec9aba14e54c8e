"""Figures as the page writes them; what is not known is a dash."""

from __future__ import annotations

from collections import Counter
from typing import Any

UNKNOWN = "–"
ORDER = {"the sale itself": 1, "unexplained": 2}  # below all kills and scalings
THIN = "\u202f"  # narrow no-break space, between a figure and its unit


def count(value: float | None) -> str:
    """Write a number of things."""
    return UNKNOWN if value is None else f"{value:,.0f}"


def seconds(value: float | None, digits: int = 2) -> str:
    """Write a duration in seconds."""
    return UNKNOWN if value is None else f"{value:.{digits}f}{THIN}s"


def since(value: float | None) -> str:
    """Write a second of the run."""
    return UNKNOWN if value is None else f"{max(0.0, value):.2f}"


def second(row: dict[str, Any]) -> str:
    """Name a second of the run; one in which buyers did not come all the time says so."""
    buyers = row["buyers_seconds"]
    if buyers == 1:
        return str(row["at"])
    return f"{row['at']} ({seconds(buyers, 1)} of it)" if buyers else f"{row['at']} (no buyers)"


def milliseconds(value: float | None) -> str:
    """Write a duration in milliseconds, with three figures or so; 0 is that of no answer at all."""
    if not value:
        return UNKNOWN
    if value >= 1000:
        return seconds(value / 1000)
    return f"{value:.{1 if value < 100 else 0}f}{THIN}ms"


def rate(value: float | None) -> str:
    """Write purchases a second."""
    return UNKNOWN if value is None else f"{value:,.1f}"


def share(part: float | None, total: float = 1.0) -> str:
    """Write a share of a total."""
    return UNKNOWN if part is None or not total else f"{100 * part / total:.1f}{THIN}%"


def causes(losses: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sum up losses by what they are blamed on, in the order of their first.

    Those that nobody is blamed for come last: the sale's own, which say why, and the unexplained.
    """
    groups: dict[tuple[Any, Any, Any], list[dict[str, Any]]] = {}
    for loss in losses:
        groups.setdefault((loss["cause"], loss["blamed_on"], loss["why"]), []).append(loss)
    rows = [
        {
            "cause": cause or ("the sale itself" if why else "unexplained"),
            "pod": pod or UNKNOWN,
            "why": why or "no pod came or went then",
            "lost": len(found),
            "classes": classes(found),
            "first": found[0]["at_seconds"],
            "last": found[-1]["at_seconds"],
        }
        for (cause, pod, why), found in groups.items()
    ]
    return sorted(rows, key=lambda row: (ORDER.get(row["cause"], 0), row["first"]))


def classes(losses: list[dict[str, Any]]) -> str:
    """Write how purchases were lost, and how many each way."""
    tally = Counter(loss["class"] for loss in losses)
    return ", ".join(f"{name} {number:,}" for name, number in tally.most_common())
