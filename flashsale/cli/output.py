"""Where results, messages and errors go: results to stdout, everything else to stderr."""

from __future__ import annotations

import sys
import traceback
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from flashsale.base.errors import FlashsaleError
from flashsale.ui.console import colourful, filled, moving, width

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from flashsale.clusters.base import Progress
    from flashsale.ui.watch.inline import InlineView


PATIENCE = 1.0  # seconds of silence that need no explanation


class ReaderLeftError(Exception):
    """Whoever read our stdout has seen enough: `flashsale logs | head`."""


def out(text: str) -> None:
    """Print a result; on a terminal the words that matter get a colour."""
    if colourful(sys.stdout):
        from flashsale.ui.colours import painted

        text = painted(text)
    sys.stdout.write(text + "\n")


def out_json(document: Any, *, line: bool = False) -> None:
    """Print one JSON document; ``line`` keeps it on one line and sends it at once."""
    import json

    text = json.dumps(document) if line else json.dumps(document, indent=2)
    sys.stdout.write(text + "\n")
    if line:
        sys.stdout.flush()


def progress() -> AbstractContextManager[Progress]:
    """Give the place where long work says what it is doing: stderr, live on a terminal."""
    from flashsale.ui.progress import progress as shown

    return shown(live=moving(sys.stderr))


def looking(shown: Progress) -> InlineView | None:
    """Show the live view in small below a live progress; nothing where nobody looks."""
    from flashsale.ui.progress import LiveProgress

    if not isinstance(shown, LiveProgress):
        return None
    from flashsale.ui.watch.inline import InlineView

    return InlineView(shown)


def notes() -> Progress:
    """Progress for work whose notes alone matter: lines on stderr."""
    from flashsale.ui.progress import PlainProgress

    return PlainProgress()


@asynccontextmanager
async def after_a_second(text: str) -> AsyncGenerator[None]:
    """Say what is being done if it takes longer than one second."""
    import asyncio

    later = asyncio.get_running_loop().call_later(PATIENCE, note, text)
    try:
        yield
    finally:
        later.cancel()


def agreed(question: str) -> bool:
    """Ask whoever sits at the terminal; False where nobody does."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    _tell(f"{question} [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def note(text: str) -> None:
    """Print a message beside the result."""
    _tell(filled(text, width(sys.stderr)))


def _tell(text: str) -> None:
    """Write lines as they are; the work goes on where nobody can be told."""
    with suppress(OSError):
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def show_error(error: FlashsaleError, *, debug: bool) -> None:
    """Print one sentence, details under it, and one hint; with ``debug`` the traceback first."""
    if debug:
        sys.stderr.write(traceback.format_exc())
    _tell(_labelled("Error", "31", filled(f"Error: {error}", width(sys.stderr))))
    if error.details:
        _tell("\n".join(f"  {line}" for line in error.details.splitlines()))
    if error.hint:  # never broken: it is there to be copied
        _tell(_labelled("Hint", "36", f"Hint: {error.hint}"))


PLAINLY = {  # Typer 0.29 shows what pydantic says
    "Input should be a valid integer, unable to parse string as an integer": "no whole number",
    "Input should be a valid number, unable to parse string as a number": "no number",
}


def show_usage_error(error: Any, *, debug: bool) -> None:
    """Print what was wrong with the command line, and how to see what is right."""
    ctx = getattr(error, "ctx", None)
    path = ctx.command_path if ctx else "flashsale"
    message = " ".join(error.format_message().split())
    for words, plain in PLAINLY.items():
        message = message.replace(words, plain)
    usage = FlashsaleError(message if message.endswith((".", "?")) else f"{message}.")
    usage.hint = f"{path} --help"
    show_error(usage, debug=debug)


def _labelled(word: str, colour: str, text: str) -> str:
    """Let the word at the beginning of a text stand out."""
    if not colourful(sys.stderr):
        return text
    return f"\x1b[1;{colour}m{word}:\x1b[0m{text.removeprefix(f'{word}:')}"
