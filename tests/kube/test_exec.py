"""A command in a container, against a real WebSocket server that speaks the API's protocol."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from flashsale.base.errors import FlashsaleError
from flashsale.kube import Api, connect
from flashsale.kube.exec import unstarted
from flashsale.kube.response_errors import ForbiddenError, NotFoundError
from tests.kube.test_api import kubeconfig

Ending = Callable[[web.WebSocketResponse, web.Request], Awaitable[None]]
END = web.AppKey("end", list)
SEEN = web.AppKey("seen", list)
MISSING = 'exec failed: exec: "sh": executable file not found in $PATH: unknown'
POD = "/api/v1/namespaces/shop/pods/p"


def exited(code: int, message: str = "") -> dict[str, Any]:
    """The Status of a command that ended with an exit code."""
    causes = {"causes": [{"reason": "ExitCode", "message": str(code)}]}
    failed = {"status": "Failure", "reason": "NonZeroExitCode", "message": message}
    return {**failed, "details": causes} if code else {"status": "Success"}


def says(status: dict[str, Any]) -> Ending:
    """End as a command does: some output, then a Status."""

    async def end(socket: web.WebSocketResponse, _: web.Request) -> None:
        await socket.send_bytes(b"\x01output")
        await socket.send_bytes(b"\x03" + json.dumps(status).encode())

    return end


async def dies(_: web.WebSocketResponse, request: web.Request) -> None:
    """End as a connection to a container that is no more."""
    assert request.transport is not None
    request.transport.abort()


async def pod(request: web.Request) -> web.Response:
    return web.json_response({"spec": {"containers": [{"name": "first"}, {"name": "second"}]}})


async def execute(request: web.Request) -> web.StreamResponse:
    """Take the command, and end it as the test wants."""
    request.app[SEEN].append(request)
    end, protocols = request.app[END]
    if isinstance(end, int):
        return web.Response(status=end)
    socket = web.WebSocketResponse(protocols=protocols)
    await socket.prepare(request)
    await end(socket, request)
    return socket


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    """An API server with one pod."""
    app = web.Application()
    app[END], app[SEEN] = [says(exited(0)), ("v5.channel.k8s.io", "v4.channel.k8s.io")], []
    app.router.add_get(POD, pod)
    app.router.add_get(f"{POD}/exec", execute)
    async with TestServer(app) as running:
        yield running


@pytest.fixture
async def api(server: TestServer, tmp_path: Path) -> AsyncIterator[Api]:
    """A connection to that server."""
    async with connect(kubeconfig(tmp_path, str(server.make_url("/"))), "test") as door:
        yield door


def ends(server: TestServer, end: Ending | int, *protocols: str) -> None:
    """Prepare how the command ends."""
    assert server.app is not None
    server.app[END][0] = end
    if protocols:
        server.app[END][1] = protocols


async def test_command_goes_to_the_app_container(api: Api, server: TestServer) -> None:
    """Word by word, with our credentials, in the protocol's newest form."""
    await api.run_in("shop", "p", ["sh", "-c", "kill -9 -1; kill -QUIT 1"])
    assert server.app is not None
    (request,) = server.app[SEEN]
    assert request.query.getall("command") == ["sh", "-c", "kill -9 -1; kill -QUIT 1"]
    assert (request.query["container"], request.query["stdout"]) == ("first", "true")
    assert request.headers["Authorization"] == "Bearer secret"
    assert request.headers["Sec-WebSocket-Protocol"].startswith("v5.channel.k8s.io")


@pytest.mark.parametrize("end", [says(exited(137)), says(exited(1)), dies], ids=["137", "1", "cut"])
async def test_command_that_ends_its_container_has_done_its_work(
    api: Api, server: TestServer, end: Ending
) -> None:
    """The shell is killed with the rest, and the connection may just break."""
    ends(server, end)
    await api.run_in("shop", "p", ["sh"])


async def test_older_servers_speak_an_older_protocol(api: Api, server: TestServer) -> None:
    """The last word is the same in both."""
    ends(server, says(exited(127, "not found")), "v4.channel.k8s.io")
    with pytest.raises(FlashsaleError, match="cannot run sh"):
        await api.run_in("shop", "p", ["sh"])


@pytest.mark.parametrize(
    ("end", "kind", "sentence"),
    [
        (says({"status": "Failure", "message": "busy"}), FlashsaleError, "run a command in the"),
        (says({"status": "Failure", "message": MISSING}), FlashsaleError, "'first' cannot run sh"),
        (says(exited(126, "no sh")), FlashsaleError, "'first' cannot run sh"),
        (403, ForbiddenError, "Not allowed to run a command"),
        (500, FlashsaleError, "HTTP status 500"),
    ],
    ids=["exec-fails", "no-shell", "126", "forbidden", "failed"],
)
async def test_command_that_does_not_start_is_an_error(
    api: Api, server: TestServer, end: Ending | int, kind: type[FlashsaleError], sentence: str
) -> None:
    """Nobody waits for a crash that will not come."""
    ends(server, end)
    with pytest.raises(kind, match=sentence) as caught:
        await api.run_in("shop", "p", ["sh"])
    assert caught.value.hint


async def test_pod_that_is_gone_is_not_found(api: Api) -> None:
    """As with every other request."""
    with pytest.raises(NotFoundError):
        await api.run_in("shop", "q", ["sh"])


def test_only_what_never_ran_is_unstarted() -> None:
    """Any other exit code is the command's own business."""
    assert unstarted(exited(127, "sh: not found")) == "sh: not found"
    assert unstarted({"status": "Failure", "reason": "InternalError"}) == "unknown"
    assert [unstarted(one) for one in ({}, exited(0), exited(1, "no"), exited(143))] == [""] * 4
