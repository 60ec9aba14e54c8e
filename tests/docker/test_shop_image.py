"""The exercise's own image, built by its own Dockerfile and run for real."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from flashsale.docker import BuildRecipe, Surroundings, connected, make
from tests.docker.engines import ROOT, image_name_of_its_own

LIMIT = 30  # seconds
SHOP = ROOT / "flashsale" / "shop"


@pytest.fixture(scope="module")
def image(docker_socket: Path, base_image: str) -> Iterator[str]:
    """The shop's image."""

    async def build(name: str) -> None:
        around = Surroundings.of_this_machine(os.environ)
        recipe = BuildRecipe.of(SHOP, ROOT / "Dockerfile", name, around=around)
        async with connected({"DOCKER_HOST": f"unix://{docker_socket}"}) as engine:
            await make(engine, recipe, lambda line: None, lambda line: None)

    for name in image_name_of_its_own(docker_socket, shares_layers=True):
        asyncio.run(build(name))
        yield name


@contextmanager
def running(docker_socket: Path, image: str) -> Iterator[Any]:
    """Run the shop as any node would, on a port of loopback."""
    import docker

    with closing(docker.DockerClient(base_url=f"unix://{docker_socket}")) as client:
        shop = client.containers.run(
            image, detach=True, hostname="flashsale-rs-x7k2p", ports={"5000/tcp": ("127.0.0.1",)}
        )
        try:
            shop.reload()
            asyncio.run(until(lambda: get(shop, "/health")["status"] == "healthy"))
            yield shop
        finally:
            shop.remove(force=True)


@pytest.fixture(scope="module")
def container(docker_socket: Path, image: str) -> Iterator[Any]:
    """The shop that runs, for tests that leave it so."""
    with running(docker_socket, image) as shop:
        yield shop


@pytest.fixture
def own_container(docker_socket: Path, image: str) -> Iterator[Any]:
    """A shop that may be stopped."""
    with running(docker_socket, image) as shop:
        yield shop


def address(container: Any) -> str:
    return f"http://127.0.0.1:{container.ports['5000/tcp'][0]['HostPort']}"


def get(container: Any, path: str) -> dict[str, Any]:
    with urlopen(address(container) + path, timeout=5) as answer:
        return dict(json.load(answer))


async def until(met: Any) -> None:
    deadline = time.monotonic() + LIMIT
    while True:
        try:
            if await asyncio.to_thread(met):
                return
        except OSError:
            assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_shop_sells_and_names_its_pod(container: Any) -> None:
    """A container's host name is its pod's name."""
    sold = await asyncio.to_thread(get, container, "/buy?user=ada")
    assert sold["status"] == "success"
    assert (sold["user"], sold["served_by_pod"]) == ("ada", "flashsale-rs-x7k2p")


async def test_shop_is_not_root(container: Any) -> None:
    """Nothing in it needs root."""
    code, output = container.exec_run("id -u")
    assert (code, output.strip()) == (0, b"10001")


async def test_shop_has_nothing_to_complain_about(container: Any) -> None:
    """`logs` shows a learner what the server says: no error that means nothing."""
    await asyncio.to_thread(get, container, "/health")
    assert b"Booting worker" in container.logs()
    assert b"ERROR" not in container.logs()


async def test_graceful_stop_loses_no_request_in_flight(own_container: Any) -> None:
    """SIGTERM with requests half sent: each gets its whole answer, and the server leaves with 0."""
    container = own_container
    port = int(container.ports["5000/tcp"][0]["HostPort"])
    buyers = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]  # its threads
    for _, writer in buyers:
        writer.write(b"GET /buy HTTP/1.1\r\nHost: x\r\n")
        await writer.drain()
    # Both are in a thread's hands once a third one gets no answer any more.
    await until(lambda: busy(container))
    stopping = asyncio.create_task(asyncio.to_thread(container.stop, timeout=25))
    await until(lambda: b"Handling signal: term" in container.logs())
    for _, writer in buyers:
        writer.write(b"Connection: close\r\n\r\n")
    answers = [await asyncio.wait_for(reader.read(), LIMIT) for reader, _ in buyers]
    for _, writer in buyers:
        writer.close()
    await stopping
    assert [b'"success"' in answer for answer in answers] == [True, True]
    assert container.wait()["StatusCode"] == 0


def busy(container: Any) -> bool:
    try:
        urlopen(address(container) + "/health", timeout=0.3).close()
    except TimeoutError:
        return True
    return False
