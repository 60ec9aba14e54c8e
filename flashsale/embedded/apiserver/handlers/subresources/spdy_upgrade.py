"""A client's streams over SPDY/3.1, which kubectl before 1.31 and older libraries speak.

After k8s.io/streaming/pkg/httpstream and cri-streaming/pkg/streaming/remotecommand/httpstream.go.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping

from aiohttp import web

from flashsale.embedded.apiserver.connections import RawConnection, take_over
from flashsale.embedded.apiserver.streaming.channels import (
    ERROR,
    RESIZE,
    STDERR,
    STDIN,
    STDOUT,
    Arrived,
)
from flashsale.embedded.apiserver.streaming.spdy_frames import (
    BadFrameError,
    Data,
    Frame,
    FrameReader,
    FrameWriter,
    GoAway,
    OpenedStream,
    Ping,
)
from flashsale.objects.models import Object

SPDY = "SPDY/3.1"
VERSION_HEADER = "X-Stream-Protocol-Version"
COMMANDS = "v4.channel.k8s.io"  # all that kubectl has spoken since 1.5
OPEN_SECONDS = 30.0  # for the client to open its streams, as a kubelet gives it
CHANNELS = {"stdin": STDIN, "stdout": STDOUT, "stderr": STDERR, "error": ERROR, "resize": RESIZE}


def wants_spdy(request: web.BaseRequest) -> bool:
    """Whether a client asks for SPDY itself, and not in a WebSocket."""
    return SPDY.lower() in request.headers.get("Upgrade", "").lower()


def accept_spdy(request: web.BaseRequest, known: str) -> RawConnection | web.Response:
    """Leave HTTP for one protocol over SPDY, or answer why not."""
    protocols = [
        name.strip()
        for header in request.headers.getall(VERSION_HEADER, [])
        for name in header.split(",")
    ]
    if known not in protocols:
        why = "unable to upgrade: unable to negotiate protocol: client supports"
        return web.Response(
            status=403, text=f"{why} [{' '.join(protocols)}], server accepts [{known}]\n"
        )
    return take_over(request, SPDY, {VERSION_HEADER: known})


async def client_frames(
    incoming: AsyncIterator[bytes], writer: FrameWriter, send: Callable[[bytes], Awaitable[None]]
) -> AsyncIterator[Frame]:
    """Yield what a client sends, until it leaves or makes a mistake; pings are answered here."""
    reader = FrameReader()
    async for data in incoming:
        try:
            for frame in reader.feed(data):
                if isinstance(frame, GoAway):
                    return
                if not isinstance(frame, Ping):
                    yield frame
                elif frame.number % 2:  # an even one answers ours
                    await send(writer.ping(frame.number))
        except BadFrameError:
            return


class SpdyStreams:
    """The streams of one client that runs a command."""

    def __init__(self, raw: RawConnection) -> None:
        self.response = web.Response()
        self._raw = raw
        self._writer = FrameWriter()
        self._frames = client_frames(aiter(raw), self._writer, raw.send)
        self._streams: dict[int, int] = {}  # by channel

    async def open(self, channels: Collection[int]) -> None:
        """Wait until the client has opened these.

        Raises:
            ConnectionError: it has left.
        """
        while not self._streams.keys() >= set(channels):
            frame = await anext(self._frames, None)
            if frame is None:
                raise ConnectionResetError("the client has left")
            if isinstance(frame, OpenedStream):
                await self._open(frame)

    async def send(self, channel: int, data: bytes) -> None:
        if data and channel in self._streams:
            await self._raw.send(self._writer.data(self._streams[channel], data))

    async def ping(self) -> None:
        """Send a ping; a server's have even numbers."""
        await self._raw.send(self._writer.ping(2))

    async def finish(self, status: Object) -> None:
        for channel, stream in self._streams.items():
            last = json.dumps(status).encode() if channel == ERROR else b""
            await self._raw.send(self._writer.data(stream, last, fin=True))
        await self._raw.send(self._writer.go_away(max(self._streams.values(), default=0)))
        self.response = self._raw.close()

    async def __aiter__(self) -> AsyncIterator[Arrived]:
        async for frame in self._frames:
            if isinstance(frame, OpenedStream):
                await self._open(frame)
            elif isinstance(frame, Data) and (channel := self._channel(frame.stream)) is not None:
                if frame.data:
                    yield Arrived(channel, frame.data)
                if frame.fin:
                    yield Arrived(channel, end=True)

    async def _open(self, frame: OpenedStream) -> None:
        channel = _channel_of(frame.headers)
        if channel is None:
            await self._raw.send(self._writer.reset(frame.stream))
            return
        self._streams[channel] = frame.stream
        await self._raw.send(self._writer.reply(frame.stream))

    def _channel(self, stream: int) -> int | None:
        return next(
            (channel for channel, one_stream in self._streams.items() if one_stream == stream), None
        )


async def open_spdy_streams(
    request: web.BaseRequest, streams: Mapping[str, bool]
) -> SpdyStreams | web.Response:
    """Accept a client that runs a command, or answer why not; also who leaves at once, or idles."""
    raw = accept_spdy(request, COMMANDS)
    if isinstance(raw, web.Response):
        return raw
    client = SpdyStreams(raw)
    try:
        async with asyncio.timeout(OPEN_SECONDS):
            await client.open([ERROR, *(CHANNELS[name] for name in CHANNELS if streams.get(name))])
    except (ConnectionError, TimeoutError):
        return raw.close()
    except BaseException:
        raw.close()  # an answer in HTTP would be none any more
        raise
    return client


def _channel_of(headers: Mapping[str, str]) -> int | None:
    return CHANNELS.get(headers.get("streamtype", ""))
