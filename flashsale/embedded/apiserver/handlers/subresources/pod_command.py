"""A pod's `exec`: a command in one of its containers, and a client that talks with it; `attach`.

After pkg/registry/core/pod/rest/subresources.go and pkg/kubelet/server: what is wrong with pod or
container is said before the connection becomes another protocol, the rest over that.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from aiohttp import web

from flashsale.base.aio import end_tasks
from flashsale.embedded.apiserver.handlers.request_body import is_true
from flashsale.embedded.apiserver.handlers.subresources.pod_log import container_name
from flashsale.embedded.apiserver.handlers.subresources.spdy_upgrade import (
    open_spdy_streams,
    wants_spdy,
)
from flashsale.embedded.apiserver.handlers.subresources.websocket_channels import open_channels
from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.apiserver.request_path import RequestTarget
from flashsale.embedded.apiserver.streaming import channels
from flashsale.embedded.apiserver.streaming.channels import Arrived
from flashsale.embedded.types import api_errors
from flashsale.embedded.types.api_errors import NodeError, StatusError
from flashsale.objects.models import Object

STREAMS = ("stdin", "stdout", "stderr", "tty")
PING_SECONDS = 5.0  # as kubectl
NO_STREAM = "you must specify at least 1 of stdin, stdout, stderr"


class RemoteCommand(Protocol):
    """A command that runs in a container."""

    @property
    def outputs(self) -> Collection[int]:
        """Which output streams it has, STDOUT and STDERR."""

    async def read(self, stream: int) -> bytes:
        """Return what it has written; nothing at the end."""

    async def write(self, data: bytes) -> None:
        """Give it input."""

    def close_stdin(self) -> None:
        """End its input."""

    def resize(self, width: int, height: int) -> None:
        """Change the size of its terminal."""

    async def wait(self) -> int:
        """Return its exit code once it has ended."""


class PodStreams(Protocol):
    """What the API server asks of a kubelet: ways into its pods."""

    def start_exec(
        self, pod: Object, container: str, command: Sequence[str], **streams: bool
    ) -> AbstractAsyncContextManager[RemoteCommand]:
        """Run a command for as long as the block; one that cannot be run says so as its output.

        Args:
            streams: which of STREAMS are wanted.

        Raises:
            NodeError: the container does not run.
            StatusError: the node does not answer.
        """

    def start_attach(
        self, pod: Object, container: str, *, stdin: bool
    ) -> AbstractAsyncContextManager[RemoteCommand]:
        """Listen to a container's own output for as long as the block; raises the same."""


RunningCommand = AbstractAsyncContextManager[RemoteCommand]


class ClientStreams(Protocol):
    """A client's side of the streams."""

    async def send(self, channel: int, data: bytes) -> None:
        """Send what a command has written."""

    async def ping(self) -> None:
        """Send what needs no answer."""

    async def finish(self, status: Object) -> None:
        """Send how it ended."""

    def __aiter__(self) -> AsyncIterator[Arrived]:
        """Yield what the client sends, until it leaves."""


async def serve_exec(
    registry: Registry, pods: PodStreams, request: web.BaseRequest, target: RequestTarget
) -> web.StreamResponse:
    """Run a command in a container, with the client's streams.

    Raises:
        StatusError: 404; 400 for a container that is none of the pod's, or without an upgrade.
    """
    command = request.query.getall("command", [])

    async def run(client: ClientStreams, running: RunningCommand) -> Object:
        if not command:
            why = "Error response from daemon: No exec command specified"
            return channels.failure_status(f"error executing command in container: {why}")
        async with running as there:
            return channels.exit_status(await _join(client, there), f"[{' '.join(command)}]")

    def start(pod: Object, container: str, streams: Mapping[str, bool]) -> RunningCommand:
        return pods.start_exec(pod, container, command, **streams)

    return await _serve(registry, request, target, start, run)


async def serve_attach(
    registry: Registry, pods: PodStreams, request: web.BaseRequest, target: RequestTarget
) -> web.StreamResponse:
    """Send what a container writes from now on; raises as `serve_exec` does."""

    async def run(client: ClientStreams, running: RunningCommand) -> Object:
        async with running as there:
            return channels.exit_status(await _join(client, there), "")

    def start(pod: Object, container: str, streams: Mapping[str, bool]) -> RunningCommand:
        return pods.start_attach(pod, container, stdin=streams["stdin"])

    return await _serve(registry, request, target, start, run)


async def _serve(
    registry: Registry,
    request: web.BaseRequest,
    target: RequestTarget,
    start: Callable[[Object, str, Mapping[str, bool]], RunningCommand],
    run: Callable[[ClientStreams, RunningCommand], Awaitable[Object]],
) -> web.StreamResponse:
    check_method(request)
    pod = registry.get(*target.key)
    container = container_name(pod, request.query.get("container", ""))
    check_node(pod)
    check_upgrade(request)
    streams = {name: is_true(request.query.get(name, "false")) for name in STREAMS}
    if streams["tty"]:
        streams["stderr"] = False  # a terminal has one output
    if not any(streams[name] for name in STREAMS[:3]):
        return web.Response(status=400, text=NO_STREAM)
    try:
        running = start(pod, container, streams)
    except NodeError as error:
        return web.Response(status=error.code, text=str(error))
    client = await (
        open_spdy_streams(request, streams) if wants_spdy(request) else open_channels(request)
    )
    if isinstance(client, web.Response):
        return client
    await client.send(1 if streams["stdout"] else 2 if streams["stderr"] else 3, b"")
    try:
        status = await run(client, running)
    except ConnectionError:
        raise  # the client has left
    except (OSError, NodeError, StatusError) as error:  # no descriptor is left, it has ended
        status = channels.failure_status(f"error executing command in container: {error}")
    await client.finish(status)
    return client.response


def check_method(request: web.BaseRequest) -> None:
    """Refuse all methods but two: browsers can only GET a WebSocket.

    Raises:
        StatusError: 405.
    """
    if request.method not in ("GET", "POST"):
        raise api_errors.method_not_allowed()


def check_node(pod: Object) -> None:
    """Refuse a pod that is on no node.

    Raises:
        StatusError: 400.
    """
    if not pod["spec"].get("nodeName"):
        raise api_errors.bad_request(f"pod {pod['metadata']['name']} does not have a host assigned")


def check_upgrade(request: web.BaseRequest) -> None:
    """Refuse who does not want to go on in another protocol.

    Raises:
        StatusError: 400.
    """
    if "upgrade" not in request.headers.get("Connection", "").lower():
        raise api_errors.bad_request("Upgrade request required")


async def _join(client: ClientStreams, there: RemoteCommand) -> int:
    """Return the exit code; 137 where the client has left first."""
    incoming = asyncio.ensure_future(_give_input(client, there))
    outgoing = asyncio.ensure_future(_take_output(client, there))
    alive = asyncio.ensure_future(_ping(client))
    tasks: set[asyncio.Task[Any]] = {incoming, outgoing, alive}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return await outgoing if outgoing.done() else 137
    finally:
        await end_tasks(*tasks)


async def _ping(client: ClientStreams) -> None:
    """Find out that a client has left, also while a full pipe keeps us from hearing it."""
    with contextlib.suppress(ConnectionError):
        while True:
            await asyncio.sleep(PING_SECONDS)
            await client.ping()


async def _give_input(client: ClientStreams, there: RemoteCommand) -> None:
    async for arrived in client:
        if arrived.channel == channels.STDIN and arrived.end:
            there.close_stdin()
        elif arrived.channel == channels.STDIN:
            await there.write(arrived.data)
        elif arrived.channel == channels.RESIZE and (size := channels.read_size(arrived.data)):
            there.resize(*size)


async def _take_output(client: ClientStreams, there: RemoteCommand) -> int:
    async def pump(stream: int) -> None:
        while data := await there.read(stream):
            await client.send(stream, data)
            await asyncio.sleep(0)  # neither of the two waits while data is there: let others work

    await asyncio.gather(*(pump(stream) for stream in there.outputs))
    return await there.wait()
