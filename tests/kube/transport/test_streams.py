"""Streams that are left before they end."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path

import pytest

from flashsale.kube import connect
from flashsale.kube.transport.stdlib_client import StdlibTransport
from tests.docker.engine_proxies import Authority

FOLLOWER = """
import asyncio, sys
from contextlib import aclosing
from pathlib import Path
from flashsale.kube import connect

async def main():
    async with connect(Path(sys.argv[1]), "test") as api:
        async with aclosing(api.lines("/watch")) as lines:
            async for line in lines:
                print(line)
                break

asyncio.run(main())
"""
ANSWER = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello\n\r\n"


@pytest.fixture
def mute_server(tmp_path: Path) -> Iterator[Path]:
    """A kubeconfig of a server that sends one line over TLS, and never hears anything again."""
    authority = Authority.make(tmp_path / "certs", client_ends=timedelta(days=1))
    context = authority.server_context()
    context.verify_mode = ssl.CERT_NONE
    over = threading.Event()

    def serve(listening: socket.socket) -> None:
        with listening.accept()[0] as plain, context.wrap_socket(plain, server_side=True) as tls:
            tls.recv(65536)
            tls.sendall(ANSWER)
            over.wait(60)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        ca = base64.b64encode((authority.folder / "ca.pem").read_bytes()).decode()
        server = f"https://127.0.0.1:{listening.getsockname()[1]}"
        document = {
            "clusters": [
                {"name": "test", "cluster": {"server": server, "certificate-authority-data": ca}}
            ],
            "users": [{"name": "test", "user": {"token": "t"}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        }
        file = tmp_path / "config"
        file.write_text(json.dumps(document))
        yield file
        over.set()
        thread.join(10)


def test_stream_that_is_left_leaves_no_socket_open(mute_server: Path) -> None:
    """A TLS goodbye that nobody answers would outlive the event loop."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FOLLOWER, str(mute_server)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\n", "")


async def test_a_login_that_takes_its_time_holds_up_nothing_else(
    mute_server: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that expires while somebody watches is fetched by a program; the screen goes on."""
    gone_on = threading.Event()

    def headers(transport: StdlibTransport) -> dict[str, str]:
        assert gone_on.wait(10), "the event loop waited for the login"
        return {}

    monkeypatch.setattr(StdlibTransport, "headers", headers)
    async with connect(mute_server, "test") as api, aclosing(api.lines("/watch")) as lines:
        asyncio.get_running_loop().call_later(0.05, gone_on.set)
        assert await anext(lines) == "hello"
