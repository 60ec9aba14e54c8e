"""A drill under way on stderr: a small picture that is drawn again, or lines where that cannot be.

What happened stays as a line above the picture, so that it can be read again afterwards. The
picture is drawn when the load reports, which is four times a second.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live as RichLive
from rich.text import Text

from flashsale.base.text import milliseconds
from flashsale.drill.result import LogEntry
from flashsale.drill.runner import DrillProgress, Observers
from flashsale.load.results import LoadProgress
from flashsale.sale.observe.state import Update
from flashsale.ui import load as load_views
from flashsale.ui.drill.sentences import entry_line
from flashsale.ui.watch import layout as watch_views
from flashsale.ui.watch.pod_table import draw_pods
from flashsale.ui.watch.view_model import Board, Now, Place, add_update, shown_healings, shown_rows

LINE_EVERY = 5.0  # seconds between lines about the load where there is no terminal
BELOW = 9  # lines that the picture needs beside its pods
FEWEST_LINES = 3  # for the pods, however low the terminal is


class RunClock:
    """Knows the second of the run, once the load has begun."""

    def __init__(self) -> None:
        self._start: float | None = None

    def tick(self, progress: LoadProgress) -> None:
        """Learn from the load when the run began."""
        if self._start is None:
            self._start = time.monotonic() - progress.elapsed

    def second(self, at: float) -> float:
        """Turn a moment of the monotonic clock into the second of the run."""
        return 0.0 if self._start is None else at - self._start


class PlainDrill:
    """Lines only: for pipes, logs and terminals that cannot move the cursor."""

    def __init__(self, console: Console) -> None:
        self._console, self._clock = console, RunClock()
        self._due = LINE_EVERY
        self.observers = Observers(on_progress=self._on_progress, on_log=self._on_log)

    def _on_progress(self, progress: DrillProgress) -> None:
        self._clock.tick(progress.load)
        if progress.load.elapsed >= self._due:
            self._due += LINE_EVERY
            self._print(Text(f"           {load_views.line(progress.load)}"))

    def _on_log(self, entry: LogEntry) -> None:
        self._print(entry_line(self._clock.second(entry.at), entry, columns(self._console)))

    def _print(self, line: Text) -> None:
        self._console.print(line, soft_wrap=True)


class LiveDrill:
    """The picture; a context manager that leaves only the lines behind."""

    def __init__(self, console: Console, context: str, namespace: str, url: str) -> None:
        self._console, self._clock = console, RunClock()
        self._board = Board(Place(context, namespace, url))
        self._live = RichLive(console=console, auto_refresh=False, transient=True)
        self.observers = Observers(
            on_progress=self._on_progress, on_log=self._on_log, on_update=self._on_update
        )

    def __enter__(self) -> LiveDrill:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def _on_progress(self, progress: DrillProgress) -> None:
        self._clock.tick(progress.load)
        now = Now.read()
        self._live.update(picture(progress, self._board, self._console.size, now), refresh=True)

    def _on_log(self, entry: LogEntry) -> None:
        second, width = self._clock.second(entry.at), columns(self._console)
        self._console.print(entry_line(second, entry, width), soft_wrap=True)

    def _on_update(self, update: Update) -> None:
        self._board = add_update(self._board, update)


def columns(console: Console) -> int | None:
    """Return a terminal's columns; None where lines may be of any length."""
    return console.width if console.is_terminal else None


def picture(
    progress: DrillProgress, board: Board, size: tuple[int, int], now: Now
) -> RenderableType:
    """Draw the step, the buyers, the pods and the newest healing; never higher than the screen."""
    width, height = size
    shown = shown_rows(board, now)
    table = draw_pods(board, shown, (width, max(FEWEST_LINES, height - BELOW)), now)
    lines: Sequence[Text] = (
        Text(),
        Text(f" {progress.step}", "bold"),
        purchases(progress.load),
        Text(),
        *table,
        *watch_views.healing_lines(shown_healings(board, now)[:1]),
    )
    return Group(*(watch_views.fit_line(line, width) for line in lines[:height]))


def purchases(progress: LoadProgress) -> Text:
    """Write in one line how the purchases fare."""
    counted = progress.figures
    latency = counted.latency_ms
    return Text.assemble(
        f" {progress.rate_now:,.0f} purchases/s   {counted.confirmed:,} confirmed   ",
        (f"{counted.lost:,} lost", "bold red" if counted.lost else ""),
        f"   p50 {milliseconds(latency.p50)}   p99 {milliseconds(latency.p99)}",
        f"   {progress.elapsed:.0f} s",
    )
