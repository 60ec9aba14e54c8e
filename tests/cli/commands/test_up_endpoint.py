"""A sale whose pods are well and whose address is not: nobody is sent astray in silence."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from tests.command import PATIENCE, Flashsale, kubectl


@pytest.fixture
def small_sale(own_sale: Flashsale) -> Flashsale:
    """A sale of one pod that may be harmed."""
    manifest = str(own_sale.lean_manifest())
    opened = own_sale("up", "--manifest", manifest, "--replicas", "1")
    assert opened.code == 0, opened.err
    return own_sale


def test_missing_service_hides_no_pods(small_sale: Flashsale) -> None:
    """The tables that there are, one line about the one that is not, and its URL is empty."""
    before = small_sale("status", "-o", "json").json
    kubectl(small_sale, "delete", "service", "flashsale-svc")
    done = small_sale("status")
    message = (
        "The Service flashsale-svc is missing, so no buyer gets in. flashsale up makes it again.\n"
    )
    assert (done.code, done.err) == (0, message)
    assert before["pods"][0]["name"] in done.out
    assert "NodePort" not in done.out
    machine = small_sale("status", "-o", "json")
    assert (machine.err, set(machine.json)) == (message, set(before))
    assert (machine.json["service"], machine.json["url"]) == (None, "")
    assert machine.json["pods"][0]["name"] == before["pods"][0]["name"]


class Page(BaseHTTPRequestHandler):
    """A stranger's page, which names no pod."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """Answer."""
        self.asked.append(self.path)
        body = b"<html>somebody else</html>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def bound(port: int, until: float) -> ThreadingHTTPServer:
    """Take a port as soon as whoever had it is quite dead."""
    while True:
        try:
            return ThreadingHTTPServer(("127.0.0.1", port), Page)
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


@contextmanager
def squatter(port: int) -> Iterator[int]:
    """A program of this machine that has a port."""
    with bound(port, time.monotonic() + PATIENCE) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def node_port(sale: Flashsale) -> int:
    """The Service's node port."""
    return int(sale("status", "-o", "json").json["service"]["node_port"])


def test_taken_node_port_is_told(small_sale: Flashsale) -> None:
    """`up` does not call it open, `status` says it, and once the port is free all is well."""
    port = node_port(small_sale)
    assert small_sale("down").code == 0
    asked = {"port: 80\n": f"port: 80\n      nodePort: {port}\n"}
    words = ("up", "--manifest", str(small_sale.lean_manifest(**asked)), "--replicas", "1")
    with squatter(port):
        done = small_sale(*words)
        assert (done.code, done.out) == (5, "")
        assert f"node port {port} is taken by another program on this machine." in done.err
        assert f"lsof -i :{port}  # names that program" in done.err.splitlines()[-1]
        shown = small_sale("status")
        assert shown.code == 0
        assert re.fullmatch(f"Node port {port} is taken by .*does not lead to.*\n", shown.err)
        for command in (("load", "--for", "1s"), ("drill",), ("url",)):
            refused = small_sale(*command)
            assert (refused.code, refused.out) == (6, "")
            assert f"Node port {port} is taken by another program" in refused.err
        assert "/buy" not in Page.asked
    opened = small_sale(*words)
    assert opened.code == 0, opened.err
    assert small_sale("status").err == ""


def test_port_that_was_taken_while_the_cluster_was_dead_is_told(small_sale: Flashsale) -> None:
    """The hint leads to another port, because the manifest asks for none."""
    port = node_port(small_sale)
    os.kill(small_sale.cluster_pid(), signal.SIGKILL)
    manifest = str(small_sale.lean_manifest())
    with squatter(port):
        done = small_sale("up", "--manifest", manifest)
        assert done.code == 5
        assert f"node port {port} is taken" in done.err
        assert "  # takes another port" in done.err
        assert small_sale("down").code == 0
        opened = small_sale("up", "--manifest", manifest, "--replicas", "1", "-o", "json")
        assert opened.code == 0, opened.err
        assert opened.json["service"]["node_port"] != port


def test_service_that_sends_buyers_to_another_port_is_told(small_sale: Flashsale) -> None:
    """Pods are ready, but nobody listens where the Service sends buyers."""
    wrong = small_sale.lean_manifest(**{"targetPort: 5000": "targetPort: 80"})
    done = small_sale("up", "--manifest", str(wrong))
    assert (done.code, done.out) == (5, "")
    error, hint = done.err.splitlines()[-2:]
    assert "The Service flashsale-svc sends buyers to targetPort 80, where no container" in error
    assert "containers say containerPort 5000 (connection" in error
    assert hint.startswith("Hint: flashsale up")
    assert hint.endswith("# after you wrote `targetPort: 5000` in the manifest")


def test_sale_without_pods_is_not_asked(small_sale: Flashsale) -> None:
    """With no replicas nobody can answer, and that is no failure."""
    manifest = str(small_sale.lean_manifest())
    opened = small_sale("up", "--manifest", manifest, "--replicas", "0")
    assert opened.code == 0
    assert "No pod is wanted, so the sale is not open. Next:\n  flashsale scale 3" in opened.out
