"""What a stream can show, and every Rich console of the program: all keep the same promises.

NO_COLOR (https://no-color.org) means plain text: neither colour nor bold nor dim, on a terminal
too. Moving the cursor is no colour, so live views go on being drawn in place.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

DUMB = ("dumb", "unknown")  # values of TERM: such a terminal cannot move its cursor
WIDE = 10_000  # columns where there is no terminal: nothing is cut


def moving(stream: TextIO) -> bool:
    """Whether lines can be drawn again: a terminal that can move its cursor."""
    return stream.isatty() and os.environ.get("TERM", "").lower() not in DUMB


def colourful(stream: TextIO) -> bool:
    """Whether a stream is a terminal that wants colours."""
    return moving(stream) and not os.environ.get("NO_COLOR")


def width(stream: TextIO) -> int | None:
    """Return the columns of a terminal; None where there is none and lines may be of any length."""
    return console(stream).width if stream.isatty() else None


def console(stream: TextIO) -> Console:
    """Make the console of a stream; without a terminal it is as wide as anything needs."""
    from rich.console import Console

    terminal = stream.isatty()
    return Console(
        file=stream,
        highlight=False,
        force_terminal=terminal,
        color_system="auto" if colourful(stream) else None,  # None: no style at all is written
        width=None if terminal else WIDE,
    )


def printed(renderable: RenderableType, stream: TextIO) -> None:
    """Print something whole; where there is no terminal, each line ends with its last word."""
    made = console(stream)
    with made.capture() as captured:
        made.print(renderable, crop=False)
    text = captured.get()
    if not stream.isatty():
        text = "".join(f"{line.rstrip()}\n" for line in text.splitlines())
    stream.write(text)
