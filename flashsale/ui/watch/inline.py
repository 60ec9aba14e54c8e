"""The live view in small, below the step that somebody waits for with `up`, `scale`, `kill-pod`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.text import Text

from flashsale.sale.observe.observations import Change, Observation, PodSeen, ReplicaSetSeen
from flashsale.ui.watch.layout import counted, cut
from flashsale.ui.watch.pod_table import Size, pods
from flashsale.ui.watch.view_model import Board, Now, Place, rows, seen

if TYPE_CHECKING:
    from flashsale.objects.models import Object
    from flashsale.sale.ready.conditions import Sight
    from flashsale.ui.progress import LiveProgress

MOST = 9  # lines of pods, the heading included
AROUND = 6  # lines of the terminal that are left to other things


class InlineView:
    """A board that is shown under a live progress line."""

    def __init__(
        self,
        progress: LiveProgress,
        *,
        mono: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.board = Board(Place("", ""))
        self._mono, self._wall = mono, wall
        self._pods: dict[str, Object] = {}  # as they were last seen, by uid
        self._replicaset: Object | None = None
        progress.below = self.draw

    def see(self, observation: Observation) -> None:
        """Take in one observation."""
        self.board, _ = seen(self.board, observation)

    def sight(self, sight: Sight) -> None:
        """Take in whatever differs from the sight before."""
        at, first = self._mono(), self._replicaset is None
        if sight.replicaset is not None and sight.replicaset is not self._replicaset:
            self._replicaset = sight.replicaset
            self.see(ReplicaSetSeen.from_object(sight.replicaset, "changed", at))
        for uid in self._pods.keys() - sight.pods.keys():
            self.see(PodSeen.from_object(self._pods[uid], "gone", at))
        # Known ones first: the pod in a victim's place would else look like one too many.
        for uid, pod in sorted(sight.pods.items(), key=lambda one: one[0] not in self._pods):
            if pod is not self._pods.get(uid):
                new: Change = "listed" if first else "added"
                self.see(PodSeen.from_object(pod, "changed" if uid in self._pods else new, at))
        self._pods = dict(sight.pods)

    def draw(self, size: Size) -> list[Text]:
        """Draw the bar and the pods; nothing before there is anything."""
        return small(self.board, size, Now(self._mono(), self._wall()))


def small(board: Board, size: Size, now: Now) -> list[Text]:
    """Draw a board in a few lines: the numbers with their bar, and the pods."""
    width, height = size
    shown = rows(board, now)
    if board.state.replicaset is None or not shown:
        return []
    table = pods(board, shown, (width, max(3, min(MOST, height - AROUND))), now)
    return [cut(line, width) for line in [counted(board, width), *table]]
