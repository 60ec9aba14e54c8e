"""The head of an HTTP/1.1 answer (RFC 9112): status line and headers, read strictly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

HEAD_LIMIT = 32 * 1024  # bytes of status line and headers
SWITCHING_PROTOCOLS = 101
NO_BODY = (204, 304, SWITCHING_PROTOCOLS)
REMEMBERED = 128  # heads; a sale's answers of one second have few different ones
TWO_LENGTHS = "HTTP answer with contradicting lengths"

Framing = Literal["none", "interim", "sized", "chunked", "until close"]

_HEAD = re.compile(
    rb"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: [^\r\n\0]*)?"
    rb"((?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\0]*)*)"
)
_FRAMING = re.compile(
    rb"\r\n(content-length|transfer-encoding|connection):[ \t]*([^\r]*)", re.IGNORECASE
)
_LENGTH = re.compile(rb"[0-9]{1,12}")


class BrokenError(Exception):
    """The bytes cannot be part of an answer, and why; never leaves the reader."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a head says about the bytes that follow."""

    status: int
    framing: Framing  # where the body ends
    length: int  # of the body, where it is sized
    keep: bool  # the server lets this connection carry another purchase


@lru_cache(REMEMBERED)
def read_head(head: bytes) -> Head:
    """Read a head, given without the empty line that ends it; BrokenError if it is malformed."""
    match = _HEAD.fullmatch(head)
    if not match:
        raise BrokenError("HTTP answer with a malformed head")
    old, status = match[1] == b"0", int(match[2])
    if 100 <= status < 200 and status != SWITCHING_PROTOCOLS:
        return Head(status, "interim", 0, keep=True)
    length, chunked, connection = _framing(match[3])
    if chunked and (length is not None or old):
        raise BrokenError(TWO_LENGTHS)  # RFC 9112, 6.3: a sign of smuggling
    keep = b"close" not in connection and (not old or b"keep-alive" in connection)
    if status in NO_BODY:
        return Head(status, "none", 0, keep and status != SWITCHING_PROTOCOLS)
    if chunked:
        return Head(status, "chunked", 0, keep)
    if length is not None:
        return Head(status, "sized", length, keep)
    return Head(status, "until close", 0, keep=False)


def _framing(headers: bytes) -> tuple[int | None, bool, bytes]:
    """Read the three headers that matter: length, whether chunked, and `Connection`'s words."""
    length: int | None = None
    chunked, connection = False, b""
    for header, given in _FRAMING.findall(headers):
        name, value = header.lower(), given.rstrip(b" \t").lower()
        if name == b"content-length":
            length = _agreed(length, value)
        elif name == b"connection":
            connection += value + b","
        elif chunked or value != b"chunked":
            raise BrokenError("HTTP answer with an unknown Transfer-Encoding")
        else:
            chunked = True
    return length, chunked, connection


def _agreed(known: int | None, value: bytes) -> int:
    """Read a length; a second one must be the same."""
    if not _LENGTH.fullmatch(value):
        raise BrokenError("HTTP answer with a malformed Content-Length")
    if known not in (None, int(value)):
        raise BrokenError(TWO_LENGTHS)
    return int(value)
