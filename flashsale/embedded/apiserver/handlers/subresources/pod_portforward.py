"""A pod's `portforward`: connections to its ports, through the one to the API server.

kubectl tunnels SPDY in a WebSocket (KEP-4006). For each connection it opens two streams: on one
goes what is sent, on the other comes what is wrong (cri-streaming/pkg/streaming/portforward).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from flashsale.base.aio import end_tasks
from flashsale.embedded.apiserver.handlers.subresources.pod_command import (
    check_method,
    check_node,
    check_upgrade,
)
from flashsale.embedded.apiserver.handlers.subresources.port_channels import (
    BLOCK,
    CHANNEL_PROTOCOLS,
    MOST_PORTS,
    PodPorts,
    PortChannels,
    forward_error,
)
from flashsale.embedded.apiserver.handlers.subresources.spdy_upgrade import (
    accept_spdy,
    client_frames,
    wants_spdy,
)
from flashsale.embedded.apiserver.handlers.subresources.websocket_channels import accept_websocket
from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.apiserver.request_path import RequestTarget
from flashsale.embedded.apiserver.streaming.spdy_frames import (
    Data,
    Frame,
    FrameWriter,
    OpenedStream,
    Reset,
)
from flashsale.embedded.types.api_errors import NodeError, StatusError
from flashsale.objects.models import Object

PROTOCOL = "portforward.k8s.io"
TUNNEL = f"SPDY/3.1+{PROTOCOL}"
MOST_UNREAD = 1 << 21  # bytes for one connection; a kubelet queues 50 frames of 32 KiB at most
PING_SECONDS = 5.0


async def serve_portforward(
    registry: Registry, ports: PodPorts, request: web.BaseRequest, target: RequestTarget
) -> web.StreamResponse:
    """Forward connections until the client leaves.

    Raises:
        StatusError: 404, 400 for a pod without a node, or without an upgrade.
    """
    check_method(request)
    pod = registry.get(*target.key)
    check_node(pod)
    check_upgrade(request)
    if wants_spdy(request):
        raw = accept_spdy(request, PROTOCOL)
        if isinstance(raw, web.Response):
            return raw
        try:
            await PortForward(pod, ports, raw.send).run(aiter(raw))
        finally:
            answer = raw.close()
        return answer
    numbers = [_port(text) for text in ",".join(request.query.getall("ports", [])).split(",")]
    if 0 in numbers or len(numbers) > MOST_PORTS:
        numbers = []
    response = await accept_websocket(request, (TUNNEL, *(CHANNEL_PROTOCOLS if numbers else ())))
    if isinstance(response, web.Response):
        return response
    if response.ws_protocol == TUNNEL:
        await PortForward(pod, ports, response.send_bytes).run(_messages(response))
    else:
        await PortChannels(response, pod, ports, numbers).run()
    await response.close()
    return response


async def _messages(response: web.WebSocketResponse) -> AsyncIterator[bytes]:
    async for message in response:
        if message.type is not WSMsgType.BINARY:
            return
        yield message.data


@dataclass(slots=True)
class StreamPair:
    """The two streams of one connection, as they are opened."""

    port: int
    error: int = 0
    data: int = 0
    relay: asyncio.Task[None] | None = None
    unread: int = 0  # bytes that the pod has not taken
    frames: asyncio.Queue[Data] = field(default_factory=asyncio.Queue)
    has_room: asyncio.Event = field(default_factory=asyncio.Event)


class PortForward:
    """The streams of one client, and the connections to the pod that they belong to."""

    def __init__(
        self, pod: Object, ports: PodPorts, send: Callable[[bytes], Awaitable[None]]
    ) -> None:
        self._pod, self._ports, self._send = pod, ports, send
        self._writer = FrameWriter()
        self._pairs: dict[str, StreamPair] = {}  # by the client's number for a connection
        self._by_data: dict[int, StreamPair] = {}

    async def run(self, incoming: AsyncIterator[bytes]) -> None:
        """Work until the client leaves; then every connection ends."""
        try:
            async for frame in client_frames(incoming, self._writer, self._send):
                await self._take(frame)
        except ConnectionError:
            return
        finally:
            await end_tasks(*(pair.relay for pair in self._by_data.values() if pair.relay))

    async def _take(self, frame: Frame) -> None:
        if isinstance(frame, OpenedStream):
            await self._open(frame)
        elif isinstance(frame, Reset):
            await self._reset(frame.stream)
        elif isinstance(frame, Data) and (pair := self._by_data.get(frame.stream)):
            await self._keep(pair, frame)

    async def _keep(self, pair: StreamPair, frame: Data) -> None:
        """Keep what the pod shall read; with too much of it, the client has to wait.

        All its connections wait then, as at a kubelet: SPDY's windows are not in use. No more is
        heard from a client meanwhile, so a ping finds out whether it is still there.
        """
        pair.frames.put_nowait(frame)
        pair.unread += len(frame.data)
        if pair.unread <= MOST_UNREAD:
            return
        pair.has_room.clear()
        while not pair.has_room.is_set():
            try:
                await asyncio.wait_for(pair.has_room.wait(), PING_SECONDS)
            except TimeoutError:
                await self._send(self._writer.ping(2))  # a server's are even

    async def _reset(self, stream: int) -> None:
        """End a connection; kubectl waits for the end of the other stream."""
        pair = self._by_data.pop(stream, None)
        if pair and pair.relay:
            pair.relay.cancel()
            await self._send(self._writer.data(pair.error, b"", fin=True))

    async def _open(self, frame: OpenedStream) -> None:
        port, kind = _port(frame.headers.get("port", "")), frame.headers.get("streamtype")
        if not port or kind not in ("error", "data"):
            await self._send(self._writer.reset(frame.stream))
            return
        await self._send(self._writer.reply(frame.stream))
        own = frame.stream if kind == "error" else frame.stream - 2  # of who sends no number
        number = frame.headers.get("requestid", str(own))
        pair = self._pairs.setdefault(number, StreamPair(port))
        setattr(pair, kind, frame.stream)
        if pair.error and pair.data:
            del self._pairs[number]
            self._by_data[pair.data] = pair
            pair.relay = asyncio.ensure_future(self._relay(pair))

    async def _relay(self, pair: StreamPair) -> None:
        """Connect, and send what the pod sends, and its end; or why there is no connection.

        Whoever cancels this has to forget the pair: it may not have begun.
        """
        writer = self._writer
        try:
            reader, there = await self._ports.dial(self._pod, pair.port)
            giving = asyncio.ensure_future(_give(pair, there))
            try:
                with contextlib.suppress(ConnectionError):
                    while data := await reader.read(BLOCK):
                        await self._send(writer.data(pair.data, data))
                there.close()
                await self._send(writer.data(pair.data, b"", fin=True))
                await self._send(writer.data(pair.error, b"", fin=True))
            finally:
                giving.cancel()
                if not there.is_closing():  # cancelled: what finds no room any more is void
                    while not pair.frames.empty():
                        there.write(pair.frames.get_nowait().data)
                    there.transport.abort()
        except (NodeError, StatusError) as error:
            why = forward_error(self._pod, pair.port, error).encode()
            with contextlib.suppress(ConnectionError):
                await self._send(writer.data(pair.error, why, fin=True))
                await self._send(writer.reset(pair.data))
        except ConnectionError:
            return  # the client has left
        finally:
            self._by_data.pop(pair.data, None)
            pair.has_room.set()


async def _give(pair: StreamPair, there: asyncio.StreamWriter) -> None:
    """Pass on what the client sends, as fast as the pod reads."""
    with contextlib.suppress(OSError):
        while True:
            frame = await pair.frames.get()
            there.write(frame.data)
            await there.drain()
            pair.unread -= len(frame.data)
            if pair.unread <= MOST_UNREAD:
                pair.has_room.set()
            if frame.fin:
                there.write_eof()


def _port(text: str) -> int:
    """Read the port that is meant; 0 for none."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    return number if number < 1 << 16 else 0
