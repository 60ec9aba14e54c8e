"""Every failure that a user can cause or meet, each with one sentence, one hint and an exit code.

The exit codes are part of the command line's contract: 0 done, 1 other failure, 2 usage, 3 cluster
unreachable or cannot start, 4 no sale here, 5 not ready in time, 6 refused for safety, 7 purchases
lost, 129 SIGHUP, 130 Ctrl-C, 143 SIGTERM. Only :func:`flashsale.cli.main.main` prints them.
"""

from typing import ClassVar

CTRL_C = 130
SIGTERM = 143
SIGHUP = 129  # the terminal was closed


class FlashsaleError(Exception):
    """A failure worth one sentence, one hint and its own exit code."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", details: str = "") -> None:
        super().__init__(message)
        self.hint = hint  # a command to type, when there is one
        self.details = details  # shown below the sentence as it is: the last lines of a log, say


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
