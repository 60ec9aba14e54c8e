"""Lets a command that was forked have its cluster forked, too: a cluster's imports take longest."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import IO

from flashsale.embedded.process import launch
from tests.forking.client import ForkedProcess, request


def start(
    server: str,
    command: Sequence[str],
    *,
    stdout: IO[bytes],
    stderr: IO[bytes],
    pass_fds: Sequence[int],
    cwd: Path,
    stdin: int,
    start_new_session: bool,
) -> ForkedProcess:
    """Start a cluster's process as `subprocess.Popen` would with these arguments."""
    assert stdin == subprocess.DEVNULL
    words = command[command.index("flashsale.embedded.process") + 1 : -1]  # without the file
    asked = request(words, os.environ, cwd, cluster=True, session=start_new_session)
    with open(os.devnull) as nothing:
        files = [nothing.fileno(), stdout.fileno(), stderr.fileno(), *pass_fds]
        return ForkedProcess(server, asked, files)


def let_them_be_forked(server: str) -> None:
    """Have `launch` start clusters by the server at an address."""
    forking = {**vars(subprocess), "Popen": partial(start, server)}
    launch.subprocess = SimpleNamespace(**forking)  # type: ignore[assignment]
