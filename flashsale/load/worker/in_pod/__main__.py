"""One worker of a Job: ``python worker.zip PLAN SIGNALS`` with ``JOB_COMPLETION_INDEX`` set.

PLAN is a file: the orders as JSON, alike for all workers of the Job. SIGNALS is a folder, in which
the pod's annotations appear as files: ``start`` holds second 0 of the run in unix seconds of this
node's clock; ``stop``, once it is not empty, asks to send no more, as SIGTERM does. Purchases under
way are then waited for, and the last message says up to which second purchases were due.

Messages go to stdout, as :mod:`log_lines` says: the node's clock a few times a second until the
start, then what was counted since the last one.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from flashsale.load.worker.counts import Tally
from flashsale.load.worker.in_pod.log_lines import write_lines
from flashsale.load.worker.orders import LoadTarget, Orders
from flashsale.load.worker.sender import raise_file_limit, send_orders

LOOK_EVERY = 0.05  # seconds between two looks for the start
READY_EVERY = 0.25  # seconds between two messages until then
REPORT_EVERY = 0.5  # seconds between two messages of a run


class MessageWriter:
    """Writes messages to stdout, and looks for the stop at each of them."""

    def __init__(self, signals: Path, stop: int) -> None:
        self._signals, self._stop = signals, stop
        self._lines = 0

    def __call__(self, message: dict[str, Any]) -> None:
        lines = list(write_lines(message, self._lines))
        self._lines += len(lines)
        sys.stdout.write("\n".join([*lines, ""]))
        sys.stdout.flush()
        if read_signal(self._signals, "stop"):
            os.write(self._stop, b".")


def read_signal(folder: Path, name: str) -> str:
    """Read an annotation of this pod; empty while it is not set."""
    try:
        return (folder / name).read_text().strip()
    except OSError:
        return ""


def wait_for_start(signals: Path, stopped: int, write: MessageWriter) -> float | None:
    """Return the start in unix seconds, or None if the stop comes first."""
    due = 0.0
    while not (start := read_signal(signals, "start")):
        if select.select([stopped], [], [], LOOK_EVERY)[0]:
            return None
        if time.monotonic() >= due:
            due = time.monotonic() + READY_EVERY
            write({"ready": time.time()})
    return float(start)


def look_up(target: LoadTarget) -> LoadTarget:
    """Replace a name of the cluster's DNS by its address."""
    addresses = socket.getaddrinfo(target.address, target.port, type=socket.SOCK_STREAM)
    return replace(target, address=str(addresses[0][4][0]))


def main() -> None:
    raise_file_limit()
    stopped, stop = os.pipe()
    signal.signal(signal.SIGTERM, lambda *_: os.write(stop, b"."))  # process 1 would ignore it
    plan = json.loads(Path(sys.argv[1]).read_text())
    orders = Orders.from_wire({**plan, "part": int(os.environ["JOB_COMPLETION_INDEX"])})
    orders = replace(orders, target=look_up(orders.target))
    signals = Path(sys.argv[2])
    write = MessageWriter(signals, stop)
    start = wait_for_start(signals, stopped, write)
    if start is None:
        nothing = {"now": 0.0, "busy": 0.0, "waiting": 0.0, "done": True, "until": 0.0}
        write({**Tally().take(), **nothing})
        return
    ahead = start - time.time()
    write({"starts_in": ahead})
    send_orders(orders, time.monotonic() + ahead, write, stop=stopped, report_every=REPORT_EVERY)


if __name__ == "__main__":
    main()
