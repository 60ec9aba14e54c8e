"""Connections to a pod's ports through the API server: `kubectl port-forward`."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tests.conformance.api import Object
from tests.conformance.kubectl import Followed, Kubectl
from tests.conformance.manifests import Maker
from tests.conformance.scene import Scene

pytestmark = pytest.mark.running_pods
SIZE = 2_048_000  # bytes
ECHO = (
    "import socketserver\n"
    "class Echo(socketserver.StreamRequestHandler):\n"
    "    def handle(self):\n"
    "        data = self.rfile.read(2_048_000)\n"
    "        self.wfile.write(data[::-1])\n"
    "socketserver.ThreadingTCPServer.allow_reuse_address = True\n"
    "socketserver.ThreadingTCPServer(('127.0.0.1', 5000), Echo).serve_forever()\n"
)
LISTENS = {  # asked inside: from outside it is not to be reached
    "exec": {
        "command": ["python", "-c", "import socket; socket.create_connection(('localhost', 5000))"]
    },
    "periodSeconds": 1,
}


@contextmanager
def forwarded(
    scene: Scene, what: str, port: int, kubectl: Kubectl | None = None
) -> Iterator[tuple[int, Followed]]:
    """Forward a free port; gives its number, and what kubectl says."""
    with (kubectl or scene.kubectl).following(f"port-forward {what} :{port}") as followed:

        def found() -> re.Match[str] | None:
            return re.search(r"127\.0\.0\.1:(\d+) -> ", "\n".join(followed.lines))

        match = scene.until(found, f"{what} is forwarded: {followed.lines}")
        assert match
        yield int(match[1]), followed


def get(port: int, path: str) -> Object:
    """Ask with a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        answer: Object = json.loads(connection.getresponse().read())
        return answer
    finally:
        connection.close()


def test_a_pods_port(sale: Scene, a_pod: Object) -> None:
    """Every connection leads to that pod."""
    name = a_pod["metadata"]["name"]
    with forwarded(sale, f"pod/{name}", 5000) as (port, _):
        assert {get(port, "/health")["pod"] for _ in range(5)} == {name}


def test_clients_that_speak_spdy_are_understood(sale: Scene, a_pod: Object) -> None:
    """Without the WebSocket around it, as kubectl did before 1.31."""
    name = a_pod["metadata"]["name"]
    older = {**sale.kubectl.env, "KUBECTL_PORT_FORWARD_WEBSOCKETS": "false"}
    with forwarded(sale, f"pod/{name}", 5000, replace(sale.kubectl, env=older)) as (port, _):
        assert {get(port, "/health")["pod"] for _ in range(5)} == {name}


def test_a_services_port(sale: Scene) -> None:
    """kubectl looks for one of its pods, and the port behind the Service's."""
    with forwarded(sale, "svc/flashsale-svc", 80) as (port, _):
        assert get(port, "/health")["pod"] in {obj["metadata"]["name"] for obj in sale.owned()}


def test_connections_that_are_open_at_once(sale: Scene, a_pod: Object) -> None:
    """They do not wait for each other."""
    with forwarded(sale, f"pod/{a_pod['metadata']['name']}", 5000) as (port, _):
        waiting = [socket.create_connection(("127.0.0.1", port), 20) for _ in range(8)]
        try:
            assert get(port, "/health")["pod"] == a_pod["metadata"]["name"]
        finally:
            for one in waiting:
                one.close()


def test_a_server_on_localhost_alone(stage: Scene, maker: Maker) -> None:
    """It is reached, much passes in both directions, and so does the end of what it sends."""
    stage.create(maker.pod("echo", grace=1, command=["python", "-c", ECHO], readinessProbe=LISTENS))
    stage.kubectl("wait --for=condition=Ready pod/echo --timeout=60s")
    sent = bytes(range(256)) * (SIZE // 256)
    with (
        forwarded(stage, "pod/echo", 5000) as (port, _),
        socket.create_connection(("127.0.0.1", port), 20) as connection,
        connection.makefile("rb") as incoming,
    ):
        connection.sendall(sent)
        assert incoming.read() == sent[::-1]


def test_a_port_on_which_nobody_listens(sale: Scene, a_pod: Object) -> None:
    """The connection ends, and kubectl says why."""
    with forwarded(sale, f"pod/{a_pod['metadata']['name']}", 7) as (port, followed):
        with socket.create_connection(("127.0.0.1", port), 20) as connection:
            connection.sendall(b"x")
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(1) == b""
        sale.until(
            lambda: "connect: connection refused" in "\n".join(followed.lines), "kubectl says why"
        )


def test_a_pod_that_goes(stage: Scene, maker: Maker) -> None:
    """Its connections end with it."""
    stage.create(maker.pod("going", grace=1))
    stage.kubectl("wait --for=condition=Ready pod/going --timeout=60s")
    with (
        forwarded(stage, "pod/going", 5000) as (port, _),
        socket.create_connection(("127.0.0.1", port), 60) as connection,
    ):
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"
        stage.kubectl("delete pod going --now")
        while connection.recv(4096):
            pass


def test_no_such_pod(sale: Scene) -> None:
    """It is kubectl who looks."""
    done = sale.kubectl("port-forward pod/no-such-pod :5000", code=1)
    assert '(NotFound): pods "no-such-pod" not found' in done.err
