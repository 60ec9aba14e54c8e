"""What long work is doing: a live line on a terminal, plain lines elsewhere. Always on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from flashsale.base.text import printable

if TYPE_CHECKING:
    from rich.text import Text

    from flashsale.clusters.base import Progress

DETAILS = 3  # lines of output that a terminal shows in place
SILENCE = 15.0  # seconds after which a log gets a detail, as a sign of life


class PlainProgress:
    """One line a step: for pipes, logs and terminals that cannot move the cursor."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = clock()  # when something was printed

    def step(self, text: str) -> None:
        self.note(f"{text} ...")

    def detail(self, text: str) -> None:
        """Leave most details out: a log of every changed number helps nobody, nor does silence."""
        if self._clock() - self._last >= SILENCE:
            self.note(f"  {text}")

    def note(self, text: str) -> None:
        """Print a line; the work goes on where nobody can be told."""
        from flashsale.ui.console import filled, width

        self._last = self._clock()
        with suppress(OSError):
            sys.stderr.write(filled(printable(text), width(sys.stderr)) + "\n")
            sys.stderr.flush()


class LiveProgress:
    """The step at work with a spinner, its time and its last lines; done steps stay above it."""

    def __init__(self) -> None:
        from rich.live import Live as RichLive
        from rich.spinner import Spinner

        from flashsale.ui.console import console

        self.below: Callable[[tuple[int, int]], Sequence[Text]] | None = None  # drawn every time
        self._text = ""
        self._details: list[str] = []
        self._began = 0.0
        self._console = console(sys.stderr)
        self._spinner = Spinner("dots")
        self._live = RichLive(
            console=self._console, get_renderable=self._draw, refresh_per_second=8, transient=True
        )

    def __enter__(self) -> LiveProgress:
        self._live.start()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._finish(ok=error is None)
        self._live.stop()

    def step(self, text: str) -> None:
        """Tick the step before off, and begin another."""
        self._finish(ok=True)
        self._text, self._details, self._began = printable(text), [], time.monotonic()

    def detail(self, text: str) -> None:
        """Show one more line under the step."""
        text = printable(text)
        if self._details[-1:] != [text]:
            self._details = [*self._details, text][-DETAILS:]

    def note(self, text: str) -> None:
        from flashsale.ui.console import filled

        self._console.print(filled(printable(text), self._console.width), markup=False)

    def _finish(self, *, ok: bool) -> None:
        if not self._text:
            return
        took = time.monotonic() - self._began
        mark = "[green]✓[/]" if ok else "[red]✗[/]"
        from rich.markup import escape

        self._console.print(f"{mark} {escape(self._text)} [dim]({took:.1f} s)[/]")
        self._text = ""

    def _draw(self) -> Any:
        from rich.text import Text

        if not self._text:
            return Text()
        took = time.monotonic() - self._began
        below = self.below(self._console.size) if self.below else ()
        details = () if below else self._details  # what is below says more
        lines = [f" {self._text} ({took:.0f} s)", *(f"    {line}" for line in details)]
        shown = Text("\n".join(lines), no_wrap=True, overflow="ellipsis")
        frame = self._spinner.render(self._console.get_time())
        step = Text.assemble(frame if isinstance(frame, Text) else "", shown)
        if not below:
            return step
        from rich.console import Group

        return Group(step, *below)


@contextmanager
def stderr_progress(*, live: bool) -> Iterator[Progress]:
    """Give the progress that fits stderr; the terminal is itself again afterwards."""
    if not live:
        yield PlainProgress()
        return
    with LiveProgress() as shown:
        yield shown
