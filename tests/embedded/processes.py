"""What tests ask the system about processes."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from pathlib import Path


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie that nobody has reaped does not."""
    return _state(pid)[:1] not in ("", "Z", "X")


def _state(pid: int) -> str:
    if sys.platform == "linux":
        try:
            return _after_name(pid)[0]
        except OSError:
            return ""
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return done.stdout.strip()


def parent_of(pid: int) -> int:
    """Return the parent of a process (Linux).

    Raises:
        OSError: there is no such process.
    """
    return int(_after_name(pid)[1])


def below(pid: int) -> list[int]:
    """Return all descendants of a process (Linux)."""
    children: dict[int, list[int]] = defaultdict(list)
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            children[parent_of(int(folder.name))].append(int(folder.name))
        except OSError:
            continue
    found = [pid]
    for each in found:  # which grows meanwhile
        found += children[each]
    return found[1:]


def _after_name(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
