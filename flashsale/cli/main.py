"""The one boundary where errors become sentences and exit codes.

Importing it costs next to nothing: even Typer waits until something is typed.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from flashsale.base.errors import CTRL_C, FlashsaleError, Hint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flashsale.cli.options.global_options import Shared

ENDING = (signal.SIGINT, signal.SIGTERM)
COMPLETE = "_FLASHSALE_COMPLETE"  # set by a shell that asks for completions
BUG_HINT = Hint(words="please report it, with what the same command prints with --debug")


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command line, ``sys.argv`` by default.

    Returns when all went well; leaves through ``SystemExit`` with the documented code otherwise.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    handlers = {} if argv is None else {number: signal.getsignal(number) for number in ENDING}
    try:
        from flashsale.cli.stdio import flush_or_drop, prepare

        prepare()
        code = _complete() if COMPLETE in os.environ else _guarded(arguments)
        flush_or_drop()
    except SystemExit as end:  # a signal
        code = end.code if isinstance(end.code, int) else FlashsaleError.exit_code
    except KeyboardInterrupt:
        code = CTRL_C
    if argv is None:
        _ignore_ctrl_c()  # all is done: the exit code says how it went
    for number, handler in handlers.items():  # of the program that called ours
        if signal.getsignal(number) is not handler:
            signal.signal(number, handler)
    if code:
        sys.exit(code)


def _ignore_ctrl_c() -> None:
    import threading

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _complete() -> int:
    from flashsale.cli.completion.answers import print_answers

    print_answers(os.environ)
    return 0


def _guarded(arguments: list[str]) -> int:
    """Run, and turn whatever comes out into text on stderr and an exit code."""
    from typer.exceptions import TyperException

    from flashsale.cli import output
    from flashsale.cli.options.global_options import Shared

    failure: FlashsaleError
    typed = Shared(debug="--debug" in arguments)
    try:
        code = _run(arguments, typed)
        sys.stdout.flush()
        return code
    except FlashsaleError as error:
        failure = error
    except TyperException as error:
        from flashsale.cli.usage_errors import usage_error

        failure = usage_error(error, arguments)
        failure.__cause__ = error
    except (BrokenPipeError, output.ReaderLeftError):
        return 0
    except OSError as error:
        failure = _system_error(error)
        failure.__cause__ = error
    except Exception as error:  # noqa: BLE001 - the last line: a bug must not end in a wall of text
        failure = FlashsaleError(
            f"flashsale met a bug: {type(error).__name__}: {error}", hint=BUG_HINT
        )
        failure.__cause__ = error
    from flashsale.cli.hints import placed

    failure.hint = placed(failure.hint, typed, arguments)
    output.show_error(failure, debug=typed.debug)
    return failure.exit_code


def _run(arguments: list[str], typed: Shared) -> int:
    from flashsale.cli.program import application

    if any(word[:1] == "-" != word[1:2] or word[:1] >= "\u2010" for word in arguments):
        from flashsale.cli.usage_errors import odd_dash

        if error := odd_dash(arguments):
            raise error
    plugin = os.path.basename(sys.argv[0]).startswith("kubectl-flashsale")  # `kubectl flashsale`
    name = "kubectl flashsale" if plugin else "flashsale"
    result: Any = application()(args=arguments, prog_name=name, standalone_mode=False, obj=typed)
    return result if isinstance(result, int) else 0


def _system_error(error: OSError) -> FlashsaleError:
    from flashsale.cli.stdio import STDOUT

    if why := error.strerror if error.filename == STDOUT else _unwritable():
        return FlashsaleError(
            f"stdout cannot be written: {why}.",
            hint=Hint(words="write it elsewhere: flashsale ... > FILE"),
        )
    where = f" ({error.filename})" if error.filename else ""
    return FlashsaleError(
        f"The system refused: {error.strerror or error}{where}.", hint="flashsale doctor"
    )


def _unwritable() -> str:
    """Say why stdout takes nothing; empty if it does, and it was another file that did not."""
    try:
        sys.stdout.flush()  # what could not be written is still in its buffer
    except OSError as error:
        return "it is closed" if error.errno == errno.EBADF else error.strerror or str(error)
    return ""
