"""The kubelet goes and comes back; the pods' objects are still there, their processes are not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from flashsale.embedded.kubelet.images.image_store import ImageStore
from tests.embedded.kubelet.cluster import (
    NAME,
    READY_AT_ONCE,
    Cluster,
    MemoryAPI,
    condition,
    env,
    spec,
)
from tests.embedded.processes import alive


class Machine:
    """A folder and an API that outlive the kubelet."""

    def __init__(self, root: Path, images: ImageStore) -> None:
        self.root, self.images, self.api = root, images, MemoryAPI()

    @asynccontextmanager
    async def up(self) -> AsyncIterator[Cluster]:
        """Run a kubelet."""
        async with Cluster(self.root, self.images, self.api) as cluster:
            yield cluster


@pytest.fixture
def machine(tmp_path: Path, images: ImageStore) -> Machine:
    """Nothing runs on it yet."""
    return Machine(tmp_path, images)


async def test_stopping_the_kubelet_kills_every_pod(machine: Machine) -> None:
    """At once, even those that ignore SIGTERM."""
    async with machine.up() as cluster:
        for name in "abc":
            machine.api.create(name, spec("toggle:1.0", env=[*env(STOP="ignore")]))
        for name in "abc":
            await cluster.until_logged(name, "listening")
        pids = [cluster.pid(name) for name in "abc"]
    assert not any(map(alive, pids))
    assert not list(machine.root.rglob("pid"))


async def test_pods_come_back_with_one_restart_more(machine: Machine) -> None:
    """Same pod, new container; what became of the old one nobody saw."""
    async with machine.up() as cluster:
        machine.api.create("p", spec("toggle:1.0", readinessProbe=READY_AT_ONCE))
        before = await cluster.ready("p")
    async with machine.up() as cluster:
        await cluster.running("p", 1)
        after = await cluster.ready("p")
        again = cluster.log("p")
        previous = cluster.log("p", previous=True)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["status"]["startTime"] == before["status"]["startTime"]
    old, new = (pod["status"]["containerStatuses"][0] for pod in (before, after))
    lost = new["lastState"]["terminated"]
    assert (lost["exitCode"], lost["reason"]) == (137, "ContainerStatusUnknown")
    assert lost["containerID"] == old["containerID"] != new["containerID"]
    assert machine.api.messages("p", "SandboxChanged") == [
        "Pod sandbox changed, it will be killed and re-created."
    ]
    assert b"listening" in again
    assert b"listening" in previous


async def test_a_ready_pod_that_others_call_not_ready_is_called_ready_again(
    machine: Machine,
) -> None:
    """The node controller does that to the pods of a node that was silent for a while."""
    async with machine.up() as cluster:
        machine.api.create("p", spec("toggle:1.0", readinessProbe=READY_AT_ONCE))
        await cluster.ready("p")
        machine.api.call_not_ready("p")
        assert condition(machine.api.pod("p"), "Ready")["status"] == "False"
        await cluster.ready("p")


async def test_a_pod_that_was_terminating_is_finished_off(machine: Machine) -> None:
    """Its process is gone, so its object goes."""
    async with machine.up() as cluster:
        machine.api.create("p", spec("toggle:1.0", env=[*env(STOP="ignore")]))
        await cluster.until_logged("p", "listening")
        machine.api.delete("p")
        await cluster.until_logged("p", "got SIGTERM")
    assert ("default", "p") in machine.api.objects
    async with machine.up() as cluster:
        await cluster.gone("p")
    last = machine.api.statuses("p")[-1]
    assert last["phase"] == "Failed"
    assert last["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 137


async def test_a_pod_that_was_deleted_meanwhile_leaves_nothing(machine: Machine) -> None:
    """The folder of a pod whose object is gone is swept up."""
    async with machine.up() as cluster:
        pod = machine.api.create("p", spec("toggle:1.0"))
        await cluster.running("p")
    machine.api.delete("p", grace=0)
    folder = machine.root / "pods" / pod["metadata"]["uid"]
    assert folder.exists()
    async with machine.up() as cluster:
        await cluster.until(lambda: not folder.exists())


async def test_a_finished_pod_stays_finished(machine: Machine) -> None:
    """It is not run again; its log can still be read."""
    done = {"name": NAME, "image": "toggle:1.0", "command": ["echo", "done"]}
    async with machine.up() as cluster:
        machine.api.create("p", {"containers": [done], "restartPolicy": "Never"})
        await cluster.until(lambda: machine.api.pod("p")["status"]["phase"] == "Succeeded")
    writes = len(machine.api.history)
    async with machine.up() as cluster:
        machine.api.create("q", spec("toggle:1.0"))
        await cluster.running("q")
        assert cluster.log("p") == b"done\n"
    assert machine.api.statuses("p")[-1]["phase"] == "Succeeded"
    assert {obj["metadata"]["name"] for _, obj in machine.api.history[writes:]} == {"q"}


async def test_a_pod_that_had_not_started_starts(machine: Machine) -> None:
    """Created while the kubelet was away: an ordinary start."""
    machine.api.create("p", spec("toggle:1.0"))
    async with machine.up() as cluster:
        await cluster.ready("p")
    assert machine.api.container("p")["restartCount"] == 0
    assert "SandboxChanged" not in machine.api.reasons("p")
