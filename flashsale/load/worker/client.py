"""The buyers' side of the wire: many purchases at once over non-blocking sockets in one thread.

Plain sockets and a selector, no event loop: measured bare, side by side, this sent 1.08 times as
many purchases a second on new connections as an asyncio Protocol on uvloop and 2.8 times as many as
on asyncio's own loop; on kept ones 0.97 and 3.7 times. So it needs no dependency.

Nothing is ever sent twice. A purchase whose kept connection turns out to be closed is lost, as it
would be for a browser that must not buy again by itself.
"""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable
from itertools import takewhile
from select import select

from flashsale.load.worker.classify import (
    LossClass,
    errno_words,
    judge_answer,
    loss_class,
    own_limit,
)
from flashsale.load.worker.counts import Tally
from flashsale.load.worker.http1.connection import Connection, open_connection
from flashsale.load.worker.http1.http_response import BROKEN, DONE
from flashsale.load.worker.orders import LoadTarget

PIECE = 16 * 1024  # bytes read at once; a purchase's answer has about 300
LEAVING = 1000  # connections that wait for the server to close first
EXPIRE_EVERY = 0.02  # seconds, at the most often
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Client:
    """Starts purchases and books what becomes of them; moments are seconds of the run."""

    def __init__(
        self,
        target: LoadTarget,
        tally: Tally,
        clock: Callable[[], float],
        *,
        keepalive: bool,
        timeout: float,
        stop: int | None = None,
    ) -> None:
        """Prepare; ``stop`` is a file descriptor: once it can be read, ``stopped`` is true."""
        self.stopped = False
        self._target, self._tally, self._clock = target, tally, clock
        self._keepalive, self._timeout = keepalive, timeout
        self._request = request_parts(target, keepalive=keepalive)
        self._under_way: dict[Connection, None] = {}  # in the order of their starts
        self._idle: dict[Connection, None] = {}  # the one used last is last, and used next
        self._leaving: dict[Connection, None] = {}  # the one that waits longest is first
        self._expiry = clock() + timeout  # nobody's patience ends before this
        self._selector = selectors.DefaultSelector()
        if stop is not None:
            self._selector.register(stop, READ, None)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in [*self._under_way, *self._idle, *self._leaving]:
            connection.socket.close()
        self._selector.close()

    @property
    def in_flight(self) -> int:
        """How many purchases have neither been answered nor lost."""
        return len(self._under_way)

    def buy(self, number: int, planned: float) -> None:
        reused = bool(self._idle)
        try:
            connection = self._idle.popitem()[0] if reused else open_connection(self._target)
        except OSError as error:
            self._unopened(planned, error.errno or 0)
            return
        now = self._clock()
        self._tally.started(planned, now, reused=reused)
        self._under_way[connection] = None
        before, after = self._request
        connection.begin(b"%s%d%s" % (before, number, after), planned, now, reused=reused)
        self._ask(connection)

    def wait(self, until: float) -> None:
        """Attend to answers; return after the next few, or at a moment, whichever comes first."""
        patience = min(until, self._expiry) - self._clock()
        if patience > 0:  # the selector itself knows whole milliseconds only
            select([self._selector], [], [], patience)
        for key, _ in self._selector.select(0):
            if key.data is None:
                self.stopped = True
                self._selector.unregister(key.fileobj)
            elif key.data.watched:  # not closed by an earlier event of this turn
                self._event(key.data)
        if self._clock() >= self._expiry:
            self._expire()

    def _event(self, connection: Connection) -> None:
        if connection.phase == "waiting":
            self._read(connection)
        elif connection.phase == "asking":
            error = connection.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                self._fail(connection, error)
            else:
                self._ask(connection)
        else:  # the server closed it, or sent bytes that nobody asked for
            self._close(connection)

    def _ask(self, connection: Connection) -> None:
        try:
            sent = connection.send()
        except OSError as error:
            self._fail(connection, error.errno or 0)
            return
        connection.phase = "waiting" if sent else "asking"
        self._watch(connection, READ if sent else WRITE)

    def _read(self, connection: Connection) -> None:
        try:
            data = connection.socket.recv(PIECE)
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(connection, error.errno or 0)
            return
        state = connection.answer.feed(data) if data else connection.answer.end()
        if state is DONE:
            self._answered(connection, closed=not data)
        elif state is BROKEN:
            self._break(connection)

    def _answered(self, connection: Connection, *, closed: bool) -> None:
        answer = connection.answer
        rejection, pod = judge_answer(answer.status, answer.body, oversized=answer.oversized)
        self._tally.answered(
            connection.planned, self._clock(), answer.status, rejection=rejection, pod=pod
        )
        del self._under_way[connection]
        connection.pod = pod
        if closed:
            self._close(connection)
        elif self._keepalive and answer.keep:
            connection.phase = "idle"
            self._idle[connection] = None
        else:
            self._leave(connection)

    def _leave(self, connection: Connection) -> None:
        """Let the server close first, as `Connection: close` asks it to.

        The side that closes first keeps the port in TIME_WAIT for a minute; were it ours, 28,000
        ephemeral ports would carry no more than 470 purchases a second to another machine.
        """
        connection.phase = "leaving"
        self._leaving[connection] = None
        if len(self._leaving) > LEAVING:
            self._close(next(iter(self._leaving)))

    def _fail(self, connection: Connection, error: int) -> None:
        self._lose(connection, loss_class(error), errno_words(error))

    def _break(self, connection: Connection) -> None:
        """Lose a purchase whose answer ended early, or can be none."""
        fault = connection.answer.fault
        if not fault:
            self._lose(connection, "reset")
        elif connection.talks_to_itself():
            self._lose(connection, "refused")
        else:
            self._lose(connection, "other", fault)

    def _lose(self, connection: Connection, kind: LossClass, why: str = "") -> None:
        self._tally.lost(
            connection.planned,
            self._clock(),
            kind,
            pod=connection.pod,
            reused=connection.reused,
            why=why,
        )
        self._close(connection)

    def _unopened(self, planned: float, error: int) -> None:
        limit, now = own_limit(error), self._clock()
        if limit:
            self._tally.not_sent(limit)
        else:
            self._tally.started(planned, now)
            self._tally.lost(planned, now, loss_class(error), why=errno_words(error))

    def _expire(self) -> None:
        """Give up on purchases whose patience has ended; all have the same, so the oldest first."""
        latest = self._clock() - self._timeout
        for connection in list(takewhile(lambda each: each.started <= latest, self._under_way)):
            self._lose(connection, "timeout")
        oldest = next(iter(self._under_way), None)
        due = self._timeout + (oldest.started if oldest else self._clock())
        self._expiry = max(due, self._clock() + EXPIRE_EVERY)

    def _watch(self, connection: Connection, events: int) -> None:
        if connection.watched == events:
            return
        if connection.watched:
            self._selector.modify(connection.socket, events, connection)
        else:
            self._selector.register(connection.socket, events, connection)
        connection.watched = events

    def _close(self, connection: Connection) -> None:
        for place in (self._under_way, self._idle, self._leaving):
            place.pop(connection, None)
        if connection.watched:
            self._selector.unregister(connection.socket)
            connection.watched = 0
        connection.socket.close()


def request_parts(target: LoadTarget, *, keepalive: bool) -> tuple[bytes, bytes]:
    """Return the request up to the buyer's number, and from there on."""
    joint = "&" if "?" in target.path else "?"
    kept = "keep-alive" if keepalive else "close"
    before = f"GET {target.path}{joint}user=buyer"
    after = (
        f" HTTP/1.1\r\nHost: {target.host}\r\nUser-Agent: flashsale\r\nAccept: application/json\r\n"
        f"Connection: {kept}\r\n\r\n"
    )
    return before.encode("ascii"), after.encode("ascii")
