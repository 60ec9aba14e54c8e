"""The one edge between the commands and the event loop."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from flashsale.errors import CTRL_C, SIGHUP, SIGTERM

if TYPE_CHECKING:
    from asyncio import Event, Task
    from collections.abc import Coroutine, Iterator

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end; SIGTERM cancels it, lets it tidy up, and leaves with 143.

    So does SIGHUP, of a terminal that was closed, with 129. Ctrl-C does the same through
    ``asyncio.run``, which raises ``KeyboardInterrupt`` afterwards. An ``ExceptionGroup`` of a task
    group is unwrapped to its first error: one sentence is enough.
    """
    import asyncio

    try:
        return asyncio.run(_terminable(work))
    except BaseExceptionGroup as group:
        raise first_error(group) from group


async def _terminable(work: Coroutine[Any, Any, T]) -> T:
    import asyncio
    import signal

    task = asyncio.ensure_future(work)
    asked: list[int] = []

    def stop(code: int) -> None:
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
def interruptible(stop: Event, task: Task[Any]) -> Iterator[None]:
    """Let Ctrl-C set the event; a second one cancels the task, which then leaves with 130."""
    import asyncio
    import signal

    again: list[bool] = []

    def interrupt() -> None:
        if stop.is_set():
            again.append(True)
            task.cancel()
        stop.set()

    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGINT, interrupt)
    except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
        yield
        return
    try:
        yield
    except asyncio.CancelledError:
        if again:
            raise SystemExit(CTRL_C) from None
        raise
    finally:
        loop.remove_signal_handler(signal.SIGINT)


def first_error(group: BaseExceptionGroup[Any]) -> BaseException:
    """Find the first error in a group of groups."""
    first = group.exceptions[0]
    return first_error(first) if isinstance(first, BaseExceptionGroup) else first
