"""A shop that lies on purpose, over real sockets, and keeps books of everything it did."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Literal

Deed = Literal[
    "sell", "long", "chunked", "until-close", "sell-and-close", "refuse", "redirect", "failure",
    "not-json",
    "reset", "hang-up", "half", "garbage", "silence",
]  # fmt: skip
CONFIRMS: tuple[Deed, ...] = ("sell", "long", "chunked", "until-close", "sell-and-close")
REJECTS: tuple[Deed, ...] = ("refuse", "redirect", "failure", "not-json")
RESETS: tuple[Deed, ...] = ("reset", "hang-up", "half")

SOLD = json.dumps({"status": "success", "item": "Shoes", "served_by_pod": "pod-a"}).encode()
LONG = json.dumps({**json.loads(SOLD), "note": "x" * 1_500_000}).encode()
JSON = "Content-Type: application/json\r\n"


def response(status: str, body: bytes, headers: str = JSON) -> bytes:
    """Write an answer with a length."""
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


SAYS: dict[Deed, bytes] = {
    "sell": response("200 OK", SOLD),
    "long": response("200 OK", LONG),
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"5;x=y\r\n%b\r\n%x\r\n%b\r\n0\r\nA: b\r\n\r\n" % (SOLD[:5], len(SOLD) - 5, SOLD[5:]),
    "until-close": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\n\r\n" + SOLD,
    "sell-and-close": response("200 OK", SOLD),  # and nothing in it says so
    "refuse": response("503 Service Unavailable", b"later"),
    "redirect": response("302 Found", b"", "Location: /buy\r\n"),
    "failure": response("200 OK", b'{"status": "sold out"}'),
    "not-json": response("200 OK", b"[" * 100_000, ""),
    "half": response("200 OK", SOLD)[:-10],
    "garbage": b"SSH-2.0-OpenSSH_9.2\r\n",
}
CLOSES: tuple[Deed, ...] = ("until-close", "sell-and-close", "hang-up", "half")


class Liar:
    """Serves on a free port of 127.0.0.1; ``deed`` says what to do with the n-th purchase."""

    def __init__(
        self, deed: Callable[[int], Deed] = lambda _: "sell", *, delay: Callable[[], float] = float
    ) -> None:
        self.done: Counter[Deed] = Counter()
        self.buyers: Counter[str] = Counter()  # by the number that each purchase carries
        self.connections = 0
        self.url = ""
        self._deed, self._delay = deed, delay
        self._writers: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Liar:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=4096)
        self.url = "http://{}:{}".format(*self._server.sockets[0].getsockname())
        return self

    async def asked(self, least: int) -> None:
        """Wait until so many purchases have come."""
        async with asyncio.timeout(60):
            while self.requests < least:  # noqa: ASYNC110 - this is no part of what is tested
                await asyncio.sleep(0.01)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await self._server.wait_closed()
        await asyncio.gather(*self._serving)

    @property
    def requests(self) -> int:
        """How many purchases reached the shop."""
        return sum(self.done.values())

    def count(self, deeds: tuple[Deed, ...]) -> int:
        """How many purchases ended in one of these deeds."""
        return sum(self.done[deed] for deed in deeds)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        serving = asyncio.current_task()
        assert serving
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)
        self._writers.add(writer)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._purchase(reader, writer):
                    pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _purchase(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Do the next deed and say whether the connection lives on."""
        request = await reader.readuntil(b"\r\n\r\n")
        deed = self._deed(self.requests)
        self.done[deed] += 1
        buyer = re.match(rb"GET /buy\?user=(buyer\d+) HTTP/1.1\r\n", request)
        assert buyer, request
        self.buyers[buyer[1].decode()] += 1
        if wait := self._delay():
            await asyncio.sleep(wait)
        if deed == "silence":
            await reader.read()  # until the buyer gives up
            return False
        if deed == "reset":
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
            return False
        writer.write(SAYS.get(deed, b""))
        await writer.drain()
        return deed not in CLOSES and b"Connection: close" not in request
