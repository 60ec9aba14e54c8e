"""Open files of ours whose other ends are streams of a process: they never block the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from flashsale.embedded.kubelet.runtime.processes import StandardStreams

BLOCK = 32 * 1024  # bytes that are read at once


@dataclass(slots=True)
class Descriptor:
    """An open file that does not block, waited for on the event loop."""

    number: int  # -1 once it is closed
    _waiters: set[asyncio.Future[None]] = field(default_factory=set)
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        os.set_blocking(self.number, False)

    async def read(self, ended: asyncio.Future[int]) -> bytes:
        """Return what is there, once something is; nothing at the end.

        Args:
            ended: done when the writer has ended: then nothing more is waited for, although what it
                started may hold the other side open.
        """
        loop = asyncio.get_running_loop()
        while self.number >= 0:
            try:
                return os.read(self.number, BLOCK)
            except BlockingIOError:
                if ended.done():
                    break
                await self._usable(loop.add_reader, loop.remove_reader, ended)
            except OSError:  # EIO: nobody has the terminal open any more
                break
        return b""

    async def write(self, data: bytes) -> None:
        """Write all of it in one piece, unless nobody reads."""
        loop, left = asyncio.get_running_loop(), memoryview(data)
        async with self._writing:
            while left and self.number >= 0:
                try:
                    left = left[os.write(self.number, left) :]
                except BlockingIOError:
                    await self._usable(loop.add_writer, loop.remove_writer)
                except OSError:
                    return

    def close(self) -> None:
        """Close it; safe to call again."""
        if self.number >= 0:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self.number)
            loop.remove_writer(self.number)
            os.close(self.number)
            self.number = -1
            for waiter in self._waiters:
                _wake(waiter)

    async def _usable(
        self,
        add: Callable[..., None],
        remove: Callable[[int], bool],
        ended: asyncio.Future[int] | None = None,
    ) -> None:
        """Wait until the file can be used, is closed, or ``ended`` is done."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def wake(_: object = None) -> None:
            _wake(waiter)

        add(self.number, wake)
        self._waiters.add(waiter)
        if ended:
            ended.add_done_callback(wake)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)
            if ended:
                ended.remove_done_callback(wake)
            if self.number >= 0:
                remove(self.number)


class CommandInput:
    """What goes into a command: its standard input, the size of its terminal."""

    def __init__(self, stdin: Descriptor | None, terminal: Descriptor | None) -> None:
        """Keep our ends; where there is none, what is given goes nowhere."""
        self.stdin, self.terminal = stdin, terminal

    async def write(self, data: bytes) -> None:
        """Give input to the command; one that reads none any more is not disturbed."""
        if self.stdin:
            await self.stdin.write(data)

    def close_stdin(self) -> None:
        """End the input. A terminal's has no end: who leaves it hangs up."""
        if self.stdin and not self.terminal:
            self.stdin.close()

    def resize(self, width: int, height: int) -> None:
        """Give the terminal a size; the kernel tells those who run in it."""
        if self.terminal and self.terminal.number >= 0:
            import termios

            with contextlib.suppress(OSError, OverflowError):
                termios.tcsetwinsize(self.terminal.number, (height, width))

    def close(self) -> None:
        """Close our ends; safe to call again."""
        for descriptor in (self.stdin, self.terminal):
            if descriptor:
                descriptor.close()


def container_streams(
    ours: ExitStack, theirs: ExitStack, *, stdin: bool, tty: bool
) -> tuple[int, CommandInput, StandardStreams]:
    """Open the streams of a container: its whole output, what goes in, and its ends of both."""
    reading, writing = os.openpty() if tty else os.pipe()
    ours.callback(os.close, reading)
    theirs.callback(os.close, writing)
    os.set_blocking(reading, False)
    given, command_input = subprocess.DEVNULL, CommandInput(None, None)
    ours.callback(command_input.close)
    if tty:
        given, command_input.terminal = writing, Descriptor(os.dup(reading))
        command_input.stdin = command_input.terminal if stdin else None
    elif stdin:
        given, ending = os.pipe()
        theirs.callback(os.close, given)
        command_input.stdin = Descriptor(ending)
    return reading, command_input, StandardStreams(given, writing, writing, tty)


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
