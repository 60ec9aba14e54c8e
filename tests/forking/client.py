"""Asks for a process, and waits for its end."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import Self, TextIO
from uuid import uuid4

ROOT = Path(__file__).parents[2]
MODULE = ("-m", "tests.forking")
SOON = 60.0  # seconds


@cache
def server(*python: str) -> str:
    """Start what forks, once for all workers of a run; gives the address of its socket.

    Requests may be sent before it is ready for them. It ends with the process of the whole run.

    Args:
        python: the arguments of Python, for another one than that of the program.
    """
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", "")
    name = f"{run or uuid4().hex}-{zlib.crc32(repr(python).encode())}"
    folder = Path(tempfile.gettempdir()) / f"flashsale-tests-{name}"
    address = folder / "socket"
    try:
        folder.mkdir(0o700)
    except FileExistsError:  # another worker starts it
        end = time.monotonic() + SOON
        while not address.exists():
            assert time.monotonic() < end, f"nobody listens at {address}"
            time.sleep(0.01)
        return str(address)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "new"))
        listener.listen()
        words = [str(address), str(listener.fileno()), str(os.getppid() if run else os.getpid())]
        subprocess.Popen(
            [sys.executable, *(python or MODULE), *words],
            env={"PATH": "/usr/bin:/bin"},  # as bare as that of the commands
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            pass_fds=[listener.fileno()],
        ).returncode = 0  # nobody waits for its end
        (folder / "new").rename(address)
    return str(address)


def request(
    words: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    *,
    cluster: bool = False,
    session: bool = False,
) -> bytes:
    """Write what is asked for: a command, or a cluster's process; either in a session of its own.

    Descriptors after the third are the last words of a cluster's process.
    """
    asked = {"words": words, "environment": dict(environment), "folder": str(folder)}
    return json.dumps({**asked, "cluster": cluster, "session": session}).encode()


class ForkedProcess:
    """A process that was forked for us: as much of `subprocess.Popen` as is needed."""

    def __init__(self, address: str, request: bytes, streams: Sequence[int]) -> None:
        self.returncode: int | None = None
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(address)
        socket.send_fds(self._connection, [request], streams)
        self.pid = self._number()

    def __del__(self) -> None:
        """A cluster lives on, and nobody asks for its exit code."""
        self._connection.close()

    def _number(self) -> int:
        line = b""
        while not line.endswith(b"\n"):
            more = self._connection.recv(1)
            assert more, "what forks has ended"
            line += more
        return int(line)

    def fileno(self) -> int:
        """Give a descriptor that can be read from once it has ended."""
        return self._connection.fileno()

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit code once it has ended.

        Raises:
            subprocess.TimeoutExpired: it goes on after so many seconds.
        """
        if self.returncode is None:
            if not select.select([self._connection], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("what was forked", timeout or 0.0)
            self.returncode = self._number()
            self._connection.close()
        return self.returncode

    def poll(self) -> int | None:
        """Return its exit code, None while it goes on."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):  # what forked it has reaped it, and says so next
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)


class ForkedCommand(ForkedProcess):
    """A command whose stdout and stderr are pipes."""

    def __init__(
        self, words: Sequence[str], environment: Mapping[str, str], *, session: bool = False
    ) -> None:
        ends = [os.pipe(), os.pipe()]
        self.stdout: TextIO = os.fdopen(ends[0][0])
        self.stderr: TextIO = os.fdopen(ends[1][0])
        with open(os.devnull) as nothing:
            streams = [nothing.fileno(), ends[0][1], ends[1][1]]
            asked = request(words, environment, Path.cwd(), session=session)
            super().__init__(server(), asked, streams)
        for _, writing in ends:
            os.close(writing)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Return what it wrote until its end, which is forced after so many seconds.

        Raises:
            subprocess.TimeoutExpired: it was forced.
        """
        with self.stdout, self.stderr, ThreadPoolExecutor(2) as threads:
            out, err = threads.submit(self.stdout.read), threads.submit(self.stderr.read)
            try:
                self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
            return out.result(), err.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for its end; nobody reads its output any more."""
        self.stdout.close()
        self.stderr.close()
        self.wait()


def forked(
    words: Sequence[str], environment: Mapping[str, str], limit: float, *, piped: str = ""
) -> tuple[int, str, str]:
    """Run a command to its end, with a short text on stdin; gives exit code, stdout and stderr.

    Raises:
        subprocess.TimeoutExpired: it took longer than so many seconds, and was killed.
    """
    reading, writing = os.pipe()
    with open(writing, "w") as pipe:
        pipe.write(piped)
    with TemporaryFile("w+") as out, TemporaryFile("w+") as err, open(reading) as given:
        streams = [stream.fileno() for stream in (given, out, err)]
        process = ForkedProcess(server(), request(words, environment, Path.cwd()), streams)
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        out.seek(0)
        err.seek(0)
        return code, out.read(), err.read()
