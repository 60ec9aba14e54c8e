"""Sends one worker's purchases at their moments, and reports what it counted meanwhile."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable
from typing import Any

from flashsale.load.worker.client import Client
from flashsale.load.worker.counts import Tally
from flashsale.load.worker.orders import Orders
from flashsale.load.worker.schedule import Arrival, schedule

BATCH = 32  # purchases started in a row before answers get their turn
BEHIND = 1.0  # seconds after its moment at which a purchase is given up as unsent
REPORT_EVERY = 0.25  # seconds

TakeProgress = Callable[[float], None]  # takes the second of the run up to which purchases were due
TakeMessage = Callable[[dict[str, Any]], None]  # takes a message


def send(
    arrivals: Iterable[Arrival],
    client: Client,
    tally: Tally,
    clock: Callable[[], float],
    report: TakeProgress,
) -> float | None:
    """Send every purchase at its moment, report now and then, and wait for the last answer.

    Returns:
        The second of the run at which a stop came; None where everything that was planned was due.
    """
    row, stopped_at = 0, None
    client.wait(clock())  # on a busy machine a stop may be there before the first one is sent
    if client.stopped:
        return 0.0
    for number, planned in arrivals:
        while (now := clock()) < planned and not client.stopped:
            client.wait(planned)
            report(now)
            row = 0
        if client.stopped and planned > now:
            stopped_at = now
            break
        if now - planned > BEHIND:
            tally.not_sent("behind")
        else:
            client.buy(number, planned)
        row += 1
        if row >= BATCH:
            client.wait(now)
            report(now)
            row = 0
    while client.in_flight:
        client.wait(clock() + REPORT_EVERY)
        report(clock())
    return stopped_at


class Reporter:
    """Hands the tally over, every quarter of a second or at another pace."""

    def __init__(
        self, tally: Tally, clock: Callable[[], float], write: TakeMessage, every: float
    ) -> None:
        self._tally, self._clock, self._write = tally, clock, write
        self._every = self._next = every
        self._cpu, self._waited = time.process_time(), waited()

    def __call__(self, now: float) -> None:
        """Write, if it is time."""
        if now >= self._next:
            self._next = now + self._every
            self._write(self._message(now, done=False))

    def finish(self, now: float, until: float) -> None:
        """Write the last message; ``until`` is the second up to which purchases were due."""
        self._write({**self._message(now, done=True), "until": until})

    def _message(self, now: float, *, done: bool) -> dict[str, Any]:
        spent, waiting = time.process_time() - self._cpu, waited() - self._waited
        busy, kept = (spent / now, waiting / now) if now > 0 else (0.0, 0.0)
        return {**self._tally.take(), "now": now, "busy": busy, "waiting": kept, "done": done}


def waited() -> float:
    """Return for how many seconds this process could have run and had no core; 0 where unknown.

    Linux tells: Documentation/scheduler/sched-stats.rst, the second figure of /proc/PID/schedstat.
    """
    try:
        with open("/proc/self/schedstat", "rb") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def send_orders(
    orders: Orders,
    start: float,
    write: TakeMessage,
    *,
    stop: int,
    report_every: float = REPORT_EVERY,
) -> None:
    """Carry out orders.

    Args:
        start: second 0 of the run on the monotonic clock.
        stop: a file descriptor: once it can be read, no more purchases start.
    """

    def clock() -> float:
        return time.monotonic() - start

    gc.disable()  # nothing here forms cycles, and a collection would be a late start
    tally = Tally()
    report = Reporter(tally, clock, write, report_every)
    arrivals = schedule(
        *(orders.arrivals, orders.rate, orders.seconds, orders.seed, orders.part, orders.parts)
    )
    with Client(
        orders.target, tally, clock, keepalive=orders.keepalive, timeout=orders.timeout, stop=stop
    ) as client:
        stopped_at = send(arrivals, client, tally, clock, report)
    report.finish(clock(), orders.seconds if stopped_at is None else max(0.0, stopped_at))


def raise_file_limit() -> None:
    """Let this process open as many files as it is allowed to; every connection is one."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (ValueError, OSError):  # macOS calls its limit infinite and refuses that
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(10_240, hard), hard))
