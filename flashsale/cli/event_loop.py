"""The one edge between the commands and the event loop."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from flashsale.base.errors import CTRL_C, SIGHUP, SIGTERM

if TYPE_CHECKING:
    from asyncio import Event, Task
    from collections.abc import Callable, Coroutine, Iterator

T = TypeVar("T")
ECHO = 0.5  # seconds: `timeout` sends its signal twice, to the process and to its group


@dataclass(slots=True)
class Ending:
    """How SIGTERM ends the work: by asking it, where it can be asked, else by cancelling it."""

    ask: Callable[[int], None] | None = None  # gets the exit code


ENDING: ContextVar[Ending] = ContextVar("ENDING")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end; SIGTERM cancels it, lets it tidy up, and leaves with 143.

    So does SIGHUP, of a terminal that was closed, with 129. Ctrl-C does the same through
    ``asyncio.run``, which raises ``KeyboardInterrupt`` afterwards. An ``ExceptionGroup`` of a task
    group is unwrapped to its first error: one sentence is enough.
    """
    edge = _terminable(work)
    try:
        import asyncio

        return asyncio.run(edge)
    except BaseExceptionGroup as group:
        raise first_error(group) from group
    finally:  # after a Ctrl-C during the import nobody has begun either
        edge.close()
        work.close()


async def _terminable(work: Coroutine[Any, Any, T]) -> T:
    import asyncio
    import signal

    ENDING.set(ending := Ending())
    task = asyncio.ensure_future(work)
    asked: list[int] = []

    def stop(code: int) -> None:
        if ending.ask and code == SIGTERM:
            ending.ask(code)
            return
        asked.append(code)
        task.cancel()

    loop = asyncio.get_running_loop()
    codes = {signal.SIGTERM: SIGTERM}
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        codes[signal.SIGHUP] = SIGHUP  # `nohup` has it ignored, and wants that
    try:
        for number, code in codes.items():
            loop.add_signal_handler(number, stop, code)
    except (NotImplementedError, RuntimeError, ValueError):
        return await task  # Windows, or not the main thread
    try:
        return await task
    except asyncio.CancelledError:
        if asked:
            raise SystemExit(asked[0]) from None
        raise
    finally:
        for number in codes:
            loop.remove_signal_handler(number)


@contextmanager
def interruptible(stop: Event, task: Task[Any], *, terminable: bool = False) -> Iterator[list[int]]:
    """Let Ctrl-C set the event; a second one cancels the task, which then leaves with 130.

    Gives the list of what was heard, as exit codes.

    Args:
        terminable: let SIGTERM do the same, which would cancel the task at once.
    """
    import asyncio
    import signal

    loop, heard, last = asyncio.get_running_loop(), list[int](), 0.0

    def interrupt(code: int) -> None:
        nonlocal last
        echo = code == SIGTERM and loop.time() - last < ECHO
        if heard and not echo:
            task.cancel()
        heard.append(code)
        last = loop.time()
        stop.set()

    try:
        loop.add_signal_handler(signal.SIGINT, interrupt, CTRL_C)
    except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
        yield heard
        return
    ending = ENDING.get(Ending())
    ending.ask = interrupt if terminable else None
    try:
        yield heard
    except asyncio.CancelledError:
        if len(heard) > 1:
            raise SystemExit(heard[-1]) from None
        raise
    finally:
        ending.ask = None
        loop.remove_signal_handler(signal.SIGINT)


def first_error(group: BaseExceptionGroup[Any]) -> BaseException:
    """Find the first error in a group of groups."""
    first = group.exceptions[0]
    return first_error(first) if isinstance(first, BaseExceptionGroup) else first
