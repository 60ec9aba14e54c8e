"""Running other programs: minikube, kind, k3d. Never in the user's way, never left behind.

Each runs in a process group of its own, so that Ctrl-C in the terminal reaches it only through us:
SIGINT, some patience, then SIGKILL, to the whole group because such programs start ssh and others.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shlex
import signal
import subprocess
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

LOG = logging.getLogger(__name__)

Each = Callable[[str], None]

CLOSING = 1.0  # seconds for the pipes of a killed group to close
KEPT_LINES = 40  # of stderr, for a failure's details
LINE_LIMIT = 2**20  # bytes; one line of JSON can be long
CHUNK = 2**16  # bytes that are read at once
OWN_GROUP: dict[str, Any] = (
    {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    if sys.platform == "win32"
    else {"start_new_session": True}
)


@dataclass(frozen=True, slots=True)
class Output:
    """What one call gave; a negative code is the signal that ended it."""

    code: int
    stdout: str
    stderr: str  # at most the last lines


def nothing(_: str) -> None:
    """Take a line and do nothing."""


async def run_program(
    *command: str,
    each: Each = nothing,
    each_error: Each = nothing,
    timeout: float,
    patience: float,
    environment: Mapping[str, str] | None = None,
) -> Output:
    """Run a program to its end and hand on its lines as they come: stdout to `each`.

    Args:
        timeout: seconds for all of it.
        patience: seconds between SIGINT and SIGKILL when it has to end early.

    Raises:
        FileNotFoundError: there is no such program.
        TimeoutError: the time is up; the program has ended.
    """
    lines: list[str] = []
    errors: deque[str] = deque(maxlen=KEPT_LINES)
    async with (
        asyncio.timeout(timeout),
        child(*command, patience=patience, environment=environment) as process,
    ):
        async with asyncio.TaskGroup() as readers:
            readers.create_task(_read(process.stdout, lines.append, each))
            readers.create_task(_read(process.stderr, errors.append, each_error))
        code = await process.wait()
    LOG.debug("%s ended with %s", command[0], code)
    return Output(code, "".join(f"{line}\n" for line in lines), "\n".join(errors))


@asynccontextmanager
async def child(
    *command: str,
    patience: float,
    environment: Mapping[str, str] | None = None,
    kept_open: Sequence[int] = (),
) -> AsyncGenerator[Process]:
    """Hold a running program; with all that it started, it is ended on the way out.

    Args:
        kept_open: file descriptors that it inherits.

    Raises:
        FileNotFoundError: there is no such program.
    """
    LOG.info("running %s", shlex.join(command))
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        env=environment,
        limit=LINE_LIMIT,
        pass_fds=kept_open,
        **OWN_GROUP,
    )
    try:
        yield process
    finally:
        await _end(process, patience)


async def _read(
    stream: asyncio.StreamReader | None, keep: Callable[[str], None], each: Callable[[str], None]
) -> None:
    assert stream is not None  # both are pipes

    def take(raw: bytes) -> None:
        line = raw.decode(errors="replace").rstrip("\r")
        keep(line)
        each(line)

    parts: list[bytes] = []  # of a line, which may be longer than what asyncio would hold
    while chunk := await stream.read(CHUNK):
        first, *others = chunk.split(b"\n")
        parts.append(first)
        for following in others:
            take(b"".join(parts))
            parts = [following]
    if last := b"".join(parts):
        take(last)


async def _end(process: Process, patience: float) -> None:
    """End a process group: asked first, killed after `patience` seconds or a second Ctrl-C."""
    try:
        if process.returncode is None:
            _signal(process, signal.SIGINT)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(_left(process), patience)
    finally:
        _signal(process, signal.SIGKILL)  # ssh children may outlive their parent
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(_closed(process), CLOSING)


async def _closed(process: Process) -> None:
    """Return once its pipes are closed: those that are open when the loop ends make a noise."""
    for stream in (process.stdout, process.stderr):
        if stream:
            await stream.read()
    await process.wait()
    await asyncio.sleep(0)  # the transport is told in the loop's next turn


async def _left(process: Process) -> None:
    """Return once the command itself has ended; `wait` goes on while a child holds its pipes."""
    while process.returncode is None:  # noqa: ASYNC110 - asyncio tells it in no other way
        await asyncio.sleep(0.02)


def _signal(process: Process, number: signal.Signals) -> None:
    if sys.platform == "win32":  # Go takes CTRL_BREAK for os.Interrupt
        with contextlib.suppress(ProcessLookupError, OSError):
            ask = number == signal.SIGINT
            process.send_signal(signal.CTRL_BREAK_EVENT) if ask else process.kill()
        return
    # macOS answers EPERM for a group of which only a zombie is left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
