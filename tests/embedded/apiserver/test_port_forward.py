"""Connections in SPDY streams, to a real server, with a client of a few frames."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from flashsale.embedded.apiserver.handlers.subresources import pod_portforward
from flashsale.embedded.apiserver.handlers.subresources.pod_portforward import (
    MOST_UNREAD,
    PortForward,
)
from flashsale.embedded.apiserver.handlers.subresources.port_channels import PodConnection
from flashsale.embedded.apiserver.streaming.spdy_frames import (
    Data,
    Frame,
    FrameReader,
    FrameWriter,
    Ping,
    Reset,
)
from flashsale.embedded.types.api_errors import NodeError
from flashsale.objects.models import Object

POD = {"metadata": {"name": "p", "namespace": "default", "uid": "u"}, "spec": {"nodeName": "n"}}
NOBODY, SLOW, DEAF = 7, 8, 9  # ports


class EchoingPod:
    """A pod with a server that sends back what comes."""

    def __init__(self) -> None:
        self.port = 0
        self.connections = 0
        self.dialled = 0
        self.listens = socket.create_server(("127.0.0.1", 0))  # whose connections nobody accepts
        self.is_alone = asyncio.Event()
        self.is_alone.set()

    async def dial(self, pod: Object, port: int) -> PodConnection:
        if port == NOBODY:
            raise NodeError(500, "connection refused")
        if port == SLOW:
            await asyncio.Event().wait()
        self.dialled += 1
        if port == DEAF:
            return await asyncio.open_connection(*self.listens.getsockname())
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def echo(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.is_alone.clear()
        try:
            while data := await reader.read(1000):
                writer.write(data)
        finally:
            writer.close()
            self.connections -= 1
            if not self.connections:
                self.is_alone.set()


class Client:
    """Writes frames, and collects those that come."""

    def __init__(self) -> None:
        self.write = FrameWriter()
        self.sent: asyncio.Queue[bytes] = asyncio.Queue()
        self.heard: list[Frame] = []
        self.has_left = False
        self._reader = FrameReader()
        self._news = asyncio.Event()

    async def hear(self, data: bytes) -> None:
        if self.has_left:
            raise ConnectionResetError
        self.heard += self._reader.feed(data)
        self._news.set()

    async def incoming(self) -> AsyncIterator[bytes]:
        while data := await self.sent.get():
            yield data

    def opens(self, stream: int, kind: str, port: str = "80") -> None:
        headers = {"port": port, "streamtype": kind, "requestid": "0"}
        self.sent.put_nowait(self.write.opened(stream, headers))

    def connects(self, stream: int, port: str = "80") -> bytes:
        """Open both streams of a connection; that for data has the next odd number."""
        return b"".join(
            self.write.opened(number, {"port": port, "streamtype": kind, "requestid": str(stream)})
            for number, kind in ((stream, "error"), (stream + 2, "data"))
        )

    async def until(self, *frames: Frame) -> None:
        async with asyncio.timeout(20):
            while not all(frame in self.heard for frame in frames):
                self._news.clear()
                await self._news.wait()

    def text(self, stream: int) -> bytes:
        return b"".join(
            data.data for data in self.heard if isinstance(data, Data) and data.stream == stream
        )


@pytest.fixture
async def pod() -> AsyncIterator[EchoingPod]:
    """A pod that listens."""
    pod = EchoingPod()
    async with await asyncio.start_server(pod.echo, "127.0.0.1", 0) as server:
        pod.port = server.sockets[0].getsockname()[1]
        yield pod
        pod.listens.close()


@pytest.fixture
async def client(pod: EchoingPod) -> AsyncIterator[Client]:
    """A client that is served until the test ends; no connection is left then."""
    client = Client()
    served = asyncio.ensure_future(PortForward(POD, pod, client.hear).run(client.incoming()))
    yield client
    client.sent.put_nowait(b"")
    await served
    async with asyncio.timeout(20):
        await pod.is_alone.wait()


async def test_data_passes_and_its_end(client: Client) -> None:
    """What is sent before the connection stands is not lost."""
    client.opens(1, "error")
    client.opens(3, "data")
    client.sent.put_nowait(client.write.data(3, b"hello ") + client.write.data(3, b"you", fin=True))
    await client.until(Data(3, b"", fin=True), Data(1, b"", fin=True))
    assert (client.text(3), client.text(1)) == (b"hello you", b"")


async def test_why_there_is_no_connection(client: Client) -> None:
    """It comes on the stream for errors, and the other one is over."""
    client.opens(1, "error", str(NOBODY))
    client.opens(3, "data", str(NOBODY))
    await client.until(Reset(3))
    assert client.text(1) == b"error forwarding port 7 to pod p, uid u: connection refused"


async def test_a_reset_ends_both_streams(client: Client, pod: EchoingPod) -> None:
    """kubectl waits for the end of the stream for errors."""
    client.opens(1, "error")
    client.opens(3, "data")
    client.sent.put_nowait(client.write.data(3, b"x"))
    await client.until(Data(3, b"x"))
    client.sent.put_nowait(client.write.reset(3))
    await client.until(Data(1, b"", fin=True))


@pytest.mark.parametrize(("kind", "port"), [("data", ""), ("data", "70000"), ("other", "80")])
async def test_streams_that_make_no_sense(client: Client, kind: str, port: str) -> None:
    """They are refused, and the connection goes on."""
    client.opens(1, kind, port)
    client.sent.put_nowait(client.write.ping(9))
    await client.until(Reset(1), Ping(9))


@pytest.mark.parametrize("port", [SLOW, DEAF])
async def test_a_connection_that_takes_nothing_stops_no_other(client: Client, port: int) -> None:
    """Pings, resets and the data of others pass it by."""
    client.sent.put_nowait(client.connects(1, str(port)) + client.connects(5))
    for _ in range(MOST_UNREAD >> 14):
        client.sent.put_nowait(client.write.data(3, bytes(1 << 14)))
    client.sent.put_nowait(client.write.data(7, b"hello") + client.write.ping(9))
    await client.until(Data(7, b"hello"), Ping(9))
    client.sent.put_nowait(client.write.reset(3))
    await client.until(Data(1, b"", fin=True))


async def test_a_client_that_leaves_while_it_waits(
    pod: EchoingPod, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing more is heard from it then: a ping finds it gone."""
    monkeypatch.setattr(pod_portforward, "PING_SECONDS", 0.01)
    client = Client()
    served = asyncio.ensure_future(PortForward(POD, pod, client.hear).run(client.incoming()))
    client.sent.put_nowait(client.connects(1, str(SLOW)))
    client.sent.put_nowait(client.write.data(3, bytes(MOST_UNREAD + 1)))
    await client.until(Ping(2))
    client.has_left = True
    async with asyncio.timeout(20):
        await served


async def test_who_sends_faster_than_the_pod_reads(client: Client) -> None:
    """Waits, and nothing of it is lost."""
    client.sent.put_nowait(client.connects(1))
    for _ in range(6):
        client.sent.put_nowait(client.write.data(3, bytes(MOST_UNREAD // 2)))
    client.sent.put_nowait(client.write.data(3, b"", fin=True))
    await client.until(Data(1, b"", fin=True))
    assert len(client.text(3)) == 3 * MOST_UNREAD


async def test_a_reset_before_the_pod_is_connected(client: Client, pod: EchoingPod) -> None:
    """In one segment with what opens the streams; nothing reaches the pod any more."""
    data = client.write.data(3, b"x")
    client.sent.put_nowait(client.connects(1) + client.write.reset(3) + data)
    client.sent.put_nowait(client.connects(5) + client.write.data(7, b"y"))
    await client.until(Data(1, b"", fin=True), Data(7, b"y"))
    assert pod.dialled == 1
