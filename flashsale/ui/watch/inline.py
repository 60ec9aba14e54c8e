"""A small live view below the step that somebody waits for with `up`, `scale` or `kill-pod`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from flashsale.sale.observe.state import Update
from flashsale.ui.watch.layout import fit_line, numbers_line
from flashsale.ui.watch.pod_table import Size, draw_pods
from flashsale.ui.watch.view_model import Board, Now, Place, add_update, shown_rows

if TYPE_CHECKING:
    from flashsale.ui.progress import LiveProgress

MOST = 9  # lines of pods, the heading included
AROUND = 6  # lines of the terminal that are left to other things


class InlineView:
    """A board that is shown under a live progress line."""

    def __init__(self, progress: LiveProgress) -> None:
        self.board = Board(Place("", ""))
        progress.below = self.draw

    def see(self, update: Update) -> None:
        self.board = add_update(self.board, update)

    def draw(self, size: Size) -> list[Text]:
        """Draw the bar and the pods; nothing before there is anything."""
        return small(self.board, size, Now.read())


def small(board: Board, size: Size, now: Now) -> list[Text]:
    """Draw a board in a few lines: the numbers with their bar, and the pods."""
    width, height = size
    shown = shown_rows(board, now)
    if board.state.replicaset is None or not shown:
        return []
    table = draw_pods(board, shown, (width, max(3, min(MOST, height - AROUND))), now)
    return [fit_line(line, width) for line in [numbers_line(board, width), *table]]
