"""The standard streams, put right before anything is written: open, and good for any character."""

from __future__ import annotations

import codecs
import io
import os
import sys

HANDLER = "flashsale.lookalikes"
LOOKALIKES = dict(zip("━╍·●◌↳✕○✓✗…→—–×█▉▊▋▌▍▎▏", "=-.*o>x_+x.>--x#####...", strict=True))
SPINNER = range(0x2800, 0x2900)  # Braille, of which Rich makes its spinner
DESCRIPTORS = (  # of stdin, stdout, stderr: how each is opened again if somebody closed it
    os.O_RDONLY,
    os.O_RDONLY,  # so that a result which is written there is not lost in silence
    os.O_WRONLY,
)


def prepare() -> None:
    """Open what is closed, and make characters that a terminal does not know no failure."""
    codecs.register_error(HANDLER, lookalike)
    reopen()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not _any_character(stream):
            stream.reconfigure(errors=HANDLER)


def reopen() -> None:
    """Stand in for standard streams that were closed, as gnulib's `stdopen` does.

    Python has None for them, and the next file that anybody opens would get their number.
    """
    for number, mode in enumerate(DESCRIPTORS):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, mode)
            os.dup2(opened, number)
            os.set_inheritable(number, True)
            if opened != number:
                os.close(opened)
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115 - they live as long as we do
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115


def let_go() -> None:
    """Let the interpreter's own last flush go nowhere where nothing can be written any more.

    The reader of our pipe has left, or the disk is full; what there was to say of it has been said.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def lookalike(error: UnicodeError) -> tuple[str, int]:
    """Write what a stream cannot encode as a character like it, or as its number."""
    assert isinstance(error, UnicodeEncodeError)
    found = error.object[error.start]
    known = "*" if ord(found) in SPINNER else LOOKALIKES.get(found)
    return known or found.encode("ascii", "backslashreplace").decode(), error.start + 1


def _any_character(stream: io.TextIOWrapper) -> bool:
    """Whether a stream never fails for a character. Even UTF-8 has none for a broken file name."""
    return stream.encoding.lower().startswith("utf") and stream.errors != "strict"
