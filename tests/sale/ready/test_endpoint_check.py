"""One GET request to the sale's address, against real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from flashsale.sale.ready.endpoint_check import EndpointAnswer, named_pod, send_get

REQUEST_END = b"\r\n\r\n"
LIMIT = 10.0  # seconds for an answer, on a busy machine
Reply = bytes | None  # None keeps silent


@asynccontextmanager
async def server(reply: Reply) -> AsyncIterator[str]:
    """Answer every request with these bytes, and close the connection."""
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(REQUEST_END)
        if reply is None:
            await ended.wait()
        else:
            writer.write(reply)
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        ended.set()


def http(
    body: bytes, length: Callable[[int], int] = lambda real: real, status: str = "200"
) -> bytes:
    """Write an answer, whose length may be a lie."""
    return f"HTTP/1.1 {status} X\r\nContent-Length: {length(len(body))}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (http(b'{"pod": "flashsale-rs-x7k2p"}'), EndpointAnswer("flashsale-rs-x7k2p")),
        (http(b"<html>mine</html>"), EndpointAnswer()),
        (http(b"", status="404"), EndpointAnswer()),
        (http(b"x" * 100_000), EndpointAnswer()),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", EndpointAnswer()),
        (http(b"half", lambda real: 2 * real), EndpointAnswer(trouble="the answer breaks off")),
        (b"220 mail.example\r\n", EndpointAnswer(trouble="what came is not HTTP")),
        (b"", EndpointAnswer(trouble="connection closed without an answer")),
    ],
    ids=["shop", "page", "404", "long", "no-length", "half", "not-http", "closed"],
)
async def test_answer_is_complete_or_it_is_none(reply: Reply, expected: EndpointAnswer) -> None:
    """Any status will do; what went wrong otherwise is told in words."""
    async with server(reply) as url:
        assert await send_get(url, LIMIT) == expected


async def test_silence_ends_with_the_time_that_is_given() -> None:
    """It is told in words, too."""
    async with server(None) as url:
        silence = EndpointAnswer(trouble="nothing came within 0.1 s")
        assert await send_get(url, 0.1) == silence


async def test_closed_port_is_refused() -> None:
    """Nobody listens."""
    async with server(b"") as url:
        pass
    assert await send_get(url, LIMIT) == EndpointAnswer(trouble="connection refused")


@pytest.mark.parametrize("body", [b"", b"[]", b'{"pod": 3}', b'{"x": 1}', b"\xff", b"[" * 100_000])
def test_answer_that_names_no_pod(body: bytes) -> None:
    """Whatever comes is no reason to stumble."""
    assert named_pod(body) == ""
