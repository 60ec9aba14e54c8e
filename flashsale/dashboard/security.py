"""Who is answered: checks of one request, all pure.

The server listens on 127.0.0.1 alone, but other users of the machine, and pages of other sites in
our user's browser, reach that as well. So:

- Host must name this server: a name that was bound to 127.0.0.1 later (DNS rebinding) does not.
- Origin and Sec-Fetch-Site, where a browser sends them, must say that our own page asks.
- The token in the address is exchanged for two secrets. A strict cookie gives the page. Cookies
  are shared by all ports of a host, also by another user's server, so the cookie opens nothing
  else: stream and actions take a key as well, which the page keeps in storage of its own origin.
- All secrets are compared in constant time.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hmac import compare_digest

TOKEN = "token"  # the name in the address
KEY_HEADER = "X-Flashsale-Key"
READING = ("GET", "HEAD")
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
REPORT_POLICY = (  # a drill's page holds its scripts and styles, and gets an origin of its own
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-scripts"
)


def _secret() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a browser must know: drawn anew by every server."""

    token: str = field(default_factory=_secret)  # of the address
    cookie: str = field(default_factory=_secret)  # of the page
    key: str = field(default_factory=_secret)  # of stream and actions


@dataclass(frozen=True, slots=True)
class Request:
    """What the checks need of a request."""

    method: str
    headers: Mapping[str, str]
    cookies: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Guard:
    port: int
    secrets: Secrets = field(default_factory=Secrets)

    @property
    def cookie_name(self) -> str:
        """The cookie of this port: several servers of one host share all cookies."""
        return f"flashsale-{self.port}"

    @property
    def address(self) -> str:
        """The address with its token, for our user alone."""
        return f"http://127.0.0.1:{self.port}/?{TOKEN}={self.secrets.token}"

    @property
    def page(self) -> str:
        """Where the address leads: the key is in the fragment, which no browser sends."""
        return f"/#{self.secrets.key}"

    def refusal(self, request: Request) -> str:
        """Say why a request is from a stranger, whatever it asks for; empty if it is not."""
        host = request.headers.get("Host", "")
        if host not in [f"{name}:{self.port}" for name in ("127.0.0.1", "localhost", "[::1]")]:
            return "This server answers to 127.0.0.1 alone."
        origin = request.headers.get("Origin")
        if origin is not None and origin != f"http://{host}":
            return "Another page asked."
        if origin is None and request.method not in READING:
            return "Only the dashboard's own page changes something."
        site = request.headers.get("Sec-Fetch-Site", "none")
        if site not in ("none", "same-origin") and not self.has_token(request):
            return "Another page asked."
        return ""

    def has_token(self, request: Request) -> bool:
        return _same(request.query.get(TOKEN), self.secrets.token)

    def has_cookie(self, request: Request) -> bool:
        """Whether this browser was given the page."""
        return _same(request.cookies.get(self.cookie_name), self.secrets.cookie)

    def has_key(self, request: Request) -> bool:
        """Whether our own page asks, for the stream or an action."""
        return self.has_cookie(request) and _same(request.headers.get(KEY_HEADER), self.secrets.key)


def _same(given: str | None, secret: str) -> bool:
    return given is not None and compare_digest(
        given.encode(errors="surrogateescape"), secret.encode()
    )
