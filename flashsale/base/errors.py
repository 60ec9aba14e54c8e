"""Every failure that a user can cause or meet, each with one sentence, one hint and an exit code.

The exit codes are part of the command line's contract: 0 done, 1 other failure, 2 usage, 3 cluster
unreachable or cannot start, 4 no sale here, 5 not ready in time, 6 refused for safety, 7 purchases
lost, 129 SIGHUP, 130 Ctrl-C, 143 SIGTERM. Only :func:`flashsale.cli.main.main` prints them.
"""

from __future__ import annotations

import contextlib
from typing import ClassVar

from flashsale.base.text import quoted

CTRL_C = 130
SIGTERM = 143
SIGHUP = 129  # the terminal was closed
ENOUGH = 1 << 20  # bytes free on a disk that is not full


class Hint(str):
    """What to type next: one command line that works when it is pasted, then words about it.

    Where no command helps there are words alone. Several commands are joined with ` && `. The text
    is both, so that all of it can be pasted: the words are a comment of the shell.
    """

    __slots__ = ("command", "words")

    command: str
    words: str

    def __new__(cls, command: str = "", words: str = "") -> Hint:
        """Make one of a command, or words, or both."""
        made = super().__new__(cls, "  # ".join(part for part in (command, words) if part))
        made.command, made.words = command, words
        return made


def room_hint(folder: object) -> Hint:
    """Tell what keeps a file of a folder from growing: a limit, or else a full disk."""
    with contextlib.suppress(ImportError, OSError):  # Windows has no such limit
        import resource
        import shutil

        most = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
        if most != resource.RLIM_INFINITY and shutil.disk_usage(str(folder)).free > ENOUGH:
            return Hint("ulimit -f unlimited", f"in this shell, where files end at {most} bytes")
    return Hint(f"df -h {quoted(folder)}", "shows the disk that needs room")


class FlashsaleError(Exception):
    """A failure worth one sentence, one hint and its own exit code."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", details: str = "") -> None:
        """Make one.

        Args:
            hint: what to type next; a string that is no :class:`Hint` is a command.
            details: shown below the sentence as it is: the last lines of a log, say.
        """
        super().__init__(message)
        self.hint = hint
        self.details = details

    @property
    def hint(self) -> Hint:
        """What to type next."""
        return self._hint

    @hint.setter
    def hint(self, hint: str) -> None:
        self._hint = hint if isinstance(hint, Hint) else Hint(hint)


class BadInputError(FlashsaleError):
    """What was typed, or a file that was named, is not usable. Nothing was changed."""

    exit_code = 2


class ClusterUnreachableError(FlashsaleError):
    """The cluster does not answer, or could not be started."""

    exit_code = 3


class NoSaleError(FlashsaleError):
    """There is a cluster, or none was ever chosen, but no sale is open on it."""

    exit_code = 4


class NotReadyError(FlashsaleError):
    """The time was up before everything was ready."""

    exit_code = 5


class RefusedError(FlashsaleError):
    """Refused for safety; the message says how to insist, where that is possible."""

    exit_code = 6


class ConsentError(RefusedError):
    """Something would be lost: refused until somebody says yes.

    Args:
        question: to be asked on a terminal; it says what a yes does.
    """

    def __init__(self, message: str, *, hint: str, question: str) -> None:
        super().__init__(message, hint=hint)
        self.question = question


class PurchasesLostError(FlashsaleError):
    """More purchases were lost than allowed."""

    exit_code = 7
