"""The one edge between the commands and the event loop, and the one place that hears signals."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from flashsale.base.errors import CTRL_C, SIGHUP, SIGTERM

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Event, Task
    from collections.abc import Coroutine, Iterator

T = TypeVar("T")
TURNS = 3  # of the loop, until a signal is heard that came before the work was done
ECHO = 0.5  # seconds: `timeout` sends its signal twice, to the process and to its group


@dataclass(slots=True)
class Signals:
    """What was heard, as exit codes, and what it does: end the work, or first ask it to end."""

    task: Task[Any] | None = None
    stop: Event | None = None  # set by the first signal, where the work can be asked
    asking: tuple[int, ...] = ()  # the codes that ask
    heard: list[int] = field(default_factory=list)
    cancelled: int = 0  # the code of the signal that cancelled the work
    last: float = 0.0  # loop time of the last signal

    def hear(self, code: int, loop: AbstractEventLoop) -> None:
        """Ask the work to end, or cancel it if it was asked before or cannot be."""
        echo = code == SIGTERM and bool(self.heard) and loop.time() - self.last < ECHO
        is_request = self.stop is not None and code in self.asking and not self.heard
        self.heard.append(code)
        self.last = loop.time()
        if self.stop is not None and is_request:
            self.stop.set()
        elif not echo:
            self.cancelled = code
            if self.task:
                self.task.cancel()


SIGNALS: ContextVar[Signals] = ContextVar("SIGNALS")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end; Ctrl-C, SIGTERM and SIGHUP cancel it and let it tidy up.

    The program then leaves with 130, 143 or 129. An ``ExceptionGroup`` of a task group is unwrapped
    to its first error: one sentence is enough.
    """
    edge = _with_signals(work, _free_signals())
    try:
        import asyncio

        return asyncio.run(edge)
    except BaseExceptionGroup as group:
        raise first_error(group) from group
    finally:  # after a Ctrl-C during the import nobody has begun either
        edge.close()
        work.close()


def _free_signals() -> dict[int, int]:
    """Map the signals that have their usual handler to exit codes.

    `nohup` has SIGHUP ignored, and wants that; a program that calls ours may handle Ctrl-C itself.
    """
    import signal

    codes = {"SIGINT": CTRL_C, "SIGTERM": SIGTERM, "SIGHUP": SIGHUP}
    known = {getattr(signal, name): code for name, code in codes.items() if hasattr(signal, name)}
    usual = (signal.SIG_DFL, signal.default_int_handler)
    return {number: code for number, code in known.items() if signal.getsignal(number) in usual}


async def _with_signals(work: Coroutine[Any, Any, T], codes: dict[int, int]) -> T:
    import asyncio

    SIGNALS.set(signals := Signals())  # before the task takes its copy of the context
    loop = asyncio.get_running_loop()
    signals.task = task = asyncio.ensure_future(work)
    try:
        for number, code in codes.items():
            loop.add_signal_handler(number, signals.hear, code, loop)
    except (NotImplementedError, RuntimeError, ValueError):
        return await task  # Windows, or not the main thread
    try:
        await asyncio.wait([task])
        for _ in range(TURNS):
            await asyncio.sleep(0)
    finally:
        for number in codes:
            loop.remove_signal_handler(number)
            if signals.cancelled:
                ignore(number)
    if signals.cancelled:
        raise SystemExit(signals.cancelled)
    return task.result()


def ignore(number: int) -> None:
    """Ignore a signal from now on: leaving has begun, and the exit code is known."""
    import signal

    signal.signal(number, signal.SIG_IGN)


@contextmanager
def interruptible(stop: Event, *, terminable: bool = False) -> Iterator[list[int]]:
    """Let the first Ctrl-C set the event; a second one cancels the work, which leaves with 130.

    Gives the list of what was heard, as exit codes.

    Args:
        terminable: let SIGTERM do the same, which would cancel the work at once.
    """
    signals = SIGNALS.get()
    signals.stop, signals.asking = stop, (CTRL_C, SIGTERM) if terminable else (CTRL_C,)
    try:
        yield signals.heard
    finally:
        signals.stop, signals.asking = None, ()


def first_error(group: BaseExceptionGroup[Any]) -> BaseException:
    first = group.exceptions[0]
    return first_error(first) if isinstance(first, BaseExceptionGroup) else first
