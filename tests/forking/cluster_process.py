"""Lets a command that was forked have its cluster forked, too: a cluster's imports take longest."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import IO

from flashsale.embedded.process import launch
from tests.forking.client import request


class ClusterProcess:
    """As much of a `Popen` as whoever starts a cluster needs."""

    def __init__(
        self,
        server: str,
        command: Sequence[str],
        *,
        stdout: IO[bytes],
        stderr: IO[bytes],
        pass_fds: Sequence[int],
        cwd: Path,
        stdin: int,
        start_new_session: bool,
    ) -> None:
        assert stdin == subprocess.DEVNULL
        assert start_new_session
        self.returncode: int | None = None
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(server)
        words = command[command.index("flashsale.embedded.process") + 1 : -1]  # without the file
        with open(os.devnull) as nothing:
            files = [nothing.fileno(), stdout.fileno(), stderr.fileno(), *pass_fds]
            sent = request(words, os.environ, cwd, cluster=True)
            socket.send_fds(connection, [sent], files)
        self._answers = connection.makefile()
        self.pid = int(self._answers.readline())

    def kill(self) -> None:
        """SIGKILL."""
        os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; returns the exit code."""
        if self.returncode is None:
            self.returncode = int(self._answers.readline())
        return self.returncode


def let_them_be_forked(server: str) -> None:
    """Have `launch` start clusters by the server at an address."""
    forking = {**vars(subprocess), "Popen": partial(ClusterProcess, server)}
    launch.subprocess = SimpleNamespace(**forking)  # type: ignore[assignment]
