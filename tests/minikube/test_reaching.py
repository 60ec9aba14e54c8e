"""An address of the sale that works from here."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from flashsale.clusters.minikube import Minikube
from flashsale.errors import ClusterUnreachableError
from flashsale.model import Service
from tests.minikube.world import STOPPED, World, gone

SERVICE = Service("flashsale-svc", "NodePort", "10.96.0.1", None, "80:1/TCP", 0, namespace="sale")


@pytest.fixture
def listening() -> Iterator[int]:
    """A port of loopback where somebody accepts connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def refusing() -> Iterator[int]:
    """A port where nobody does."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


async def test_node_port_is_used_where_it_answers(
    world: World, minikube: Minikube, listening: int
) -> None:
    """No child, nothing to hold open."""
    world.has()
    async with minikube.reach(replace(SERVICE, node_port=listening)) as url:
        assert url == f"http://127.0.0.1:{listening}"
    assert world.acts() == []


async def test_tunnel_is_held_open_where_the_node_cannot_be_reached(
    world: World, minikube: Minikube, listening: int, refusing: int
) -> None:
    """Docker Desktop, WSL: as long as it is needed, then ended with all that it started."""
    world.has()
    world.set(tunnel=True, url=f"http://127.0.0.1:{listening}")
    async with minikube.reach(replace(SERVICE, node_port=refusing)) as url:
        assert url == f"http://127.0.0.1:{listening}"
        child = await ssh(world)
        assert not gone(child)
    assert world.words("service") == ["flashsale-svc", "-n", "sale", "--url"]
    await ended(child)


async def test_tunnel_ends_with_a_cancelled_command(
    world: World, minikube: Minikube, listening: int, refusing: int
) -> None:
    """Ctrl-C leaves no ssh behind."""
    world.has()
    world.set(tunnel=True, url=f"http://127.0.0.1:{listening}")
    opened = asyncio.Event()

    async def hold() -> None:
        async with minikube.reach(replace(SERVICE, node_port=refusing)):
            opened.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hold())
    await asyncio.wait_for(opened.wait(), 10)
    child = await ssh(world)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await ended(child)


async def test_url_of_a_service_without_pods_is_not_believed(
    world: World, minikube: Minikube, refusing: int
) -> None:
    """minikube prints it before it looks at the pods, and then leaves with 115."""
    world.has()
    world.set(url=f"http://127.0.0.1:{refusing}")
    with pytest.raises(ClusterUnreachableError) as caught:
        async with minikube.reach(replace(SERVICE, node_port=refusing)):
            pass
    assert caught.value.hint == "flashsale status"


@pytest.mark.parametrize(
    ("state", "words"), [({}, "no pod of it is running"), (STOPPED, "code 83")]
)
async def test_reason_for_no_address_comes_from_the_code(
    world: World, minikube: Minikube, refusing: int, state: dict[str, str], words: str
) -> None:
    """Not from texts, which are translated."""
    world.has(**state)
    with pytest.raises(ClusterUnreachableError, match=words):
        async with minikube.reach(replace(SERVICE, node_port=refusing)):
            pass


async def test_driver_without_node_ports_forwards_through_the_api(
    world: World, minikube: Minikube, listening: int, refusing: int
) -> None:
    """qemu's builtin network."""
    world.has(driver="qemu2")
    world.set(url=f"http://127.0.0.1:{listening}")
    async with minikube.reach(replace(SERVICE, node_port=refusing)) as url:
        assert url == f"http://127.0.0.1:{listening}"
        child = await ssh(world)
    assert world.acts() == ["service", "kubectl"]
    await ended(child)


async def ssh(world: World) -> int:
    """The process that the double started as minikube starts ssh."""
    file = world.home / "ssh.pid"
    await until(lambda: file.exists() and file.read_text() != "")
    return int(file.read_text())


async def ended(pid: int) -> None:
    await until(lambda: gone(pid))


async def until(met: object, limit: float = 10) -> None:
    assert callable(met)
    deadline = time.monotonic() + limit
    while not met():
        assert time.monotonic() < deadline
        await asyncio.sleep(0)
