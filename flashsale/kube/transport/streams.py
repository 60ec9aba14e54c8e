"""Answers that do not end by themselves: watches and followed logs, over aiohttp."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from flashsale.base.aio import in_thread, without_authorities
from flashsale.base.errors import FlashsaleError
from flashsale.kube.transport.stdlib_client import StdlibTransport
from flashsale.kube.transport.transport import Transport, query_word

if TYPE_CHECKING:
    import aiohttp

CONNECT = 3.0  # seconds


class Session:
    """An aiohttp session with the credentials of a transport."""

    def __init__(
        self,
        transport: Transport,
        *,
        refused: Callable[[int, bytes], FlashsaleError],
        lost: Callable[[BaseException], FlashsaleError],
    ) -> None:
        self.transport = transport
        self.refused = refused
        self.lost = lost
        self._http: aiohttp.ClientSession | None = None

    def http(self) -> aiohttp.ClientSession:
        """The session, opened at first use."""
        if self._http is None:
            # this one has no program that fetches a token, which could start meanwhile
            bare = isinstance(self.transport, StdlibTransport)
            with without_authorities() if bare else nullcontext():
                import aiohttp
            connector = aiohttp.TCPConnector(ssl=self.transport.tls(), limit=0)
            self._http = aiohttp.ClientSession(connector=connector)
        return self._http

    async def headers(self) -> dict[str, str]:
        """The credentials that belong into headers; nothing else waits while they are fetched."""
        return await in_thread(self.transport.headers)

    async def close(self) -> None:
        if self._http:
            await self._http.close()


@asynccontextmanager
async def _cut_short(response: aiohttp.ClientResponse) -> AsyncGenerator[None]:
    """Drop the connection of a response that is left before its end.

    aiohttp would say goodbye over TLS, and the event loop may end before that is answered.
    """
    try:
        yield
    finally:
        connection = response.connection  # None once all was read
        if connection and connection.transport:
            connection.transport.abort()


async def lines(
    session: Session, path: str, query: Mapping[str, Any], *, silence: float | None
) -> AsyncGenerator[str, None]:
    """Yield the lines of a response as they come.

    Lines are put together here: aiohttp's own reader refuses lines longer than its buffer, and a
    pod with its annotations can be longer.
    """
    http = session.http()
    import aiohttp

    timeout = aiohttp.ClientTimeout(sock_connect=CONNECT, sock_read=silence)
    transport = session.transport
    request = http.get(
        transport.host + path,
        params={key: query_word(value) for key, value in query.items()},
        headers=await session.headers(),
        timeout=timeout,
        proxy=transport.proxy,
        server_hostname=transport.server_name,
    )
    try:
        async with request as response, _cut_short(response):
            if response.status >= 400:
                raise session.refused(response.status, await response.read())
            rest = b""
            async for chunk in response.content.iter_any():
                *whole, rest = (rest + chunk).split(b"\n")
                for line in whole:
                    yield line.decode(errors="replace")
            if rest:
                yield rest.decode(errors="replace")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise session.lost(error) from error
