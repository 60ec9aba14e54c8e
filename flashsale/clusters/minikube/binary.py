"""Calling the `minikube` binary: always for one profile, never in the user's way.

It runs in a process group of its own, so that Ctrl-C in the terminal reaches it only through us:
SIGINT, some patience, then SIGKILL, to the whole group because it starts ssh children.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from flashsale.errors import ClusterUnreachableError

INSTALL = "https://minikube.sigs.k8s.io/docs/start/"
KEPT_LINES = 40  # of stderr, for a failure's details
LINE_LIMIT = 2**20  # bytes; one line of JSON can be long
OWN_GROUP: dict[str, Any] = (
    {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    if sys.platform == "win32"
    else {"start_new_session": True}
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long each thing may take, in seconds."""

    answer: float = 60  # any question; status looks at Docker and the API server
    start: float = 900  # the host and each component may take six minutes
    stop: float = 180
    build: float = 1800
    poll: float = 2  # between two looks at an operation of someone else's
    heartbeat: float = 15  # silence after which a start says that it lives
    interrupt: float = 20  # between SIGINT and SIGKILL
    probe: float = 2  # for a TCP connection to the node
    connect: float = 20  # for an answer of its Docker daemon
    url: float = 30  # for `service --url` to print its line


@dataclass(frozen=True, slots=True)
class Output:
    """What one call gave; a negative code is the signal that ended it."""

    code: int
    stdout: str
    stderr: str  # at most the last lines


def installed() -> bool:
    """Whether there is a `minikube` in PATH."""
    return shutil.which("minikube") is not None


def environment() -> dict[str, str]:
    """Give the user's environment, with texts in English for our logs.

    go-locale reads LANGUAGE before LC_ALL. Nothing else is changed: minikube undoes an active
    docker-env itself, and would take DOCKER_HOST for a remote host if only part of it were removed.
    """
    return {
        **os.environ,
        "LANGUAGE": "en_US",
        "LC_ALL": "C",
        "MINIKUBE_IN_STYLE": "false",
    }


@dataclass(frozen=True, slots=True)
class Binary:
    """minikube, for one profile."""

    profile: str
    patience: Patience = Patience()

    async def ask(self, *words: str, timeout: float | None = None) -> Output:
        """Run one command to its end and return everything it said.

        Raises:
            ClusterUnreachableError: minikube is not installed, or did not end in time.
        """
        return await self.follow(*words, each=lambda _: None, timeout=timeout)

    async def follow(
        self,
        *words: str,
        each: Callable[[str], None],
        each_error: Callable[[str], None] = lambda _: None,
        timeout: float | None = None,
    ) -> Output:
        """Run one command and hand on its lines as they come: stdout to `each`.

        Raises:
            ClusterUnreachableError: minikube is not installed, or did not end in time.
        """
        lines: list[str] = []
        errors: deque[str] = deque(maxlen=KEPT_LINES)
        limit = timeout or self.patience.answer
        try:
            async with asyncio.timeout(limit), self.child(*words) as process:
                async with asyncio.TaskGroup() as readers:
                    readers.create_task(_read(process.stdout, lines.append, each))
                    readers.create_task(_read(process.stderr, errors.append, each_error))
                code = await process.wait()
        except TimeoutError as error:
            raise ClusterUnreachableError(
                f"minikube {words[0]} did not end within {limit:g} s.",
                hint=f"minikube logs -p {self.profile}",
                details="\n".join(errors),
            ) from error
        return Output(code, "".join(f"{line}\n" for line in lines), "\n".join(errors))

    @asynccontextmanager
    async def child(self, *words: str) -> AsyncGenerator[Process]:
        """Hold a running command; it is ended with SIGINT on the way out.

        Raises:
            ClusterUnreachableError: minikube is not installed.
        """
        command = [*words[:1], "-p", self.profile, *words[1:]]
        try:
            process = await asyncio.create_subprocess_exec(
                "minikube",
                *command,
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=PIPE,
                env=environment(),
                limit=LINE_LIMIT,
                **OWN_GROUP,
            )
        except (FileNotFoundError, PermissionError) as error:
            raise ClusterUnreachableError(
                "minikube was not found in PATH.", hint=f"install it: {INSTALL}"
            ) from error
        try:
            yield process
        finally:
            await _end(process, self.patience.interrupt)


async def _read(
    stream: asyncio.StreamReader | None, keep: Callable[[str], None], each: Callable[[str], None]
) -> None:
    assert stream is not None  # both are pipes
    async for raw in stream:
        line = raw.decode(errors="replace").rstrip("\r\n")
        keep(line)
        each(line)


async def _end(process: Process, patience: float) -> None:
    """End a process group: asked first, killed after `patience` seconds or a second Ctrl-C."""
    try:
        if process.returncode is None:
            _signal(process, signal.SIGINT)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(_left(process), patience)
    finally:
        _signal(process, signal.SIGKILL)  # ssh children may outlive their parent


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
