"""A client's streams as channels of a WebSocket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection

from aiohttp import WSMsgType, web

from flashsale.embedded.apiserver.streaming.channels import (
    PROTOCOLS,
    Arrived,
    BadMessageError,
    ChannelProtocol,
)
from flashsale.embedded.types import api_errors
from flashsale.objects.models import Object

CLOSE_SECONDS = 2.0  # for the client to say that it has heard the end


class WebSocketChannels:
    """The streams of one client."""

    def __init__(self, response: web.WebSocketResponse, protocol: ChannelProtocol) -> None:
        self.response = response
        self._protocol = protocol

    async def send(self, channel: int, data: bytes) -> None:
        await send_message(self.response, self._protocol.encode(channel, data))

    async def ping(self) -> None:
        await self.response.ping()

    async def finish(self, status: Object) -> None:
        last = self._protocol.encode_status(status)
        if last is not None and not self.response.closed:
            await send_message(self.response, last)
        await self.response.close()

    async def __aiter__(self) -> AsyncIterator[Arrived]:
        async for message in self.response:
            if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
                return
            try:
                arrived = self._protocol.decode(message.data)
            except BadMessageError:
                return
            if arrived:
                yield arrived


async def send_message(response: web.WebSocketResponse, message: bytes | str) -> None:
    """Send a message of the kind that its content is of."""
    if isinstance(message, str):
        await response.send_str(message)
    else:
        await response.send_bytes(message)


async def open_channels(request: web.BaseRequest) -> WebSocketChannels | web.Response:
    """Accept a WebSocket in a protocol of channels, or answer why not."""
    response = await accept_websocket(request, PROTOCOLS)
    if isinstance(response, web.Response):
        return response
    return WebSocketChannels(response, PROTOCOLS[response.ws_protocol or ""])


async def accept_websocket(
    request: web.BaseRequest, known: Collection[str]
) -> web.WebSocketResponse | web.Response:
    """Accept a WebSocket in one of these protocols, or answer why not.

    Raises:
        StatusError: 400 for another protocol.
    """
    if (upgrade := request.headers.get("Upgrade", "")).lower() != "websocket":
        raise api_errors.bad_request(f"unable to upgrade: no such protocol here: {upgrade}")
    wanted = [name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
    chosen = next((name for name in wanted if name in known), None)
    if chosen is None:  # as the WebSocket library of Go does
        why = f"not supported: [{' '.join(wanted)}]; supports [{' '.join(known)}]\n"
        return web.Response(status=403, text=f"requested protocol(s) are {why}")
    response = web.WebSocketResponse(
        protocols=[chosen] if chosen else (), timeout=CLOSE_SECONDS, compress=False, max_msg_size=0
    )
    try:
        await response.prepare(request)
    except web.HTTPBadRequest as error:  # half a handshake
        return web.Response(status=400, text=f"{error.text}\n")
    return response
