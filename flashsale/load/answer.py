"""A small, strict reader of HTTP/1.1 answers (RFC 9112), fed as the bytes come.

It believes nothing: whatever the server sends, in whatever pieces, ends as complete, as broken, or
as still incomplete; nothing raises, and neither the head nor the body can grow without bound.
"""

from __future__ import annotations

import re
from enum import Enum

HEAD_LIMIT = 32 * 1024  # bytes of status line and headers
BODY_LIMIT = 1024 * 1024  # bytes; a purchase's answer has about 120
LINE_LIMIT = 4 * 1024  # bytes of a chunk's size line, or of all trailers together
INTERIM_LIMIT = 16  # answers of the 100 class before the real one
NO_BODY = (204, 304)
SWITCHING_PROTOCOLS = 101

_HEAD = re.compile(
    rb"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: [^\r\n\0]*)?"
    rb"((?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\0]*)*)"
)
_FRAMING = re.compile(
    rb"\r\n(content-length|transfer-encoding|connection):[ \t]*([^\r]*)", re.IGNORECASE
)
_TRAILER = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\0]*")
_LENGTH = re.compile(rb"[0-9]{1,12}")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;[^\r\n\0]*)?")


class State(Enum):
    """How far an answer has come."""

    MORE = "more"  # bytes are missing
    DONE = "done"  # complete; status and body are final
    BROKEN = "broken"  # not HTTP, or absurdly large: no further byte can mend it


class _Part(Enum):
    HEAD = "head"
    LENGTH = "length"
    UNTIL_CLOSE = "until close"
    CHUNK_SIZE = "chunk size"
    CHUNK = "chunk"
    TRAILERS = "trailers"


class _BrokenError(Exception):
    """Internal: the bytes cannot be part of an answer."""


class Answer:
    """One answer to one GET. Feed it until it is done or broken; after that it changes no more."""

    __slots__ = ("_buffer", "_interim", "_length", "_part", "_position", "body", "keep", "status")

    def __init__(self) -> None:
        self.status = 0
        self.body: bytes | bytearray = b""
        self.keep = False  # the server lets this connection carry another purchase
        self._buffer: bytes | bytearray = b""
        self._position = 0  # of the first byte in the buffer that is not used yet
        self._part = _Part.HEAD
        self._length = 0  # of the body, or of the chunk being read
        self._interim = 0

    @property
    def begun(self) -> bool:
        """Whether any byte has come at all."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> State:
        """Take the next bytes, never empty ones, and say how far that gets the answer."""
        if not self._buffer:
            self._buffer = data  # most answers come in one piece: nothing is copied
        else:
            if isinstance(self._buffer, bytes):
                self._buffer = bytearray(self._buffer)
            self._buffer += data
        try:
            return self._advance()
        except _BrokenError:
            return State.BROKEN

    def end(self) -> State:
        """The server closed its side: that completes some answers and breaks all others."""
        if self._part is not _Part.UNTIL_CLOSE:
            return State.BROKEN
        self.body = self._buffer[self._position :]
        return State.DONE

    def _advance(self) -> State:
        while True:
            if self._part is _Part.HEAD:
                step = self._head()
            elif self._part is _Part.LENGTH:
                step = self._sized()
            elif self._part is _Part.UNTIL_CLOSE:
                step = self._unsized()
            elif self._part is _Part.CHUNK_SIZE:
                step = self._chunk_size()
            elif self._part is _Part.CHUNK:
                step = self._chunk()
            else:
                step = self._trailers()
            if step is not None:
                return step

    def _head(self) -> State | None:
        start = self._position
        end = self._buffer.find(b"\r\n\r\n", start)
        if not b"HTTP/1.".startswith(bytes(self._buffer[start : start + 7])):
            raise _BrokenError
        if (end if end >= 0 else len(self._buffer) - 3) - start > HEAD_LIMIT:
            raise _BrokenError
        if end < 0:
            return State.MORE
        self._position = end + 4
        head = _HEAD.fullmatch(self._buffer, start, end)
        if not head:
            raise _BrokenError
        self.status = int(head[2])
        if 100 <= self.status < 200 and self.status != SWITCHING_PROTOCOLS:
            self._interim += 1
            if self._interim > INTERIM_LIMIT:
                raise _BrokenError
            return None
        return self._frame(head[1] == b"0", head[3])

    def _frame(self, old: bool, headers: bytes) -> State | None:
        """Decide from the headers where the body ends and whether the connection lives on."""
        length, chunked, connection = _framing(headers)
        if chunked and (length is not None or old):
            raise _BrokenError  # contradicting lengths: RFC 9112, 6.3, a sign of smuggling
        self.keep = b"close" not in connection and (not old or b"keep-alive" in connection)
        if self.status in NO_BODY or self.status == SWITCHING_PROTOCOLS:
            self.keep = self.keep and self.status in NO_BODY
            return State.DONE
        if chunked:
            self._part, self.body = _Part.CHUNK_SIZE, bytearray()
        elif length is not None:
            self._part, self._length = _Part.LENGTH, length
        else:
            self._part, self.keep = _Part.UNTIL_CLOSE, False
        return None

    def _sized(self) -> State:
        if len(self._buffer) < self._position + self._length:
            return State.MORE
        self.body = self._buffer[self._position : self._position + self._length]
        self._position += self._length
        return self._whole()

    def _unsized(self) -> State:
        if len(self._buffer) > self._position + BODY_LIMIT:
            raise _BrokenError
        return State.MORE

    def _chunk_size(self) -> State | None:
        line = self._line()
        if line is None:
            return State.MORE
        match = _CHUNK_SIZE.fullmatch(line)
        if not match:
            raise _BrokenError
        self._length = int(match[1], 16)
        if len(self.body) + self._length > BODY_LIMIT:
            raise _BrokenError
        self._part = _Part.CHUNK if self._length else _Part.TRAILERS
        return None

    def _chunk(self) -> State | None:
        end = self._position + self._length
        if not b"\r\n".startswith(bytes(self._buffer[end : end + 2])):
            raise _BrokenError
        if len(self._buffer) < end + 2:
            return State.MORE
        self.body += self._buffer[self._position : end]
        self._position, self._part = end + 2, _Part.CHUNK_SIZE
        return None

    def _trailers(self) -> State | None:
        line = self._line()
        if line is None:
            return State.MORE
        self._length += len(line)
        if self._length > LINE_LIMIT or (line and not _TRAILER.fullmatch(line)):
            raise _BrokenError
        return None if line else self._whole()

    def _line(self) -> bytes | None:
        """Take the next line, without its end; None while it has not all come."""
        end = self._buffer.find(b"\r\n", self._position)
        if (end if end >= 0 else len(self._buffer) - 1) - self._position > LINE_LIMIT:
            raise _BrokenError
        if end < 0:
            return None
        line = bytes(self._buffer[self._position : end])
        self._position = end + 2
        return line

    def _whole(self) -> State:
        if self._position != len(self._buffer):
            self.keep = False  # bytes nobody asked for: the next answer could not be told apart
        return State.DONE


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
            raise _BrokenError
        else:
            chunked = True
    return length, chunked, connection


def _agreed(known: int | None, value: bytes) -> int:
    """Read a length; a second one must be the same."""
    length = int(value) if _LENGTH.fullmatch(value) else BODY_LIMIT + 1
    if length > BODY_LIMIT or known not in (None, length):
        raise _BrokenError
    return length
