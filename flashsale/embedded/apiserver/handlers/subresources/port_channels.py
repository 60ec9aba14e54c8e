"""Port-forwarding over channels of a WebSocket, as client libraries do it: a connection a port.

After cri-streaming/pkg/streaming/portforward/websocket.go: port number I of the request has the
channels 2*I for data and 2*I+1 for what is wrong, and both begin with the port, low byte first.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, Protocol

from aiohttp import WSMsgType, web

from flashsale.embedded.apiserver.handlers.subresources.websocket_channels import send_message
from flashsale.embedded.apiserver.streaming.channels import BadMessageError, ChannelProtocol
from flashsale.embedded.types.api_errors import NodeError, StatusError
from flashsale.objects.models import Object

BLOCK = 32 * 1024  # bytes that are read at once
PodConnection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
CHANNEL_PROTOCOLS = {
    name: ChannelProtocol(name, in_base64="base64" in name, highest=255)
    for name in ("v4.channel.k8s.io", "v4.base64.channel.k8s.io", "")
}
MOST_PORTS = 100  # each has two channels, and a channel's number is a byte


class PodPorts(Protocol):
    """The ports of the pods of all nodes."""

    async def dial(self, pod: Object, port: int) -> PodConnection:
        """Connect to a port of a pod.

        Raises:
            NodeError: the pod is not there any more, or nobody listens.
            StatusError: its node does not answer.
        """


def forward_error(pod: Object, port: int, error: Exception) -> str:
    """Say as a kubelet does why there is no connection."""
    meta = pod["metadata"]
    return f"error forwarding port {port} to pod {meta['name']}, uid {meta['uid']}: {error}"


class PortChannels:
    """One client, and a connection to each port that it has named."""

    def __init__(
        self, response: web.WebSocketResponse, pod: Object, ports: PodPorts, numbers: Sequence[int]
    ) -> None:
        self._response, self._pod, self._ports, self._numbers = response, pod, ports, numbers
        self._protocol = CHANNEL_PROTOCOLS[response.ws_protocol or ""]
        self._writers: dict[int, asyncio.Future[asyncio.StreamWriter]] = {}

    async def run(self) -> None:
        """Work until the client leaves, or all connections have ended."""
        loop = asyncio.get_running_loop()
        self._writers = {2 * place: loop.create_future() for place in range(len(self._numbers))}
        tasks = {asyncio.ensure_future(self._relay(place)) for place in range(len(self._numbers))}
        all_ended = asyncio.gather(*tasks)
        reading = asyncio.ensure_future(self._read())
        try:
            either: set[asyncio.Future[Any]] = {all_ended, reading}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            all_ended.cancel()
            reading.cancel()
            await asyncio.wait({reading, *tasks})

    async def _relay(self, place: int) -> None:
        port, made = self._numbers[place], self._writers[2 * place]
        try:
            for channel in (2 * place, 2 * place + 1):
                await self._send(channel, port.to_bytes(2, "little"))
            reader, writer = await self._ports.dial(self._pod, port)
            made.set_result(writer)
            with contextlib.closing(writer), contextlib.suppress(ConnectionError):
                while data := await reader.read(BLOCK):
                    await self._send(2 * place, data)
        except (NodeError, StatusError) as error:
            why = forward_error(self._pod, port, error).encode()
            with contextlib.suppress(ConnectionError):
                await self._send(2 * place + 1, why)
        except ConnectionError:
            return  # the client has left
        finally:
            made.cancel()

    async def _read(self) -> None:
        async for message in self._response:
            if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
                return
            try:
                arrived = self._protocol.decode(message.data)
            except BadMessageError:
                return
            if arrived is None:
                return
            if made := self._writers.get(arrived.channel):
                await asyncio.wait({made})
                if not made.cancelled():
                    with contextlib.suppress(OSError):
                        made.result().write(arrived.data)
                        await made.result().drain()

    async def _send(self, channel: int, data: bytes) -> None:
        await send_message(self._response, self._protocol.encode(channel, data))
