"""Connections that answer requests of unknown methods, as net/http does, or go on in other words.

The HTTP library's parser takes methods from a list; the real server gives any word to its handlers,
which answer 405 (or 404, or ignore the method).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod

MOST_WAITING = 1 << 20  # bytes that are sent before the client has taken them
BREATH = 0.005  # seconds
Answerer = Callable[[web.BaseRequest], web.StreamResponse]


class Connections(web.Server):
    """The server's connections; what the parser refuses for its method goes to ``unknown``."""

    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        unknown: Answerer,
        *,
        handler_cancellation: bool,
    ) -> None:
        super().__init__(handler, handler_cancellation=handler_cancellation)
        self.unknown = unknown

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=asyncio.get_running_loop(), access_log=None)


class RawConnection:
    """A connection that has left HTTP, on its way to another protocol."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue()

    async def send(self, data: bytes) -> None:
        """Send; waits while the client is far behind."""
        # Only the protocol that was left is told when the buffer is free again.
        while self._behind():  # noqa: ASYNC110
            await asyncio.sleep(BREATH)
        if self._transport.is_closing():
            raise ConnectionResetError("the client has left")
        self._transport.write(data)

    def _behind(self) -> bool:
        waiting = self._transport.get_write_buffer_size()
        return waiting > MOST_WAITING and not self._transport.is_closing()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield what comes. Whoever iterates is cancelled when the client leaves."""
        while True:
            self._transport.resume_reading()
            yield await self._pieces.get()

    def hear(self, data: bytes) -> None:
        """Take what has come; nothing more until that is asked for."""
        self._transport.pause_reading()
        self._pieces.put_nowait(data)

    def close(self) -> web.Response:
        """Close it once all is sent; returns the answer that nobody hears any more."""
        self._transport.close()
        return web.Response()


def take_over(request: web.BaseRequest, protocol: str, headers: Mapping[str, str]) -> RawConnection:
    """Say that the connection becomes another protocol; from now on its bytes are the caller's."""
    connection = request.protocol
    assert isinstance(connection, _Connection)
    transport = connection.transport
    if not isinstance(transport, asyncio.Transport):
        raise ConnectionResetError("the client has left")
    lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
    head = f"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n"
    raw = RawConnection(transport)
    connection.hear = raw.hear
    transport.write(f"{head}{''.join(lines)}\r\n".encode())
    return raw


class _Connection(web.RequestHandler):
    __slots__ = ("_line", "_unknown", "hear")

    def __init__(self, server: Connections, **options: object) -> None:
        super().__init__(server, **options)  # type: ignore[arg-type]
        self._unknown = server.unknown
        self._line = b""
        self.hear: Callable[[bytes], None] | None = None  # once it has left HTTP

    def data_received(self, data: bytes) -> None:
        """Keep the first line: the parser does not say what it refused."""
        if self.hear:
            self.hear(data)
            return
        self._line = data.partition(b"\r\n")[0]
        super().data_received(data)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what could not be read."""
        method, _, rest = self._line.decode("latin-1").partition(" ")
        path, _, version = rest.partition(" ")
        readable = method.isalpha() and path.startswith("/") and version.startswith("HTTP/1.")
        if not isinstance(exc, BadHttpMethod) or not readable:
            return super().handle_error(request, status, exc, message)
        response = self._unknown(request.clone(method=method, rel_url=path))
        response.force_close()
        return response
