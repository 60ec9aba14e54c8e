"""Where results, messages and errors go: results to stdout, everything else to stderr.

Text that others made (events, logs, answers) may be in any of it; a terminal gets it as text only.
"""

from __future__ import annotations

import sys
import traceback
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from flashsale.base.errors import FlashsaleError
from flashsale.base.text import printable
from flashsale.ui.console import colourful, filled, moving, width

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator
    from contextlib import AbstractContextManager

    from flashsale.cli.options.global_options import Shared
    from flashsale.clusters.base import Progress
    from flashsale.sale.observe.state import Observer

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
LOG_TIME = "%H:%M:%S"


PATIENCE = 1.0  # seconds of silence that need no explanation


class ReaderLeftError(Exception):
    """Whoever read our stdout has seen enough: `flashsale logs | head`."""


class Verbosity:
    """What stderr gets besides errors: what `--quiet` and `-v` say."""

    quiet = False
    held: list[str] | None = None  # log lines that wait until a full-screen view has closed


def set_verbosity(typed: Shared) -> None:
    """Log for `-v`, and more for `-vv`; with `--quiet` print errors alone."""
    Verbosity.quiet = typed.quiet
    if not typed.verbose:
        return
    import logging

    handler = logging.Handler()
    handler.setFormatter(logging.Formatter(LOG_FORMAT, LOG_TIME))
    handler.emit = lambda record: _log(handler.format(record))  # type: ignore[method-assign]
    ours = logging.getLogger("flashsale")
    ours.handlers[:] = [handler]
    ours.propagate = False
    ours.setLevel(logging.DEBUG if typed.verbose > 1 else logging.INFO)


def _log(line: str) -> None:
    if Verbosity.held is None:
        _tell(printable(line))
    else:
        Verbosity.held.append(printable(line))


@contextmanager
def logs_held() -> Iterator[None]:
    """Keep log lines while a view has the whole screen, and print them when it has closed."""
    Verbosity.held = []
    try:
        yield
    finally:
        lines, Verbosity.held = Verbosity.held, None
        for line in lines:
            _tell(line)


def out(text: str) -> None:
    """Print a result; on a terminal the words that matter get a colour."""
    text = printable(text)
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


def print_result(typed: Shared, document: Any, text: Callable[[], str]) -> None:
    """Print what a command found: as JSON where that was asked for, else as text for people."""
    if typed.json:
        out_json(document)
    else:
        out(text())


def progress() -> AbstractContextManager[Progress]:
    """Give the place where long work says what it is doing: stderr, live on a terminal."""
    from contextlib import nullcontext

    from flashsale.clusters.base import SilentProgress
    from flashsale.ui.progress import stderr_progress

    if Verbosity.quiet:
        return nullcontext(SilentProgress())
    return stderr_progress(live=moving(sys.stderr))


def looking(shown: Progress) -> list[Observer]:
    """Give the observers of a sale whose pods somebody waits for.

    They note at once why no pod can be made or placed, and draw the pods below a live progress.
    """
    from flashsale.sale.ready.explanation import WarningNotes
    from flashsale.ui.progress import LiveProgress

    observers: list[Observer] = [WarningNotes(shown.note).see]
    if isinstance(shown, LiveProgress):
        from flashsale.ui.watch.inline import InlineView

        observers.append(InlineView(shown).see)
    return observers


def notes() -> Progress:
    """Progress for work whose notes alone matter: lines on stderr."""
    from flashsale.clusters.base import SilentProgress
    from flashsale.ui.progress import PlainProgress

    return SilentProgress() if Verbosity.quiet else PlainProgress()


@asynccontextmanager
async def after_a_second(text: str) -> AsyncGenerator[None]:
    """Say what is being done if it takes longer than one second."""
    import asyncio

    later = asyncio.get_running_loop().call_later(PATIENCE, note, text)
    try:
        yield
    finally:
        later.cancel()


def can_ask() -> bool:
    """Whether somebody sits at a terminal, and reads what is asked there."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm(question: str) -> bool:
    """Ask for a yes; anything else is a no."""
    _tell(filled(f"{question} [y/N]", width(sys.stderr)))
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def note(text: str) -> None:
    """Print a message beside the result."""
    if not Verbosity.quiet:
        _tell(filled(printable(text), width(sys.stderr)))


def _tell(text: str) -> None:
    """Write lines as they are; the work goes on where nobody can be told."""
    with suppress(OSError):
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def show_error(error: FlashsaleError, *, debug: bool) -> None:
    """Print one sentence, details under it, and one hint; with ``debug`` the traceback first."""
    if debug:
        raised = error if error.__traceback__ else error.__cause__ or error
        _tell(printable("".join(traceback.format_exception(raised)).rstrip()))
    _tell(_labelled("Error", "31", filled(printable(f"Error: {error}"), width(sys.stderr))))
    if error.details:
        _tell(_details(error.details))
    if error.hint:  # never broken: it is there to be copied
        _tell(_labelled("Hint", "36", printable(f"Hint: {error.hint}")))


def _details(text: str) -> str:
    """Indent the last lines of a log, say; one that fills the whole screen is cut."""
    most = 4 * (width(sys.stderr) or 250)
    return "\n".join(f"  {line}" for line in printable(text, most=most).splitlines())


def _labelled(word: str, colour: str, text: str) -> str:
    """Let the word at the beginning of a text stand out."""
    if not colourful(sys.stderr):
        return text
    return f"\x1b[1;{colour}m{word}:\x1b[0m{text.removeprefix(f'{word}:')}"
