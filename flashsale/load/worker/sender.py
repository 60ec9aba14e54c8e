"""Sends one worker's purchases at their moments, and reports what it counted meanwhile."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Iterable
from typing import BinaryIO

from flashsale.load.worker.client import Client
from flashsale.load.worker.counts import Tally
from flashsale.load.worker.orders import Orders
from flashsale.load.worker.schedule import Arrival, schedule

BATCH = 32  # purchases started in a row before answers get their turn
BEHIND = 1.0  # seconds after its moment at which a purchase is given up as unsent
REPORT_EVERY = 0.25  # seconds

Report = Callable[[float], None]  # takes the second of the run up to which purchases were due


def send(
    arrivals: Iterable[Arrival],
    client: Client,
    tally: Tally,
    clock: Callable[[], float],
    report: Report,
) -> None:
    """Send every purchase at its moment, report now and then, and wait for the last answer."""
    row = 0
    for number, planned in arrivals:
        while (now := clock()) < planned and not client.stopped:
            client.wait(planned)
            report(now)
            row = 0
        if client.stopped and planned > now:
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


class Reporter:
    """Writes the tally to a stream every quarter of a second."""

    def __init__(self, tally: Tally, clock: Callable[[], float], out: BinaryIO) -> None:
        self._tally, self._clock, self._out = tally, clock, out
        self._next = REPORT_EVERY
        self._cpu = time.process_time()

    def __call__(self, now: float) -> None:
        """Write, if it is time."""
        if now >= self._next:
            self._next = now + REPORT_EVERY
            self.write(now)

    def write(self, now: float, *, done: bool = False) -> None:
        """Write what was counted since the last time."""
        busy = (time.process_time() - self._cpu) / now if now > 0 else 0.0
        message = {**self._tally.take(), "now": now, "busy": busy, "done": done}
        self._out.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        self._out.flush()


def run(orders: Orders, start: float, out: BinaryIO) -> None:
    """Carry out orders; second 0 of the run is ``start`` on the monotonic clock."""

    def clock() -> float:
        return time.monotonic() - start

    gc.disable()  # nothing here forms cycles, and a collection would be a late start
    tally = Tally()
    report = Reporter(tally, clock, out)
    arrivals = schedule(
        *(orders.arrivals, orders.rate, orders.seconds, orders.seed, orders.part, orders.parts)
    )
    with Client(
        orders.target, tally, clock, keepalive=orders.keepalive, timeout=orders.timeout, stop=0
    ) as client:
        send(arrivals, client, tally, clock, report)
    report.write(clock(), done=True)
