"""The exercise's own image, built by its own Dockerfile and run for real."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.request import urlopen

import pytest

from flashsale.docker import BuildRecipe, Engine, Surroundings, make
from tests.docker.engines import ROOT

LIMIT = 30  # seconds
SHOP = ROOT / "flashsale" / "shop"


@pytest.fixture
async def container(engine: Engine, image_name: str, base_image: str) -> AsyncIterator[Any]:
    """The shop, running as any node would run it, on a port of loopback."""
    around = Surroundings.of_this_machine(os.environ)
    recipe = BuildRecipe.of(SHOP, ROOT / "Dockerfile", image_name, around=around)
    await make(engine, recipe, lambda line: None, lambda line: None)
    running = engine.client.containers.run(
        image_name, detach=True, hostname="flashsale-rs-x7k2p", ports={"5000/tcp": ("127.0.0.1",)}
    )
    running.reload()
    try:
        await until(lambda: get(running, "/health")["status"] == "healthy")
        yield running
    finally:
        running.remove(force=True)


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


async def test_graceful_stop_loses_no_request_in_flight(container: Any) -> None:
    """SIGTERM with requests half sent: each gets its whole answer, and the server leaves with 0."""
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
