"""A load tells whoever watches the sale how it fares: one small file, renewed every second.

It lies in the state folder. Whoever reads it must not mind that it is gone, or a second old.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from flashsale.base.files import replace_file
from flashsale.load.results import LoadProgress

NAME = "load.json"
EVERY = 1.0  # seconds
STALE = 3.0  # seconds after which a load that ended without removing its file counts as over


@dataclass(frozen=True, slots=True)
class LoadStatus:
    """What a load has written last."""

    at: float  # unix seconds
    rate: float  # confirmed a second
    confirmed: int
    lost: int
    pods: Mapping[str, int]  # confirmed purchases since the load began, by pod


class StatusFile:
    """An observer of a load that passes on what it sees, and writes it down now and then."""

    def __init__(
        self,
        folder: Path,
        observer: Callable[[LoadProgress], None],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._file = folder / NAME
        self._observer = observer
        self._clock = clock
        self._due = 0.0  # unix seconds

    def __call__(self, progress: LoadProgress) -> None:
        self._observer(progress)
        now = self._clock()
        if now >= self._due and self._file.parent.is_dir():
            self._due = now + EVERY
            self._write(now, progress)

    def __enter__(self) -> StatusFile:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._file.unlink(missing_ok=True)

    def _write(self, now: float, progress: LoadProgress) -> None:
        figures = progress.figures
        status = {
            "at": now,
            "rate": progress.rate_now,
            "confirmed": figures.confirmed,
            "lost": figures.lost,
            "pods": dict(figures.pods),
        }
        with suppress(OSError):  # on a full disk the load goes on: only nobody else hears of it
            replace_file(self._file, json.dumps(status))


def read_status(folder: Path, now: float) -> LoadStatus | None:
    """Read what a load has written within the last seconds; ``now`` is unix seconds."""
    try:
        load_status = LoadStatus(**json.loads((folder / NAME).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return load_status if 0 <= now - load_status.at < STALE else None
