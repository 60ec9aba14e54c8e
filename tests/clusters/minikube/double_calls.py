"""Has flashsale, in the process of the tests, start the double by what forks it."""

from __future__ import annotations

import asyncio
import os
import shutil
from asyncio import StreamReader
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.forking.client import ForkedProcess, request, server

MODULE = "tests.clusters.minikube.forking_double"


class ForkedCall:
    """A call of the double that runs: as much of asyncio's `Process` as is needed."""

    def __init__(self, process: ForkedProcess, stdout: StreamReader, stderr: StreamReader) -> None:
        self.pid, self.stdout, self.stderr = process.pid, stdout, stderr
        self._process = process
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(process.fileno(), self._end)

    @property
    def returncode(self) -> int | None:
        """Its exit code, once it has ended."""
        return self._process.returncode

    def _end(self) -> None:
        self._loop.remove_reader(self._process.fileno())
        self._process.wait()
        self._ended.set()

    async def wait(self) -> int | None:
        """Return the exit code once it has ended."""
        await self._ended.wait()
        return self.returncode


async def fork_double(
    code: Path, words: tuple[str, ...], environment: Mapping[str, str], limit: int
) -> ForkedCall:
    """Start a call.

    Args:
        code: the compiled double.
        limit: bytes of a line of its output.
    """
    address = server("-SE", "-m", MODULE, str(code))
    asked = request(words, environment, Path.cwd(), session=True)
    (stdout, out), (stderr, err), nothing = os.pipe(), os.pipe(), os.open(os.devnull, os.O_RDONLY)
    process = ForkedProcess(address, asked, [nothing, out, err])
    for descriptor in (nothing, out, err):
        os.close(descriptor)
    return ForkedCall(process, await _stream(stdout, limit), await _stream(stderr, limit))


async def _stream(descriptor: int, limit: int) -> StreamReader:
    stream = StreamReader(limit)
    file = os.fdopen(descriptor, "rb", 0)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), file)
    return stream


def forking_programs(code: Path, script: str) -> dict[str, Any]:
    """Return asyncio's names, with a way to start programs that forks the double.

    Args:
        script: what a file contains that is the double, and not what a test has put there.
    """

    def is_double(program: str) -> bool:
        return Path(program).read_bytes() == script.encode()

    async def start(*command: str, **options: Any) -> Any:
        environment = options["env"] or os.environ
        found = shutil.which(command[0], path=environment.get("PATH"))
        if found and not options["pass_fds"] and is_double(found):
            return await fork_double(code, command, environment, options["limit"])
        return await asyncio.create_subprocess_exec(*command, **options)

    return {**vars(asyncio), "create_subprocess_exec": start}
