"""Lets a command that was forked have its cluster forked, too: a cluster's imports take longest."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import IO

from flashsale.embedded.process import launch
from flashsale.embedded.process.cluster_directory import RunningCluster
from tests.forking.client import ForkedProcess, request, server


def start(
    address: str,
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
        return ForkedProcess(address, asked, files)


def let_them_be_forked(address: str) -> None:
    """Have `launch` start clusters by the server at an address."""
    forking = {**vars(subprocess), "Popen": partial(start, address)}
    launch.subprocess = SimpleNamespace(**forking)  # type: ignore[assignment]


@contextmanager
def forked_clusters() -> Iterator[None]:
    """Have `launch` start clusters by the server, in the process of the tests itself."""
    if sys.platform != "linux":
        yield
        return
    let_them_be_forked(server())
    try:
        yield
    finally:
        launch.subprocess = subprocess


def start_forked_cluster(home: Path) -> RunningCluster:
    """Start a cluster as `launch` does, but for its imports."""
    with forked_clusters():
        return launch.start_cluster(home)
