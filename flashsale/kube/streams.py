"""Answers that do not end by themselves: watches and followed logs, over aiohttp."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import TYPE_CHECKING, Any

from flashsale.errors import FlashsaleError

if TYPE_CHECKING:
    import ssl

    import aiohttp

CONNECT = 3.0  # seconds


class Session:
    """An aiohttp session with the credentials of an official client's configuration."""

    def __init__(
        self,
        configuration: Any,
        *,
        headers: Callable[[], dict[str, str]],
        refused: Callable[[int, bytes], FlashsaleError],
        lost: Callable[[BaseException], FlashsaleError],
    ) -> None:
        self.host: str = configuration.host
        self.headers = headers
        self.refused = refused
        self.lost = lost
        self._configuration = configuration
        self._http: aiohttp.ClientSession | None = None

    def http(self) -> aiohttp.ClientSession:
        """The session, opened at first use."""
        import aiohttp

        if self._http is None:
            connector = aiohttp.TCPConnector(ssl=tls(self._configuration), limit=0)
            self._http = aiohttp.ClientSession(connector=connector)
        return self._http

    @property
    def proxy(self) -> str | None:
        """The proxy between us and the cluster; ambient ones are sorted out already."""
        from kubernetes.client.rest import should_bypass_proxies

        proxy: str | None = self._configuration.proxy
        if proxy and should_bypass_proxies(self.host, self._configuration.no_proxy or ""):
            return None
        return proxy

    async def close(self) -> None:
        """Close the session and all that still streams through it."""
        if self._http:
            await self._http.close()


def tls(configuration: Any) -> ssl.SSLContext:
    """Make the TLS context that the official client would use."""
    import ssl

    context = ssl.create_default_context(
        cafile=configuration.ssl_ca_cert, cadata=configuration.ca_cert_data
    )
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


async def lines(
    session: Session, path: str, query: Mapping[str, Any], *, silence: float | None
) -> AsyncGenerator[str, None]:
    """Yield the lines of a response as they come.

    Lines are put together here: aiohttp's own reader refuses lines longer than its buffer, and a
    pod with its annotations can be longer.
    """
    import aiohttp

    timeout = aiohttp.ClientTimeout(sock_connect=CONNECT, sock_read=silence)
    params = {key: _word(value) for key, value in query.items()}
    request = session.http().get(
        session.host + path,
        params=params,
        headers=session.headers(),
        timeout=timeout,
        proxy=session.proxy,
        server_hostname=session._configuration.tls_server_name,
    )
    try:
        async with request as response:
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


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
