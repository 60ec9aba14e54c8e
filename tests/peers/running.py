"""Real clusters for tests, skipped where the programs are not there."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers import programs
from tests.peers.cluster import DIES_WITH_US
from tests.peers.node import missing_tools

START = Path(__file__).with_name("start")
STOP = Path(__file__).with_name("stop")


def skip_unless_built(names: tuple[str, ...]) -> None:
    """Skip the test where real programs are missing."""
    missing = programs.missing(names)
    if missing:
        pytest.skip(f"needs the real {', '.join(missing)}: run tests/peers/build (with Go)")


def skip_unless_node_can_run() -> None:
    """Skip the test where a node cannot run: without root, runc or iptables."""
    lacking = missing_tools()
    if lacking:
        pytest.skip(f"a real node needs {', '.join(lacking)}")


@contextlib.contextmanager
def real_cluster(folder: Path, *options: str) -> Iterator[Path]:
    """Run a real cluster as long as the block; gives its kubeconfig.

    Args:
        options: of `tests/peers/start`.
    """
    command = [*DIES_WITH_US, sys.executable, str(START), "--foreground", "--folder", str(folder)]
    process = subprocess.Popen(
        [*command, *options],
        env={**os.environ, "FLASHSALE_PEERS": str(programs.FOLDER)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    with process, contextlib.ExitStack() as stack:
        stack.callback(process.terminate)
        first = process.stdout.readline()  # "peers: ready ...", or why it is not
        assert "ready" in first, first + process.stdout.read()
        yield folder / "kubeconfig"
