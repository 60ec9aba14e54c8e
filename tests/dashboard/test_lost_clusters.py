"""The page while clusters, nodes and connections are lost and come back, in a real browser."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.command import Flashsale
from tests.dashboard.browsing import OnContext, dashboard, text

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

FORWARDER = """
import asyncio, sys

async def pump(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()

async def forward(reader, writer):
    there, back = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]))
    await asyncio.gather(pump(reader, back), pump(there, writer), return_exceptions=True)

async def main():
    async with await asyncio.start_server(forward, "127.0.0.1", int(sys.argv[2])) as server:
        print(flush=True)
        await server.serve_forever()

asyncio.run(main())
"""


def test_a_node_dies_and_comes_back_by_buttons(page: Page, flashsale: Flashsale) -> None:
    """Its pods are grey until others replace them; a drill offers the same."""
    manifest = str(flashsale.lean_manifest())
    assert flashsale("up", "--nodes", "2", "--fast-nodes", "--manifest", manifest).code == 0
    with dashboard(flashsale) as address:
        page.goto(address)
        page.get_by_label("and a node").wait_for()
        page.get_by_role("button", name="Kill the node").click()
        text(page, "#answer", holds=r"was killed, with \d pods?\. Kubernetes misses it after 5 s")
        page.locator(".pod.lost-node").first.wait_for()
        text(page, "#healing-rows tr", holds="lost")
        page.get_by_role("button", name="Start the node").click()
        text(page, "#moments li", holds="is ready again")
        page.locator(".pod.ready:not(.lost-node)").nth(2).wait_for()


def able(page: Page) -> set[str]:
    """The words of the buttons that can be pressed."""
    return set(page.locator("main button:not([aria-disabled=true])").all_text_contents())


def test_a_lost_cluster_is_grey_and_comes_back(page: Page, flashsale: Flashsale) -> None:
    """What is shown is said to be old; the same page goes on when the cluster is there again."""
    manifest = str(flashsale.lean_manifest(**{"replicas: 3": "replicas: 1"}))
    with dashboard(flashsale) as address:
        page.goto(address)
        text(page, "#banner", holds="flashsale up")
        assert flashsale("up", "--manifest", manifest).code == 0
        page.locator(".pod.ready").wait_for()
        page.locator("#banner").wait_for(state="hidden")
        os.kill(flashsale.cluster_pid(), signal.SIGKILL)
        text(page, "#banner", holds="does not answer; what you see is how the sale was at")
        page.wait_for_selector("body.stale")
        text(page, "#hindrance", holds="The cluster does not answer")
        assert able(page) == set()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.method))
        for button in page.locator("main button:visible").all():
            button.dispatch_event("click")
        page.get_by_label("Pods to keep").press("Enter")
        assert flashsale("up", "--manifest", manifest).code == 0
        page.wait_for_selector("body:not(.stale)")
        assert "POST" not in asked
        page.locator(".pod.ready").wait_for()
        assert able(page) == {
            "Scale",
            "Gracefully",
            "Hard",
            "Process",
            "Start",
            "Run",
            "Kill",
            "+",
            "−",
        }
        assert flashsale("down").code == 0
        text(page, "#banner", holds="The sale was closed")
        assert flashsale("up", "--manifest", manifest).code == 0
        page.wait_for_selector("body:not(.stale)")
        page.locator(".pod.ready").wait_for()


@contextmanager
def forwarded(target: int, port: int) -> Iterator[None]:
    """Lead a port of this machine to another one; leaving ends all connections, too."""
    words = [sys.executable, "-c", FORWARDER, str(target), str(port)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        running.stdout.readline()
        try:
            yield
        finally:
            running.kill()


def test_a_healing_outlives_a_tunnel_that_breaks(
    page: Page, flashsale: Flashsale, tmp_path: Path
) -> None:
    """The dashboard reaches the cluster again, and knows what replaced whom meanwhile."""
    assert flashsale("up", "--manifest", str(flashsale.lean_manifest())).code == 0
    config = Path(flashsale("kubeconfig").out.strip()).read_text()
    target = int(re.findall(r"server: \S+:(\d+)", config)[0])
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    file = tmp_path / "kubeconfig"
    file.write_text(config.replace(f":{target}", f":{port}").replace("flashsale-embedded", "far"))
    program = OnContext(tmp_path / "home", str(file))
    with ExitStack() as stack:
        with forwarded(target, port):
            page.goto(stack.enter_context(dashboard(program, "--context", "far", "--allow-remote")))
            page.locator(".pod.ready").nth(2).wait_for()
            place = page.locator(".place").first
            place.locator("button.graceful").click()
            place.locator(".starting, .ready").filter(has_text="replaces").wait_for()
        text(page, "#moments li", holds="the cluster does not answer")
        stack.enter_context(forwarded(target, port))
        text(page, "#moments li", holds="the cluster answers again")
        text(page, "#healing-rows tr", holds=r"deleted.*\d s.*\d s.*\d s.*\d s")
