"""What a stream can show, and every Rich console of the program: all keep the same promises.

NO_COLOR (https://no-color.org) means plain text: neither colour nor bold nor dim, on a terminal
too. Moving the cursor is no colour, so live views go on being drawn in place.
"""

from __future__ import annotations

import os
import re
import textwrap
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

DUMB = ("dumb", "unknown")  # values of TERM: such a terminal cannot move its cursor
USUAL = 80  # columns of a terminal that does not tell
MARGIN = re.compile(r" *(?:\d+\. |[0-9.]+ s  |· )?")  # before the text of an item
TOGETHER = re.compile(  # `5.1 s` and `flashsale open` stay on one line
    r"(?<=\d) (?=(?:s|ms|min|[KMG]iB)\b|%)|(?<=\bflashsale) (?=[a-z])"
)
BOUND = "\xa0"  # a blank at which no line is broken
WIDE = 10_000  # columns where there is no terminal: nothing is cut


def moving(stream: TextIO) -> bool:
    """Whether lines can be drawn again: a terminal that can move its cursor."""
    return stream.isatty() and os.environ.get("TERM", "").lower() not in DUMB


def colourful(stream: TextIO) -> bool:
    """Whether a stream is a terminal that wants colours."""
    return moving(stream) and not os.environ.get("NO_COLOR")


def width(stream: TextIO) -> int | None:
    """Return the columns of a terminal; None where there is none and lines may be of any length."""
    if not stream.isatty():
        return None
    columns = os.environ.get("COLUMNS", "")
    return (
        int(columns)
        if columns.isdecimal()
        else os.get_terminal_size(stream.fileno()).columns or USUAL
    )


def filled(text: str, width: int | None) -> str:
    """Break lines at words where a terminal would break them anywhere.

    What follows stands below the first word, and below the text of a numbered item.
    """
    return "\n".join(_broken(line, width) for line in text.split("\n")) if width else text


def _broken(line: str, width: int) -> str:
    margin = MARGIN.match(line)
    indent = " " * (margin.end() if margin else 0)
    if len(line) <= width or len(indent) >= width:
        return line
    text = textwrap.fill(
        TOGETHER.sub(BOUND, line),
        width,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return text.replace(BOUND, " ")


def console(stream: TextIO) -> Console:
    """Make the console of a stream; without a terminal it is as wide as anything needs."""
    from rich.console import Console

    class PipedConsole(Console):
        def on_broken_pipe(self) -> None:
            """Leave it to whoever prints: Rich would end the program, with 1."""
            raise BrokenPipeError

    terminal = stream.isatty()
    return PipedConsole(
        file=stream,
        highlight=False,
        emoji=False,  # a name may have colons
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
