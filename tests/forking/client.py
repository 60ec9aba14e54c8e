"""Asks for a command, and waits for its end."""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

ROOT = Path(__file__).parents[2]


@cache
def server() -> str:
    """Start what forks, once in each process of the tests; gives the address of its socket."""
    folder = TemporaryDirectory(prefix="flashsale-tests-")
    address = str(Path(folder.name) / "socket")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.forking", address],
        env={"PATH": "/usr/bin:/bin"},  # as bare as that of the commands
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"

    def end() -> None:
        process.communicate()  # the end of its stdin is the end of it
        folder.cleanup()

    atexit.register(end)
    return address


def request(
    words: Sequence[str], environment: Mapping[str, str], folder: Path, *, cluster: bool = False
) -> bytes:
    """Write what is asked for: a command, or a cluster's process."""
    asked = {"words": words, "environment": dict(environment), "folder": str(folder)}
    return json.dumps({**asked, "cluster": cluster}).encode()


def forked(
    words: Sequence[str], environment: Mapping[str, str], limit: float
) -> tuple[int, str, str]:
    """Run a command to its end, with nothing on stdin; gives exit code, stdout and stderr.

    Raises:
        subprocess.TimeoutExpired: it took longer than so many seconds, and was killed.
    """
    with (
        TemporaryFile("w+") as out,
        TemporaryFile("w+") as err,
        open(os.devnull) as nothing,
        socket.socket(socket.AF_UNIX) as connection,
    ):
        connection.connect(server())
        streams = [stream.fileno() for stream in (nothing, out, err)]
        socket.send_fds(connection, [request(words, environment, Path.cwd())], streams)
        connection.settimeout(limit)
        with connection.makefile() as answers:
            pid = int(answers.readline())
            try:
                code = int(answers.readline())
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(words, limit) from None
        out.seek(0)
        err.seek(0)
        return code, out.read(), err.read()
