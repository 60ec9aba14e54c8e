"""A sale that answers as fast as Python can: one process, one thread, no framework.

``python -m tests.benchmarks.fast_shop`` prints its port and serves until stdin ends.
"""

from __future__ import annotations

import selectors
import socket
from contextlib import suppress

SOLD = b'{"status": "success", "item": "Shoes", "user": "user1", "served_by_pod": "flashsale-rs-x"}'
HEAD = (
    b"HTTP/1.1 200 OK\r\nServer: gunicorn\r\nDate: Sun, 01 Jun 2025 06:00:00 GMT\r\n"
    b"Connection: %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
)
KEPT = HEAD % (b"keep-alive", len(SOLD)) + SOLD
CLOSED = HEAD % (b"close", len(SOLD)) + SOLD
CLOSE = b"\nConnection: close"


def answer(selector: selectors.BaseSelector, peer: socket.socket) -> None:
    """Answer the next request of a connection, or take leave of it."""
    data = b""
    with suppress(OSError):
        data = peer.recv(4096)
    close = not data or CLOSE in data
    if data:
        with suppress(OSError):
            peer.send(CLOSED if close else KEPT)
    if close:
        selector.unregister(peer)
        peer.close()


def main() -> None:
    """Serve until stdin ends."""
    with socket.socket() as listener, selectors.DefaultSelector() as selector:
        listener.bind(("127.0.0.1", 0))
        listener.listen(4096)
        listener.setblocking(False)
        selector.register(listener, selectors.EVENT_READ)
        selector.register(0, selectors.EVENT_READ)
        print(listener.getsockname()[1], flush=True)
        while True:
            for key, _ in selector.select():
                if key.fd == 0:
                    return
                if key.fileobj is not listener:
                    answer(selector, key.fileobj)  # type: ignore[arg-type]
                    continue
                with suppress(BlockingIOError):
                    peer, _address = listener.accept()
                    peer.setblocking(False)
                    selector.register(peer, selectors.EVENT_READ)


if __name__ == "__main__":
    main()
