"""A pod's `portforward`: connections to its ports, through the one to the API server.

kubectl tunnels SPDY in a WebSocket (KEP-4006). For each connection it opens two streams: on one
goes what is sent, on the other comes what is wrong (cri-streaming/pkg/streaming/portforward).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from aiohttp import WSMsgType, web

from flashsale.embedded.apiserver.handlers.subresources.pod_command import (
    check_method,
    check_node,
    check_upgrade,
)
from flashsale.embedded.apiserver.handlers.subresources.pod_ports import (
    BLOCK,
    PodConnection,
    PodPorts,
    forward_error,
)
from flashsale.embedded.apiserver.handlers.subresources.port_channels import (
    CHANNEL_PROTOCOL,
    MOST_PORTS,
    PortChannels,
)
from flashsale.embedded.apiserver.handlers.subresources.spdy_upgrade import (
    accept_spdy,
    wants_spdy,
)
from flashsale.embedded.apiserver.handlers.subresources.websocket_channels import accept_websocket
from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.apiserver.request_path import RequestTarget
from flashsale.embedded.apiserver.streaming.spdy_frames import (
    BadFrameError,
    Data,
    Frame,
    FrameReader,
    FrameWriter,
    GoAway,
    OpenedStream,
    Ping,
    Reset,
)
from flashsale.embedded.types.api_errors import NodeError, StatusError
from flashsale.objects.models import Object

PROTOCOL = "portforward.k8s.io"
TUNNEL = f"SPDY/3.1+{PROTOCOL}"


async def serve_portforward(
    registry: Registry, ports: PodPorts, request: web.BaseRequest, target: RequestTarget
) -> web.StreamResponse:
    """Forward connections until the client leaves.

    Raises:
        StatusError: 404, 400 for a pod without a node, or without an upgrade.
    """
    check_method(request)
    pod = registry.get(target.resource, target.namespace, target.name)
    check_node(pod)
    check_upgrade(request)
    if wants_spdy(request):
        raw = accept_spdy(request, PROTOCOL)
        if isinstance(raw, web.Response):
            return raw
        await PortForward(pod, ports, raw.send).run(aiter(raw))
        return raw.close()
    numbers = [_port(text) for text in ",".join(request.query.getall("ports", [])).split(",")]
    if 0 in numbers or len(numbers) > MOST_PORTS:
        numbers = []
    response = await accept_websocket(request, (TUNNEL, *([CHANNEL_PROTOCOL] if numbers else [])))
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
    connected: asyncio.Task[PodConnection] | None = None
    relay: asyncio.Task[None] | None = None


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
        reader = FrameReader()
        try:
            async for data in incoming:
                for frame in reader.feed(data):
                    if isinstance(frame, GoAway):
                        return
                    await self._take(frame)
        except (BadFrameError, ConnectionError):
            return
        finally:
            tasks = [
                task
                for pair in self._by_data.values()
                for task in (pair.relay, pair.connected)
                if task
            ]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _take(self, frame: Frame) -> None:
        if isinstance(frame, OpenedStream):
            await self._open(frame)
        elif isinstance(frame, Ping) and frame.number % 2:  # an even one answers ours
            await self._send(self._writer.ping(frame.number))
        elif isinstance(frame, Reset):
            await self._reset(frame.stream)
        elif isinstance(frame, Data) and (pair := self._by_data.get(frame.stream)):
            await _give(pair, frame)

    async def _reset(self, stream: int) -> None:
        """End a connection; kubectl waits for the end of the other stream."""
        pair = self._by_data.get(stream)
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
            pair.connected = asyncio.ensure_future(self._ports.dial(self._pod, port))
            pair.relay = asyncio.ensure_future(self._relay(pair, pair.connected))

    async def _relay(self, pair: StreamPair, connected: asyncio.Task[PodConnection]) -> None:
        """Send what the pod sends, and its end; or why there is no connection."""
        writer = self._writer
        try:
            try:
                reader, _ = await connected
            except (NodeError, StatusError) as error:
                why = forward_error(self._pod, pair.port, error).encode()
                await self._send(writer.data(pair.error, why, fin=True))
                await self._send(writer.reset(pair.data))
                return
            with contextlib.suppress(ConnectionError):
                while data := await reader.read(BLOCK):
                    await self._send(writer.data(pair.data, data))
            await self._send(writer.data(pair.data, b"", fin=True))
            await self._send(writer.data(pair.error, b"", fin=True))
        except ConnectionError:
            return  # the client has left
        finally:
            self._by_data.pop(pair.data, None)
            connected.cancel()
            if there := _made(connected):
                there.close()


def _made(connected: asyncio.Task[PodConnection]) -> asyncio.StreamWriter | None:
    """Return the way to the pod, once there is one."""
    if not connected.done() or connected.cancelled() or connected.exception():
        return None
    return connected.result()[1]


async def _give(pair: StreamPair, frame: Data) -> None:
    """Pass on what the client sends; who sends faster than the pod reads has to wait."""
    assert pair.connected
    await asyncio.wait({pair.connected})
    with contextlib.suppress(OSError):
        if there := _made(pair.connected):
            there.write(frame.data)
            await there.drain()
            if frame.fin:
                there.write_eof()


def _port(text: str) -> int:
    """Read the port that is meant; 0 for none."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    return number if number < 1 << 16 else 0
