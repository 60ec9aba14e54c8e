"""The standard streams, put right before anything is written: open, and good for any character."""

from __future__ import annotations

import io
import os
import sys

MODES = (os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)  # a closed stdout fails, instead of losing results

STDOUT = "<stdout>"  # the name in an error of writing there


def prepare() -> None:
    """Open what is closed, and write characters that a stream does not know as their numbers."""
    _open_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if isinstance(sys.stdout, io.TextIOWrapper) and "write" not in vars(sys.stdout):
        _name_in_errors(sys.stdout)


def _name_in_errors(stream: io.TextIOWrapper) -> None:
    """Let an error of writing name the stream: a long text, or an unbuffered one, fails at once,
    and nothing is left in the buffer that would tell afterwards."""
    write = stream.write

    def named_write(text: str, /) -> int:
        try:
            return write(text)
        except OSError as error:
            error.filename = error.filename or STDOUT
            raise

    stream.write = named_write  # type: ignore[method-assign]


def _open_closed() -> None:
    """Stand in for standard streams that were closed: the next file would get their number."""
    for number, mode in enumerate(MODES):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, mode), True)  # the lowest free number: this one
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115 - they live as long as we do
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115


def flush_or_drop() -> None:
    """Let the interpreter's own last flush go nowhere where nothing can be written any more.

    The reader of our pipe has left, or the disk is full; what there was to say of it has been said.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
