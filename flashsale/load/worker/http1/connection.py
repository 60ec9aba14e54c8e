"""One non-blocking connection to the sale, and the purchase that is under way on it."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass, field
from typing import Literal

from flashsale.load.worker.http1.http_response import HttpResponse
from flashsale.load.worker.orders import LoadTarget

ConnectionState = Literal["asking", "waiting", "idle", "leaving"]


@dataclass(slots=True, eq=False)
class Connection:
    """A socket with at most one purchase on it: asking, waiting, and then idle or leaving."""

    socket: socket.socket
    phase: ConnectionState = "idle"
    watched: int = 0  # the selector's events it is registered for, 0 for none
    pod: str = ""  # that answered on it last
    request: bytes = b""  # what is still to be sent
    reused: bool = False
    planned: float = 0.0
    started: float = 0.0  # both are seconds of the run
    answer: HttpResponse = field(default_factory=HttpResponse)

    def begin(self, request: bytes, planned: float, started: float, *, reused: bool) -> None:
        """Put a purchase on this connection."""
        self.request, self.planned, self.started = request, planned, started
        self.reused, self.phase = reused, "asking"
        if reused:
            self.answer = HttpResponse()

    def send(self) -> bool:
        """Send what the connection takes and say whether all is out; OSError if it failed."""
        try:
            self.request = self.request[self.socket.send(self.request) :]
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno == errno.ENOTCONN:  # still connecting, on macOS
                return False
            raise
        return not self.request

    def talks_to_itself(self) -> bool:
        """Whether the kernel picked the sale's own port for our end, nobody listening there.

        TCP then connects the socket to itself (a simultaneous open) instead of refusing.
        """
        try:
            return bool(self.socket.getsockname() == self.socket.getpeername())
        except OSError:
            return False


def open_connection(target: LoadTarget) -> Connection:
    """Begin to connect; the connection may still be on its way then. OSError if it failed."""
    family = socket.AF_INET6 if ":" in target.address else socket.AF_INET
    peer = socket.socket(family, socket.SOCK_STREAM)
    try:
        peer.setblocking(False)
        error = peer.connect_ex((target.address, target.port))
        if error not in (0, errno.EINPROGRESS):
            raise OSError(error, "connect")
    except OSError:
        peer.close()
        raise
    return Connection(peer)
