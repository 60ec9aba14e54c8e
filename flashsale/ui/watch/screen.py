"""A terminal that shows lines which change: what has not changed is not written again.

It is always given back as it was found: after an exception, a cancellation, SIGTERM and Ctrl-Z.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from rich.console import Console
from rich.text import Text

from flashsale.ui.console import console as console_of
from flashsale.ui.watch.keys.navigation import split_keys

ENTER = "\x1b[?1049h\x1b[?25l\x1b[2J"  # the alternate screen, no cursor, empty
LEAVE = "\x1b[?25h\x1b[?1049l\r\x1b[K"  # what was typed before the screen was ours goes
BEGIN, END = (
    "\x1b[?2026h",
    "\x1b[?2026l",
)  # a frame at once, where a terminal knows it
FRAME = 0.25  # seconds between two repaints, at least
QUICK = 0.03  # the same after a key: a held arrow is to be followed
SMALLEST = (20, 4)  # columns and lines below which nothing sensible can be drawn

Draw = Callable[[tuple[int, int]], tuple[Sequence[Text], float]]


class Screen:
    """The alternate screen of one terminal; a context manager."""

    def __init__(self, file: TextIO, console: Console | None = None) -> None:
        self.file = file
        self.console = console or console_of(file)
        self.frames = 0  # painted so far
        self._shown: list[str] | None = None  # line by line; None: nothing is known to be there

    def __enter__(self) -> Screen:
        self._write(ENTER)
        self._shown = None
        return self

    def __exit__(self, *_: object) -> None:
        self._write(LEAVE)

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines, now."""
        width, height = self.console.size
        return max(width, SMALLEST[0]), max(height, SMALLEST[1])

    def forget(self) -> None:
        """Write everything next time: the terminal was resized, or somebody else wrote on it."""
        self._shown = None

    def paint(self, lines: Sequence[Text]) -> bool:
        """Show these lines, writing those that differ; say whether any did."""
        width, height = self.size
        drawn = [self._ansi(line, width) for line in lines[:height]]
        drawn += [""] * (height - len(drawn))
        before = self._shown
        changed = [
            f"\x1b[{number};1H\x1b[K{line}"
            for number, line in enumerate(drawn, 1)
            if before is None or len(before) != height or before[number - 1] != line
        ]
        if not changed:
            return False
        self._shown = drawn
        self.frames += 1
        clear = "" if before is not None and len(before) == height else "\x1b[2J"
        self._write(BEGIN + clear + "".join(changed) + END)
        return True

    def _ansi(self, line: Text, width: int) -> str:
        with self.console.capture() as captured:
            self.console.print(line, end="", width=width, no_wrap=True, overflow="crop")
        return captured.get()

    def _write(self, text: str) -> None:
        self.file.write(text)
        self.file.flush()


class Painter:
    """Paints when something changed: at once after a calm time, four times a second at most."""

    def __init__(self, screen: Screen, draw: Draw) -> None:
        self.screen = screen
        self.draw = draw  # gives the lines for a size, and the seconds for which they stay true
        self._dirty = asyncio.Event()
        self._hurried = asyncio.Event()

    def changed(self, *, hurry: bool = False) -> None:
        """Say that the lines are not true any more; ``hurry`` where somebody pressed a key."""
        self._dirty.set()
        if hurry:
            self._hurried.set()

    async def run(self) -> None:
        """Paint until cancelled."""
        while True:
            self._dirty.clear()
            self._hurried.clear()
            lines, stays = self.draw(self.screen.size)
            self.screen.paint(lines)
            await asyncio.sleep(QUICK)
            with suppress(TimeoutError):
                async with asyncio.timeout(FRAME - QUICK):
                    await self._hurried.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, stays - FRAME)):
                    await self._dirty.wait()


class Keyboard:
    """Calls for each key that is pressed, without waiting for Enter; a context manager.

    Where there is no terminal to read from it does nothing.
    """

    def __init__(self, press: Callable[[str], None], stdin: TextIO | None = None) -> None:
        self.press = press
        self.stdin = stdin or sys.stdin
        self._before: list[Any] | None = None  # the terminal's settings

    def __enter__(self) -> Keyboard:
        with suppress(ImportError):  # Windows has no termios
            import termios
            import tty

            if self.stdin.isatty():
                self._before = termios.tcgetattr(self.stdin)
                tty.setcbreak(self.stdin, termios.TCSANOW)
                asyncio.get_running_loop().add_reader(self.stdin.fileno(), self._read)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            import termios

            asyncio.get_running_loop().remove_reader(self.stdin.fileno())
            termios.tcsetattr(self.stdin, termios.TCSADRAIN, self._before)

    def _read(self) -> None:
        for key in split_keys(os.read(self.stdin.fileno(), 4096).decode(errors="ignore")):
            self.press(key)


@contextmanager
def signals(painter: Painter, keyboard: Keyboard) -> Iterator[None]:
    """Repaint when the terminal's size changes, and give the terminal back during Ctrl-Z."""
    screen, loop = painter.screen, asyncio.get_running_loop()

    def resized() -> None:
        screen.forget()
        painter.changed()

    def stopped() -> None:
        keyboard.__exit__()
        screen.__exit__()
        os.kill(os.getpid(), signal.SIGSTOP)  # goes on here after `fg`
        screen.__enter__()
        keyboard.__enter__()
        painter.changed()

    handled = []
    for name, react in (("SIGWINCH", resized), ("SIGTSTP", stopped)):
        number = getattr(signal, name, None)
        if number is not None:  # Windows has neither
            with suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, react)
                handled.append(number)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
