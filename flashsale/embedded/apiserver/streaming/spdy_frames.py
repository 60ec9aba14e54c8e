"""The part of SPDY/3.1 that kubectl speaks: streams in one connection, each with headers.

From the draft, section 2 (chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1), as
github.com/moby/spdystream sends it: its windows are never used.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GO_AWAY, HEADERS = 1, 2, 3, 6, 7, 8
VERSION, CONTROL = 3, 1 << 31
FIN = 1  # a flag: nothing more comes on that stream
CANCEL = 5  # a status of RST_STREAM
LONGEST_BLOCK = 1 << 20  # bytes of headers, unpacked
_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language"
    " accept-ranges age allow authorization cache-control connection content-base content-encoding"
    " content-language content-length content-location content-md5 content-range content-type date"
    " etag expect expires from host if-match if-modified-since if-none-match if-range"
    " if-unmodified-since last-modified location max-forwards pragma proxy-authenticate"
    " proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade"
    " user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url"
    " public set-cookie keep-alive origin"
)
_VALUES = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request"
    "401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented"
    "503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00"
    " Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,"
    "application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age="
    "gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)


def _sized(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


DICTIONARY = b"".join(_sized(word.replace("_", " ").encode()) for word in _WORDS.split(" "))
DICTIONARY += _VALUES.encode()  # what the compression of headers begins with


class BadFrameError(Exception):
    """What came is no frame: the connection cannot go on."""


@dataclass(frozen=True, slots=True)
class OpenedStream:
    """A new stream. Names of headers are in lower case."""

    stream: int
    headers: Mapping[str, str]
    fin: bool = False


@dataclass(frozen=True, slots=True)
class Data:
    """Data of a stream."""

    stream: int
    data: bytes
    fin: bool = False


@dataclass(frozen=True, slots=True)
class Reset:
    """A stream is over, in both directions."""

    stream: int


@dataclass(frozen=True, slots=True)
class Ping:
    """To be sent back as it is."""

    number: int


@dataclass(frozen=True, slots=True)
class GoAway:
    """The connection is over."""


Frame = OpenedStream | Data | Reset | Ping | GoAway


class FrameReader:
    """Cuts bytes into frames."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._unpack = zlib.decompressobj(zdict=DICTIONARY)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield the frames that are whole by now.

        Raises:
            BadFrameError: there is no going on.
        """
        rest, place = self._rest, 0
        rest += data
        try:
            while len(rest) - place >= 8:
                first, second = struct.unpack_from(">II", rest, place)
                flags, end = second >> 24, place + 8 + (second & 0xFFFFFF)
                if len(rest) < end:
                    return
                body, place = bytes(rest[place + 8 : end]), end
                if not first & CONTROL:
                    yield Data(first, body, bool(flags & FIN))
                elif frame := self._control(first & 0xFFFF, flags, body):
                    yield frame
        finally:
            del rest[:place]  # once: each time moves all that follows

    def _control(self, kind: int, flags: int, body: bytes) -> Frame | None:
        if kind == GO_AWAY:
            return GoAway()
        if kind in (SYN_STREAM, SYN_REPLY, RST_STREAM, PING, HEADERS):
            if len(body) < 4:
                raise BadFrameError("a frame without a number")
            (number,) = struct.unpack(">I", body[:4])
            if kind == PING:
                return Ping(number)
            if kind == RST_STREAM:
                return Reset(number)
            headers = self._headers(body[10 if kind == SYN_STREAM else 4 :])
            if kind == SYN_STREAM:
                return OpenedStream(number, headers, bool(flags & FIN))
        return None  # windows, settings: nothing depends on them

    def _headers(self, packed: bytes) -> dict[str, str]:
        try:
            block = self._unpack.decompress(packed, LONGEST_BLOCK)
            (count,), place = struct.unpack_from(">I", block), 4
            words: list[str] = []
            for _ in range(2 * count):
                (length,) = struct.unpack_from(">I", block, place)
                if place + 4 + length > len(block):
                    raise BadFrameError("headers that do not end")
                words.append(block[place + 4 : place + 4 + length].decode("latin-1"))
                place += 4 + length
        except (zlib.error, struct.error) as error:
            raise BadFrameError(str(error)) from error
        return dict(zip(words[::2], words[1::2], strict=True))


class FrameWriter:
    """Makes frames; their order matters, for headers are compressed across them."""

    def __init__(self) -> None:
        self._pack = zlib.compressobj(zdict=DICTIONARY)

    def opened(self, stream: int, headers: Mapping[str, str], *, fin: bool = False) -> bytes:
        body = struct.pack(">IIBB", stream, 0, 0, 0) + self._headers(headers)
        return _control_frame(SYN_STREAM, FIN * fin, body)

    def reply(self, stream: int) -> bytes:
        return _control_frame(SYN_REPLY, 0, struct.pack(">I", stream) + self._headers({}))

    def data(self, stream: int, data: bytes, *, fin: bool = False) -> bytes:
        """Send data, less than 16 MiB of it."""
        return struct.pack(">II", stream, FIN * fin << 24 | len(data)) + data

    def reset(self, stream: int) -> bytes:
        return _control_frame(RST_STREAM, 0, struct.pack(">II", stream, CANCEL))

    def ping(self, number: int) -> bytes:
        """Answer a ping, or send one."""
        return _control_frame(PING, 0, struct.pack(">I", number))

    def go_away(self, last: int) -> bytes:
        """Say that no more streams are accepted."""
        return _control_frame(GO_AWAY, 0, struct.pack(">II", last, 0))

    def _headers(self, headers: Mapping[str, str]) -> bytes:
        block = struct.pack(">I", len(headers))
        for name, value in headers.items():
            block += _sized(name.lower().encode("latin-1")) + _sized(value.encode("latin-1"))
        return self._pack.compress(block) + self._pack.flush(zlib.Z_SYNC_FLUSH)


def _control_frame(kind: int, flags: int, body: bytes) -> bytes:
    head = CONTROL | VERSION << 16 | kind
    return struct.pack(">II", head, flags << 24 | len(body)) + body
