"""Connections that leave HTTP: for which protocol, and how they end when a client goes wrong."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession, web

from flashsale.embedded.apiserver.connections import Connections
from flashsale.embedded.apiserver.handlers.subresources import spdy_upgrade
from flashsale.embedded.apiserver.handlers.subresources.port_channels import (
    CHANNEL_PROTOCOLS,
    PodConnection,
    PortChannels,
)
from flashsale.embedded.apiserver.handlers.subresources.spdy_upgrade import open_spdy_streams
from flashsale.embedded.apiserver.handlers.subresources.websocket_channels import accept_websocket
from flashsale.embedded.apiserver.streaming.spdy_frames import FrameWriter
from flashsale.objects.models import Object

Address = tuple[str, int]
UPGRADE = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"


@asynccontextmanager
async def serving(
    handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
) -> AsyncIterator[Address]:
    """Answer with that handler; gives the address."""

    def unknown(request: web.BaseRequest) -> web.Response:
        return web.Response(status=405)

    runner = web.ServerRunner(Connections(handler, unknown, handler_cancellation=True))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0]
    finally:
        await runner.cleanup()


async def run_command(request: web.BaseRequest) -> web.StreamResponse:
    """Accept a client, and go no further."""
    client = await open_spdy_streams(request, {"stdout": True})
    return client if isinstance(client, web.Response) else client.response


async def forward(request: web.BaseRequest) -> web.StreamResponse:
    """Forward port 80 in channels."""
    response = await accept_websocket(request, CHANNEL_PROTOCOLS)
    if isinstance(response, web.Response):
        return response
    await PortChannels(response, {}, Echo(), [80]).run()
    return response


class Echo:
    """A pod that sends back what comes."""

    async def dial(self, pod: Object, port: int) -> PodConnection:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.read(100))
            writer.close()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        connection = await asyncio.open_connection(*server.sockets[0].getsockname())
        server.close()
        return connection


async def ask(address: Address, sent: bytes) -> bytes:
    """Send that, and return all that comes until the server closes."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(sent)
    async with asyncio.timeout(20):
        said = await reader.read()
    writer.close()
    return said


@pytest.mark.parametrize(
    "sent",
    [FrameWriter().go_away(0), b"\x80\x03\0\x01\0\0\0\0", b""],
    ids=["goes away", "bad frame", "idles"],
)
async def test_a_client_that_does_not_open_its_streams(
    sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection ends, without an answer in HTTP."""
    monkeypatch.setattr(spdy_upgrade, "OPEN_SECONDS", 20.0 if sent else 0.01)
    async with serving(run_command) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(UPGRADE + b"X-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n")
        async with asyncio.timeout(20):
            assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
            writer.write(sent)  # now that the connection is SPDY's
            assert await reader.read() == b""
        writer.close()


async def test_protocols_that_nobody_speaks() -> None:
    """They are listed as Go prints a list."""
    async with serving(run_command) as address:
        lines = b"X-Stream-Protocol-Version: x, y\r\nConnection: close\r\n\r\n"
        said = await ask(address, UPGRADE + lines)
    assert b" 403 " in said
    assert b"client supports [x y], server accepts [v4.channel.k8s.io]\n" in said
    async with serving(forward) as address, ClientSession() as session:
        headers = {"Upgrade": "websocket", "Sec-WebSocket-Protocol": "x, y"}
        async with session.get("http://{}:{}".format(*address), headers=headers) as answer:
            assert "requested protocol(s) are not supported: [x y]; " in await answer.text()


@pytest.mark.parametrize("protocol", CHANNEL_PROTOCOLS)
async def test_ports_in_every_protocol_of_channels(protocol: str) -> None:
    """A port's channels begin with its number; data passes both ways."""

    def packed(channel: int, data: bytes) -> bytes | str:
        if protocol == "v4.base64.channel.k8s.io":
            return f"{channel}{base64.b64encode(data).decode()}"
        return bytes([channel]) + data

    async with (
        serving(forward) as address,
        ClientSession() as session,
        session.ws_connect(
            "http://{}:{}".format(*address), protocols=[protocol] if protocol else []
        ) as there,
    ):
        assert [(await there.receive(20)).data for _ in range(2)] == [
            packed(0, b"\x50\0"),
            packed(1, b"\x50\0"),
        ]
        message = packed(0, b"hello")
        await (there.send_str if isinstance(message, str) else there.send_bytes)(message)  # type: ignore[operator]
        assert (await there.receive(20)).data == message
