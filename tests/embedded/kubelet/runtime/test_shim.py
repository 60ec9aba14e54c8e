"""No pod outlives the cluster's process, however that goes."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flashsale.embedded.kubelet.images.image_store import ImageStore
from flashsale.embedded.kubelet.runtime.processes import (
    MARK,
    StandardStreams,
    handles,
    kill_marked,
    on_exit,
    spawn,
)
from flashsale.objects.models import Object
from tests.embedded.kubelet.cluster import NAME, Cluster, MemoryAPI, env, spec
from tests.embedded.processes import alive, below, parent_of

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="needs subreapers and /proc")

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
        print(cluster.pid("page"), cluster.pid("toggle"), flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


def group(leader: int) -> list[int]:
    """Return the processes of a group."""
    done = subprocess.run(["pgrep", "-g", str(leader)], capture_output=True, text=True, check=True)
    return [int(pid) for pid in done.stdout.split()]


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


def test_sigkill_of_the_cluster_leaves_nothing_within_a_second(
    images: ImageStore, tmp_path: Path
) -> None:
    """gunicorn's workers included, and what has fled into a session of its own."""
    store = str(images._names.parent)
    with running([sys.executable, "-c", PROGRAM, str(tmp_path), store]) as cluster:
        assert cluster.stdout
        leaders = list(map(int, cluster.stdout.readline().split()))
        pids = [pid for leader in leaders for pid in group(leader)]
        pids += processes_of(tmp_path)
        assert len(set(pids)) >= 5
        cluster.kill()
        cluster.wait()
        assert gone(pids, 5.0)


# Ways for a process to get away from the one that started it. Each leaves a `sleep` behind.
ESCAPES = {
    "own session": "setsid sleep 600 &",
    "own process group": "set -m; sleep 600 &",
    "orphan": "(sleep 600 &) &",
    "nohup": "nohup sleep 600 >/dev/null 2>&1 &",
    "daemon": "python -c 'import os; os.fork() and os._exit(0); os.setsid();"
    ' os.fork() and os._exit(0); os.execlp("sleep", "sleep", "600")\'',
    "daemon without a mark": "env -i setsid sh -c '(sleep 600 &)'",
    "deaf": "setsid sh -c 'trap \"\" TERM INT HUP; sleep 600' &",
}


@linux_only
@pytest.mark.parametrize("way", ESCAPES)
async def test_no_process_outlives_its_container(cluster: Cluster, way: str) -> None:
    """Whatever it does, and however the container ends: by itself, by a crash, by deletion."""
    script = f"{ESCAPES[way]}\necho fled; trap 'exit 0' TERM; "
    script += "while ! test -f /app/go; do sleep 0.1; done"
    pod = spec("toggle:1.0", command=["sh", "-c", script]) | {"restartPolicy": "Never"}
    fled: list[int] = []
    for name in ("exits", "crashes", "deleted"):
        cluster.api.create(name, pod)
        await cluster.until_logged(name, "fled")
        shim = parent_of(cluster.pid(name))
        await cluster.until(lambda shim=shim: any(map(is_sleeper, below(shim))))
        fled += filter(is_sleeper, below(shim))
    (container_folder(cluster, "exits") / "rootfs" / "app" / "go").touch()
    os.kill(cluster.pid("crashes"), signal.SIGKILL)
    cluster.api.delete("deleted", grace=1)
    await cluster.until(lambda: not any(map(alive, fled)))


@linux_only
async def test_what_a_killed_shim_leaves_is_killed_with_the_pod(cluster: Cluster) -> None:
    """The mark in its environment gives it away."""
    script = "setsid sleep 600 & echo fled; wait"
    cluster.api.create("p", {**spec("toggle:1.0", command=["sh", "-c", script]),
                             "restartPolicy": "Never"})  # fmt: skip
    await cluster.until_logged("p", "fled")
    shim = parent_of(cluster.pid("p"))
    pids = below(shim)
    os.kill(shim, signal.SIGKILL)
    await cluster.until(lambda: not any(map(alive, pids)))
    await cluster.until(lambda: cluster.api.pod("p")["status"]["phase"] == "Failed")


@linux_only
async def test_a_second_life_ends_what_the_first_one_left(
    tmp_path: Path, images: ImageStore
) -> None:
    """When cluster and shims were killed together, whoever fled is found by its mark."""
    folder = tmp_path / "pods" / "uid" / "c"
    process = await asyncio.create_subprocess_exec(
        "sleep", "600", env={MARK: str(folder)}, start_new_session=True
    )
    async with Cluster(tmp_path, images, MemoryAPI()):
        async with asyncio.timeout(5):
            assert await process.wait() == -signal.SIGKILL


def is_sleeper(pid: int) -> bool:
    """Whether this is one of those that fled."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() == b"sleep\x00600\x00"
    except OSError:
        return False


def container_folder(cluster: Cluster, name: str) -> Path:
    """Return the folder of a pod's container."""
    return cluster.root / "pods" / cluster.api.pod(name)["metadata"]["uid"] / NAME


def processes_of(root: Path) -> list[int]:
    """Return the shims of a cluster's containers, and all below them."""
    shims = [
        int(folder.name)
        for folder in Path("/proc").glob("[0-9]*")
        if _is_shim(folder, str(root / "pods"))
    ]
    return shims + [pid for shim in shims for pid in below(shim)]


def _is_shim(folder: Path, pods: str) -> bool:
    try:
        command = (folder / "cmdline").read_bytes()
        return b"/shim." in command and pods.encode() in (folder / "environ").read_bytes()
    except OSError:
        return False


async def test_without_pidfds_the_end_of_a_process_is_heard_as_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, images: ImageStore
) -> None:
    """As on macOS: a thread waits."""
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    async with Cluster(tmp_path, images, MemoryAPI()) as cluster:
        cluster.api.create("p", spec("toggle:1.0", env=[*env(STOP="exit")]))
        await cluster.until_logged("p", "listening")
        os.kill(cluster.pid("p"), signal.SIGKILL)
        await cluster.running("p", 1)
        await cluster.until_logged("p", "listening")
        cluster.api.delete("p", grace=1)
        await cluster.gone("p")


async def test_who_has_no_handler_is_known(tmp_path: Path) -> None:
    """Linux tells; where it does not, a process counts as having one."""
    assert handles(99999999, signal.SIGTERM)
    path = {"PATH": os.environ["PATH"]}
    process = await spawn(
        ["sleep", "60"], env=path, cwd=str(tmp_path), streams=StandardStreams.only_output(1)
    )
    assert handles(process.pid, signal.SIGTERM) is (sys.platform != "linux")
    process.kill()
    assert await process.wait() == 137


async def test_an_end_that_came_first_is_heard() -> None:
    """A process that is gone before anybody watches."""
    popen = await asyncio.to_thread(ended_child)
    event = asyncio.Event()
    on_exit(popen, event.set)
    async with asyncio.timeout(5):
        await event.wait()
    assert popen.poll() == 0


def ended_child() -> subprocess.Popen[bytes]:
    """Return a child that has ended and was not reaped."""
    popen = subprocess.Popen(["true"])
    os.waitid(os.P_PID, popen.pid, os.WEXITED | os.WNOWAIT)
    return popen


@linux_only
@pytest.mark.skipif(not shutil.which("tini"), reason="tini is not installed")
async def test_an_image_with_an_init_of_its_own_leaves_nothing(cluster: Cluster) -> None:
    """tini becomes a subreaper itself, and what fled from its child is its own then."""
    script = "(setsid sleep 600 &); setsid sleep 600 & echo fled; sleep 600"
    words = ["tini", "-s", "--", "sh", "-c", script]
    await leaves_nothing(cluster, spec("toggle:1.0", command=words))


# As supervisord does with its programs.
SUPERVISOR = """\
import subprocess
while True:
    script = "echo fled; setsid sleep 600 & exec sleep 600"
    subprocess.run(["sh", "-c", script], start_new_session=True)
"""


@linux_only
async def test_a_supervisor_leaves_nothing(cluster: Cluster) -> None:
    """It starts its programs in sessions of their own, and starts those that end anew."""
    await leaves_nothing(cluster, spec("toggle:1.0", command=["python", "-c", SUPERVISOR]))


async def leaves_nothing(cluster: Cluster, pod: Object) -> None:
    """Start a pod twice; end one by a crash of its first process, one by deletion."""
    fled: list[int] = []
    for name in ("crashes", "deleted"):
        cluster.api.create(name, pod | {"restartPolicy": "Never"})
        await cluster.until_logged(name, "fled")
        shim = parent_of(cluster.pid(name))
        await cluster.until(lambda shim=shim: sum(map(is_sleeper, below(shim))) >= 2)
        fled += filter(is_sleeper, below(shim))
    os.kill(cluster.pid("crashes"), signal.SIGKILL)
    cluster.api.delete("deleted", grace=1)
    await cluster.until(lambda: not any(map(alive, fled)))


@linux_only
def test_a_mark_names_one_container_or_all_below_a_folder() -> None:
    """`app` is not `app2`."""
    folder = "/no/such/place"
    with subprocess.Popen(["sleep", "60"], env={MARK: f"{folder}/app2"}) as other:
        assert kill_marked(f"{folder}/app") == 0
        assert kill_marked(f"{folder}/") == 1
        assert other.wait(10) == -signal.SIGKILL
