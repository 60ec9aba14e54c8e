"""Joining two connections: a buyer's, and one to the pod that was picked for it."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from typing import cast

CONNECT_SECONDS = 10.0
Address = tuple[str, int]
NOWHERE: Address = ("", 0)  # a pod on a node without power: nothing answers, nobody refuses


async def serve(client: socket.socket, backend: Address) -> None:
    """Connect to the pod, join the two, and return when both have ended.

    A pod that refuses resets the client. One that is nowhere keeps it waiting.
    """
    loop = asyncio.get_running_loop()
    if backend == NOWHERE:
        await _leave_waiting(client)
        return
    inward, outward = _Side(), _Side()
    inward.other, outward.other = outward, inward
    pod: socket.socket | None = None
    try:
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pod = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        pod.setblocking(False)
        pod.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        async with asyncio.timeout(CONNECT_SECONDS):
            await loop.sock_connect(pod, backend)
        # The pod's side first: the client's bytes need somewhere to go.
        await loop.connect_accepted_socket(lambda: outward, pod)
        await loop.connect_accepted_socket(lambda: inward, client)
    except (OSError, ValueError, OverflowError, TimeoutError, asyncio.CancelledError):
        if pod:
            pod.close()  # also for a malformed address that somebody wrote by hand
        _reset(client)
        return
    await inward.closed
    await outward.closed


async def _leave_waiting(client: socket.socket) -> None:
    """Answer nothing until the client gives up, as packets to a dead machine are lost."""
    loop = asyncio.get_running_loop()
    client.setblocking(False)
    with suppress(OSError):
        while await loop.sock_recv(client, 65536):
            pass
    client.close()


def _reset(connection: socket.socket) -> None:
    """Close with a reset instead of an orderly end."""
    with suppress(OSError):  # the client has gone
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class _Side(asyncio.Protocol):
    """One side of a joined connection: what arrives here leaves on the other."""

    other: _Side
    closed: asyncio.Future[None]

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._early: list[bytes] = []  # arrived before the other side was connected
        self._ended = False  # our peer will send no more
        self._lost = False
        self._finish = False  # our peer is to get no more
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.writelines(self._early)
        self._early.clear()
        if self._finish:
            self.finish()
        if self.other._lost:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self.other.send(data)

    def send(self, data: bytes) -> None:
        if self._transport is None:
            self._early.append(data)
        else:
            self._transport.write(data)

    def eof_received(self) -> bool:
        self._ended = True
        self.other.finish()
        if self.other._ended:
            self.close()
            self.other.close()
        return True  # keep open: the other direction may go on

    def finish(self) -> None:
        self._finish = True
        if self._transport is not None and self._transport.can_write_eof():
            try:
                self._transport.write_eof()
            except OSError:
                self._transport.abort()

    def close(self, error: Exception | None = None) -> None:
        """Close after what is buffered; after an error at once, with a reset."""
        if self._transport is None:
            return
        if error is not None:
            sock = self._transport.get_extra_info("socket")
            if sock is not None and sock.fileno() >= 0:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        if not self.closed.done():
            self.closed.set_result(None)
        self.other.close(exc)

    def pause_writing(self) -> None:
        if self.other._transport is not None:
            self.other._transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other._transport is not None:
            self.other._transport.resume_reading()
