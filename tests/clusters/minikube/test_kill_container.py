"""A crash made from outside: SIGKILL to a container's process, through the Docker in the node."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from flashsale.base.errors import ClusterUnreachableError, FlashsaleError
from flashsale.clusters.context import ContextCluster
from flashsale.clusters.minikube import MinikubeCluster
from flashsale.clusters.minikube.kill_container import running_container_id
from flashsale.kube import Api
from flashsale.objects.models import Object, Pod
from tests.clusters.minikube.double_world import STOPPED, World
from tests.docker.engine_proxies import Authority, door
from tests.sale.api_objects import pod_object

KILLED = 137  # 128 + SIGKILL


class OnePod:
    """An API that knows one pod, whose container is a real one."""

    def __init__(self, container_id: str) -> None:
        self.pod = pod_object(ready=True)
        self.pod["status"]["containerStatuses"][0]["containerID"] = container_id

    async def get(self, path: str) -> Object:
        """Give the pod."""
        assert path.endswith("/pods/flashsale-rs-aaaaa")
        return self.pod

    async def crash(self, minikube: MinikubeCluster) -> None:
        """Have it crash."""
        await minikube.crash(cast(Api, self), "default", Pod.from_object(self.pod))


@pytest.fixture
def sleeper(docker_socket: Path, base_image: str) -> Iterator[Any]:
    """A container that ends on nothing less than SIGKILL."""
    import docker

    client = docker.DockerClient(base_url=f"unix://{docker_socket}")
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"
    running = client.containers.run(base_image, ["python", "-c", code], detach=True)
    yield running
    running.remove(force=True)
    client.close()


async def test_process_is_killed_through_the_nodes_docker(
    world: World, docker_socket: Path, sleeper: Any
) -> None:
    """From inside, process 1 would be safe from it."""
    world.has()
    authority = Authority.make(world.home / "certs")
    with door(docker_socket, authority.server_context()) as port:
        world.set(engines=[f"tcp://127.0.0.1:{port}"], certs=str(authority.folder))
        await OnePod(f"docker://{sleeper.id}").crash(world.minikube)
    assert sleeper.wait(timeout=20)["StatusCode"] == KILLED
    assert await world.minikube.crashing() == ""


async def test_driver_none_kills_through_this_hosts_docker(
    world: World, docker_socket: Path, sleeper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no node around it."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{docker_socket}")
    world.has(driver="none")
    await OnePod(f"docker://{sleeper.id}").crash(world.minikube)
    assert sleeper.wait(timeout=20)["StatusCode"] == KILLED
    assert world.acts() == []


@pytest.mark.parametrize("state", [{"runtime": "containerd"}, {"nodes": 2}])
async def test_other_runtimes_kill_from_inside_and_say_so(
    world: World, monkeypatch: pytest.MonkeyPatch, state: dict[str, Any]
) -> None:
    """Without a Docker to ask there is only the container's own shell."""
    asked: list[str] = []

    async def inside(context: ContextCluster, api: Api, namespace: str, pod: Pod) -> None:
        asked.append(f"{context.context} {namespace} {pod.name}")

    monkeypatch.setattr(ContextCluster, "crash", inside)
    world.has(**state)
    assert "process 1 is safe from SIGKILL" in await world.minikube.crashing()
    await OnePod("containerd://ab").crash(world.minikube)
    assert asked == ["shop default flashsale-rs-aaaaa"]
    assert world.acts() == []


async def test_stopped_profile_is_not_started_for_a_crash(world: World) -> None:
    """Only `up` starts anything."""
    world.has(**STOPPED)
    with pytest.raises(ClusterUnreachableError, match="'shop' is stopped"):
        await OnePod("docker://ab").crash(world.minikube)
    assert world.acts() == ["docker-env"]


async def test_pod_without_a_container_in_docker_cannot_crash(world: World) -> None:
    """It is just being made, or has just ended."""
    world.has()
    with pytest.raises(FlashsaleError, match="No container of the pod"):
        await OnePod("").crash(world.minikube)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"containerID": "docker://ab", "state": {"running": {}}}, "ab"),
        ({"containerID": "docker://ab", "state": {"terminated": {}}}, ""),
        ({"containerID": "containerd://ab", "state": {"running": {}}}, ""),
        ({}, ""),
    ],
)
def test_container_is_read_from_the_pods_status(status: Object, expected: str) -> None:
    """Only one that runs, and only one of Docker's."""
    assert running_container_id({"status": {"containerStatuses": [status]}}) == expected
    assert running_container_id({}) == ""
