"""Requests of methods that HTTP does not know (recorded from v1.36.2)."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from flashsale.embedded.apiserver.connections import Connections


async def answer(line: bytes) -> bytes:
    """Send one request to a server that names what it got, and return all it says."""

    async def known(request: web.BaseRequest) -> web.Response:
        return web.Response(text=f"known {request.method}")

    def unknown(request: web.BaseRequest) -> web.Response:
        return web.Response(status=405, text=f"{request.method} {request.path} unknown")

    runner = web.ServerRunner(Connections(known, unknown, handler_cancellation=True))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        reader, writer = await asyncio.open_connection(*runner.addresses[0])
        writer.write(line + b"\r\nHost: a\r\nConnection: close\r\n\r\n")
        said = await reader.read()
        writer.close()
        return said
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("line", "status", "text"),
    [
        (b"FOO /api HTTP/1.1", b" 405 ", b"FOO /api unknown"),
        (b"GET /api HTTP/1.1", b" 200 ", b"known GET"),
        (b"nonsense", b" 400 ", b""),
    ],
)
def test_unknown_methods(line: bytes, status: bytes, text: bytes) -> None:
    """Any word is a method; what is no request line at all is refused."""
    said = asyncio.run(answer(line))
    assert status in said.splitlines()[0]
    assert said.endswith(text)
