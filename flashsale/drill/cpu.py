"""How busy this machine's processors are: where they are the limit, more pods bring nothing.

One line of `/proc/stat` is all that is read. psutil would read macOS too, but is a compiled
dependency for one column of one table, and no shorter: guest time has to be left out there as well.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

STAT = Path("/proc/stat")
IDLE = (3, 4)  # of the fields of its line `cpu`: idle and iowait, see proc_stat(5)
GUESTS = 8  # fields from here on are part of earlier ones


@dataclass(frozen=True, slots=True)
class Reading:
    """Processor time since the machine's start, over all cores, in the kernel's ticks."""

    busy: int
    total: int


def read_counters() -> Reading | None:
    """Read the counters; None where there is no `/proc` (macOS)."""
    try:
        line = STAT.read_text().partition("\n")[0]
    except OSError:
        return None
    return parse_counters(line)


def parse_counters(line: str) -> Reading | None:
    """Understand the first line of `/proc/stat`."""
    word, *figures = line.split()
    if word != "cpu" or len(figures) <= max(IDLE):
        return None
    ticks = [int(figure) for figure in figures[:GUESTS]]
    return Reading(sum(ticks) - sum(ticks[field] for field in IDLE), sum(ticks))


def busy_share(begin: Reading | None, end: Reading | None) -> float | None:
    """Return the share of all cores in use between two readings, 0 to 1; None if unknown."""
    if begin is None or end is None or end.total <= begin.total:
        return None
    return min(1.0, max(0.0, (end.busy - begin.busy) / (end.total - begin.total)))


def usable_cores() -> int:
    """Count the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
