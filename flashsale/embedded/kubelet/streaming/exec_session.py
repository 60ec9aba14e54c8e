"""A command that somebody talks with while it runs in a container: pipes, or a terminal."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field

from flashsale.embedded.kubelet.runtime.instance import Instance, oci_reason
from flashsale.embedded.kubelet.runtime.processes import Process, StandardStreams

BLOCK = 32 * 1024  # bytes that are read at once
STDOUT, STDERR = 1, 2


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """Which streams of a command a client wants."""

    stdin: bool = False
    stdout: bool = False
    stderr: bool = False
    tty: bool = False


@dataclass(slots=True)
class Descriptor:
    """An open file that does not block, waited for on the event loop."""

    number: int  # -1 once it is closed
    _waiters: set[asyncio.Future[None]] = field(default_factory=set)

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
        """Write all of it, unless nobody reads."""
        loop = asyncio.get_running_loop()
        while data and self.number >= 0:
            try:
                data = data[os.write(self.number, data) :]
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


@dataclass(frozen=True, slots=True)
class ExecSession:
    """A running command, and our ends of its streams."""

    process: Process
    outputs: dict[int, Descriptor]  # by the number that the stream has in the command
    stdin: Descriptor | None = None
    terminal: Descriptor | None = None

    async def read(self, stream: int) -> bytes:
        """Return what the command has written to STDOUT or STDERR; nothing at the end."""
        return await self.outputs[stream].read(self.process.ended)

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

    async def wait(self) -> int:
        """Return the exit code once the command has ended, 128 + N after signal N."""
        return await self.process.wait()


class UnstartedCommand:
    """A command that cannot be run: its output says why, as Docker's does, and it has ended."""

    def __init__(self, program: str, error: OSError, stream: int) -> None:
        self._code = 127 if isinstance(error, FileNotFoundError) else 126
        self._stream = stream
        self._words = f"OCI runtime exec failed: exec failed: {oci_reason(program, error)}\r\n"

    @property
    def outputs(self) -> tuple[int]:
        """The one stream that has the words."""
        return (self._stream,)

    async def read(self, stream: int) -> bytes:
        """Return the words, once."""
        words, self._words = self._words, ""
        return words.encode()

    async def write(self, data: bytes) -> None:
        """Take nothing."""

    def close_stdin(self) -> None:
        """Nothing was open."""

    def resize(self, width: int, height: int) -> None:
        """Nothing has a size."""

    async def wait(self) -> int:
        """Return the code that a shell gives for that: 127 not found, 126 not to be run."""
        return self._code


@asynccontextmanager
async def exec_session(
    instance: Instance, command: Sequence[str], options: StreamOptions
) -> AsyncIterator[ExecSession | UnstartedCommand]:
    """Run a command in a container; it is killed where the block is left before its end."""
    with ExitStack() as ours:

        def keep(number: int) -> Descriptor:
            kept = Descriptor(number)
            ours.callback(kept.close)
            return kept

        with ExitStack() as theirs:

            def give(number: int) -> int:
                theirs.callback(os.close, number)
                return number

            stdin = terminal = unstarted = None
            outputs: dict[int, Descriptor] = {}
            if options.tty:
                master, slave = os.openpty()
                terminal = keep(master)
                outputs[STDOUT] = terminal
                stdin = terminal if options.stdin else None
                given = [give(slave)] * 3
            else:
                given = [subprocess.DEVNULL] * 3
                if options.stdin:
                    reading, writing = os.pipe()
                    stdin, given[0] = keep(writing), give(reading)
                for stream, wanted in ((STDOUT, options.stdout), (STDERR, options.stderr)):
                    if wanted:
                        reading, writing = os.pipe()
                        outputs[stream], given[stream] = keep(reading), give(writing)
            streams = StandardStreams(given[0], given[1], given[2], options.tty)
            try:
                process = await instance.spawn(command, streams)
            except OSError as error:
                stream = STDERR if options.stderr and not options.stdout else STDOUT
                unstarted = UnstartedCommand(command[0], error, stream)
        if unstarted:
            yield unstarted
            return
        try:
            yield ExecSession(process, outputs, stdin, terminal)
        finally:
            process.kill()


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
