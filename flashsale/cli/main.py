"""What people type. One module a command; each parses, calls one function, prints one view.

This package's face is :func:`main`, the one boundary where errors become sentences and exit codes.
Importing it costs next to nothing: even Typer waits until something is typed.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING, Any

from flashsale.base.errors import CTRL_C, FlashsaleError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Handler = Callable[[int, Any], object]

BUG_HINT = "flashsale --debug ... shows where; please report it with that text"


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command line, ``sys.argv`` by default.

    Returns when all went well; leaves through ``SystemExit`` with the documented code otherwise.
    """
    ctrl_c_leaves()
    from flashsale.cli.stdio import let_go, prepare

    prepare()
    arguments = list(sys.argv[1:] if argv is None else argv)
    code = _guarded(arguments)
    ctrl_c_leaves()
    let_go()
    if argv is not None:  # then this is somebody else's process, which goes on
        ctrl_c_interrupts()
    if code:
        sys.exit(code)


def ctrl_c_leaves() -> None:
    """Let Ctrl-C end the program without a word, while there is nothing to tidy up.

    Python would tell where it was: in an import, or on its way out. A handler of somebody else's
    stays, and so does the ignoring that `nohup` and shells ask for.
    """
    import signal

    _on_ctrl_c(signal.default_int_handler, leave)


def ctrl_c_interrupts() -> None:
    """Let Ctrl-C raise KeyboardInterrupt again where it would leave."""
    import signal

    _on_ctrl_c(leave, signal.default_int_handler)


def leave(signum: int, frame: object) -> None:
    """End the process at once."""
    os._exit(CTRL_C)


def _on_ctrl_c(before: Handler, after: Handler) -> None:
    import signal

    if signal.getsignal(signal.SIGINT) is before:
        try:
            signal.signal(signal.SIGINT, after)
        except ValueError:
            return  # not the main thread, the one that Ctrl-C reaches


def _guarded(arguments: list[str]) -> int:
    """Run, and turn whatever comes out into text on stderr and an exit code."""
    from typer.exceptions import TyperException

    from flashsale.cli import output

    debug = "--debug" in arguments
    try:
        code = _run(arguments)
        sys.stdout.flush()
        return code
    except FlashsaleError as error:
        output.show_error(error, debug=debug)
        return error.exit_code
    except TyperException as error:
        output.show_usage_error(error, debug=debug)
        return error.exit_code
    except KeyboardInterrupt:
        return CTRL_C
    except (BrokenPipeError, output.ReaderLeftError):
        return 0
    except OSError as error:
        output.show_error(_said_by_the_system(error), debug=debug)
        return FlashsaleError.exit_code
    except Exception as error:  # noqa: BLE001 - the last line: a bug must not end in a wall of text
        bug = FlashsaleError(f"flashsale met a bug: {type(error).__name__}: {error}", hint=BUG_HINT)
        output.show_error(bug, debug=debug)
        return FlashsaleError.exit_code


def _run(arguments: list[str]) -> int:
    from flashsale.cli.program import application

    name = "kubectl flashsale" if _plugin() else "flashsale"
    result: Any = application()(args=arguments, prog_name=name, standalone_mode=False)
    return result if isinstance(result, int) else 0


def _plugin() -> bool:
    """Whether kubectl called us: `kubectl flashsale` runs a program named kubectl-flashsale."""
    return os.path.basename(sys.argv[0]).startswith("kubectl-flashsale")


def _said_by_the_system(error: OSError) -> FlashsaleError:
    if words := _unwritable():
        return FlashsaleError(
            f"stdout cannot be written: {words}.", hint="write it elsewhere: flashsale ... > FILE"
        )
    where = f" ({error.filename})" if error.filename else ""
    return FlashsaleError(
        f"The system refused: {error.strerror or error}{where}.",
        hint="flashsale doctor",
    )


def _unwritable() -> str:
    """Say why stdout takes nothing; empty if it does, and it was another file that did not."""
    try:
        sys.stdout.flush()  # what could not be written is still in its buffer
    except OSError as error:
        return "it is closed" if error.errno == errno.EBADF else error.strerror or str(error)
    return ""
