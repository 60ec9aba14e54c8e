"""No pod outlives the cluster's process, however that goes."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flashsale.embedded.kubelet.images.image_store import ImageStore
from flashsale.embedded.kubelet.runtime.lifeline import SCRIPT, Lifeline
from flashsale.embedded.kubelet.runtime.processes import handles, on_exit, spawn
from tests.embedded.kubelet.cluster import Cluster, MemoryAPI, env, spec
from tests.embedded.kubelet.runtime.test_stop_container import alive

# A cluster process with two pods; it prints the ids of all their processes, and waits.
PROGRAM = """
import asyncio, sys
from pathlib import Path
from flashsale.embedded.kubelet.images.image_store import ImageStore
from tests.embedded.kubelet.cluster import Cluster, MemoryAPI, READY_AT_ONCE, spec

async def main():
    root, store = map(Path, sys.argv[1:])
    async with Cluster(root, ImageStore(store), MemoryAPI()) as cluster:
        for name in ("page", "toggle"):
            image = "flashsale:1.0" if name == "page" else "toggle:1.0"
            cluster.api.create(name, spec(image, readinessProbe=READY_AT_ONCE))
        for name in ("page", "toggle"):
            await cluster.ready(name)
        print(cluster.kubelet._lifeline.pid, cluster.pid("page"), cluster.pid("toggle"), flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


def group(leader: int) -> list[int]:
    """Return the processes of a group."""
    found = subprocess.run(["pgrep", "-g", str(leader)], capture_output=True, text=True, check=True)
    return [int(pid) for pid in found.stdout.split()]


def gone(pids: list[int], limit: float) -> bool:
    """Whether all processes have ended in time (seconds)."""
    deadline = time.monotonic() + limit
    while any(map(alive, pids)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def running(command: list[str]) -> subprocess.Popen[str]:
    """Start the cluster program."""
    root = Path(__file__).parents[4]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)


@pytest.mark.parametrize("guarded", [True, False])
def test_sigkill_of_the_cluster_leaves_nothing_within_a_second(
    images: ImageStore, tmp_path: Path, guarded: bool
) -> None:
    """gunicorn's workers included; on Linux the first processes go even without the guard."""
    store = str(images._names.parent)
    with running([sys.executable, "-c", PROGRAM, str(tmp_path), store]) as cluster:
        assert cluster.stdout
        guard, *leaders = map(int, cluster.stdout.readline().split())
        pids = [pid for leader in leaders for pid in group(leader)]
        assert len(pids) >= 3
        if not guarded:
            if sys.platform != "linux":
                pytest.skip("the kernel's own help is Linux's")
            os.kill(cluster.pid, signal.SIGSTOP)  # so that it cannot start another guard
            os.kill(guard, signal.SIGKILL)
        cluster.kill()
        cluster.wait()
        assert gone(leaders if not guarded else [*pids, guard], 1.0)


async def test_a_guard_that_dies_is_replaced_and_knows_everything() -> None:
    """The new one kills what the old one was told of."""
    lifeline = Lifeline()
    lifeline.start()
    first = lifeline.pid
    process = spawn(["sleep", "60"], env={}, cwd=Path("/"), output=1, groups=lifeline)
    os.kill(first, signal.SIGKILL)
    async with asyncio.timeout(5):
        while lifeline.pid in (0, first):  # noqa: ASYNC110  (nothing tells)
            await asyncio.sleep(0.01)
    lifeline.close()
    assert await process.wait() == 137


def test_the_guard_ignores_who_wants_to_stop_the_cluster() -> None:
    """Ctrl-C reaches the whole terminal; the guard must be the last to go."""
    with subprocess.Popen([sys.executable, "-I", "-S", SCRIPT], stdin=subprocess.PIPE) as guard:
        assert guard.stdin
        deadline = time.monotonic() + 5
        while not ignores(guard.pid, signal.SIGTERM):
            assert time.monotonic() < deadline
        guard.send_signal(signal.SIGTERM)
        guard.send_signal(signal.SIGINT)
        guard.stdin.close()
        assert guard.wait(5) == 0


def ignores(pid: int, number: int) -> bool:
    """Whether a process ignores a signal, as Linux tells it."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    mask = next(int(line.split()[1], 16) for line in lines if line.startswith("SigIgn:"))
    return bool(mask >> (number - 1) & 1)


async def test_without_pidfds_the_end_of_a_process_is_heard_as_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, images: ImageStore
) -> None:
    """As on macOS: a thread waits."""
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    async with Cluster(tmp_path, images, MemoryAPI()) as cluster:
        cluster.api.create("p", spec("toggle:1.0", env=[*env(STOP="exit")]))
        await cluster.said("p", "listening")
        os.kill(cluster.pid("p"), signal.SIGKILL)
        await cluster.running("p", 1)
        await cluster.said("p", "listening")
        cluster.api.delete("p", grace=1)
        await cluster.gone("p")


async def test_who_has_no_handler_is_known(tmp_path: Path) -> None:
    """Linux tells; where it does not, a process counts as having one."""
    assert handles(99999999, signal.SIGTERM)
    lifeline = Lifeline()
    process = spawn(["sleep", "60"], env={}, cwd=tmp_path, output=1, groups=lifeline)
    assert handles(process.pid, signal.SIGTERM) is (sys.platform != "linux")
    process.kill()
    assert await process.wait() == 137


async def test_an_end_that_came_first_is_heard() -> None:
    """A process that is gone before anybody watches."""
    popen = await asyncio.to_thread(ended_child)
    heard = asyncio.Event()
    on_exit(popen, heard.set)
    async with asyncio.timeout(5):
        await heard.wait()
    assert popen.poll() == 0


def ended_child() -> subprocess.Popen[bytes]:
    """Return a child that has ended and was not reaped."""
    popen = subprocess.Popen(["true"])
    os.waitid(os.P_PID, popen.pid, os.WEXITED | os.WNOWAIT)
    return popen
