"""What the live view knows of a load that runs in another window."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from flashsale.load.status_file import LoadStatus, read_status
from flashsale.ui.watch.view_model import Purchases


class Buyers:
    """Looks at what a load announces, and says which share each pod had since the last look."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._last: LoadStatus | None = None
        self._shares: Mapping[str, float] = {}

    def look(self, pods: Collection[str]) -> Purchases | None:
        """Return what to show; nothing where no load runs, or one that buys from other pods."""
        status = read_status(self._folder, self._clock())
        if status is None or not set(status.pods) & set(pods):
            self._last, self._shares = None, {}
            return None
        if self._last is None or status.at != self._last.at:
            self._shares = shares(self._last.pods if self._last else {}, status.pods)
            self._last = status
        return Purchases(status.rate, status.confirmed, status.lost, self._shares)


def shares(before: Mapping[str, int], now: Mapping[str, int]) -> dict[str, float]:
    """Return each pod's share, 0 to 1, of the purchases between two counts."""
    gained = {name: max(0, count - before.get(name, 0)) for name, count in now.items()}
    total = sum(gained.values())
    return {name: count / total for name, count in gained.items()} if total else {}
