"""Connections that answer requests of unknown methods, as net/http does.

The HTTP library's parser takes methods from a list; the real server gives any word to its handlers,
which answer 405 (or 404, or ignore the method).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod

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
        """Make the handler of one connection."""
        return _Connection(self, loop=asyncio.get_running_loop(), access_log=None)


class _Connection(web.RequestHandler):
    __slots__ = ("_line", "_unknown")

    def __init__(self, server: Connections, **options: object) -> None:
        super().__init__(server, **options)  # type: ignore[arg-type]
        self._unknown = server.unknown
        self._line = b""

    def data_received(self, data: bytes) -> None:
        """Keep the first line: the parser does not say what it refused."""
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
