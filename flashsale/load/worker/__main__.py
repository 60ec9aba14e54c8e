"""One process of the crowd: reads a plan on stdin, sends its part, tells what it counted on stdout.

Started as ``python -m flashsale.load.worker`` by :mod:`flashsale.load.coordinator`. They talk in
JSON, one document a line: the plan comes in, an empty document goes out, the start moment comes in,
tallies go out until one says ``done``. Anything more on stdin, its end too, means stop: so no
worker outlives the program that started it.

It imports neither asyncio nor anything installed: it is sending 50 ms after it was started.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO

from flashsale.load.machine_limits import raise_file_limit
from flashsale.load.plan import LoadPlan
from flashsale.load.schedule import Arrival, schedule
from flashsale.load.worker.client import Client
from flashsale.load.worker.counts import Tally

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


def main() -> None:
    """Serve one run."""
    raise_file_limit()
    orders = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115 - unbuffered: then it is watched
    out = sys.stdout.buffer
    task: dict[str, Any] = json.loads(orders.readline())
    out.write(b"{}\n")
    out.flush()
    begin = orders.readline()
    if not begin:
        return
    start = float(json.loads(begin)["start"])
    run(LoadPlan.from_wire(task["plan"]), task["part"], task["parts"], start, out)


def run(plan: LoadPlan, part: int, parts: int, start: float, out: BinaryIO) -> None:
    """Send one part of a plan whose second 0 is ``start`` on the monotonic clock."""

    def clock() -> float:
        return time.monotonic() - start

    gc.disable()  # nothing here forms cycles, and a collection would be a late start
    tally = Tally()
    report = Reporter(tally, clock, out)
    arrivals = schedule(plan.arrivals, plan.rate, plan.seconds, plan.seed, part, parts)
    with Client(
        plan.target, tally, clock, keepalive=plan.keepalive, timeout=plan.timeout, stop=0
    ) as client:
        send(arrivals, client, tally, clock, report)
    report.write(clock(), done=True)


if __name__ == "__main__":
    main()
