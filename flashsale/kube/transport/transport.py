"""How requests reach an API server: by the official client, or without it where that will do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import ssl

Params = Mapping[str, Any]  # query parameters; booleans become true and false
PROGRAM = "flashsale"  # in User-Agent: the server notes it as the writer of what we write
UNARY = (3.0, 30.0)  # seconds to connect, and to wait for an answer


class LostError(Exception):
    """No answer came; the cause says why."""


class Transport(Protocol):
    """The credentials of one context, and blocking requests with them."""

    @property
    def host(self) -> str:
        """The API server's address, `https://127.0.0.1:6443` for example."""

    @property
    def proxy(self) -> str | None:
        """The proxy on the way to that host, None if there is none."""

    @property
    def server_name(self) -> str | None:
        """The name that the server's certificate must bear, None for the host's own."""

    def headers(self) -> dict[str, str]:
        """Write the credentials that belong into headers. May block: tokens are refreshed here."""

    def tls(self) -> ssl.SSLContext:
        """Make the TLS context for streams."""

    def call(
        self, method: str, path: str, query: Params, body: Any, content_type: str
    ) -> tuple[int, bytes]:
        """Send one request and return status and body. Never tries again by itself.

        Raises:
            LostError: no complete answer came.
        """

    def close(self) -> None:
        """Close all connections."""


def query_word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def checked_as_kubectl_does(context: ssl.SSLContext) -> ssl.SSLContext:
    """Keep chain, dates and names, and leave out the small print of RFC 5280.

    Python 3.13 insists on it, and refuses the authorities of older EKS clusters and of MicroK8s,
    which kubectl and Python 3.12 take (kubernetes-client/python#2394).
    """
    import ssl

    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
