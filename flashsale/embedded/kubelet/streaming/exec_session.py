"""A command that somebody talks with while it runs in a container: pipes, or a terminal."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

from flashsale.embedded.kubelet.descriptors import CommandInput, Descriptor
from flashsale.embedded.kubelet.runtime.instance import Instance
from flashsale.embedded.kubelet.runtime.processes import Process, StandardStreams, oci_reason

STDOUT, STDERR = 1, 2


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """Which streams of a command a client wants."""

    stdin: bool = False
    stdout: bool = False
    stderr: bool = False
    tty: bool = False


class ExecSession(CommandInput):
    """A running command, and our ends of its streams."""

    def __init__(
        self,
        process: Process,
        outputs: Mapping[int, Descriptor],
        stdin: Descriptor | None,
        terminal: Descriptor | None,
    ) -> None:
        super().__init__(stdin, terminal)
        self.process = process
        self.outputs = outputs  # by the number that the stream has in the command

    async def read(self, stream: int) -> bytes:
        return await self.outputs[stream].read(self.process.ended)

    async def wait(self) -> int:
        return await self.process.wait()


class UnstartedCommand(CommandInput):
    """A command that cannot be run: its output says why, as Docker's does, and it has ended."""

    def __init__(self, program: str, error: OSError, stream: int) -> None:
        super().__init__(None, None)
        self.outputs = (stream,)
        self._code = 127 if isinstance(error, FileNotFoundError) else 126
        self._words = f"OCI runtime exec failed: exec failed: {oci_reason(program, error)}\r\n"

    async def read(self, stream: int) -> bytes:
        """Return the words, once."""
        words, self._words = self._words, ""
        return words.encode()

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
