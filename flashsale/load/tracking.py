"""A run under way, wherever its workers are: its clock, its one ledger, and what observers see."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import Any, Protocol

from flashsale.load.plan import LoadPlan
from flashsale.load.results import LoadProgress, Report
from flashsale.load.totals import Ledger
from flashsale.load.worker.sender import BEHIND

OBSERVE_EVERY = 0.25  # seconds
STRAGGLERS = 2.0  # seconds a planned second stays open beyond what it can need

LoadObserver = Callable[[LoadProgress], None]


class RunLoad(Protocol):
    """What carries out a plan: from this machine, or from inside the cluster."""

    async def __call__(
        self,
        plan: LoadPlan,
        *,
        observer: LoadObserver | None = None,
        stop: asyncio.Event | None = None,
    ) -> Report:
        """Carry out a plan and report on it; ``stop`` ends it early, with a report."""


class LoadTracker:
    """What is known of a run while it lasts."""

    def __init__(self, plan: LoadPlan, parts: int) -> None:
        self.plan, self.parts = plan, parts
        self.ledger = Ledger(workers=parts)
        self.start = 0.0  # monotonic moment of second 0; 0 while workers are starting
        self.stopped: float | None = None  # the second at which the run was cut short
        self._reported = [0.0] * parts  # the second of each worker's last message
        self._cores: dict[int, tuple[float, float]] = {}  # each worker's shares: busy, waiting

    @property
    def until(self) -> float:
        """The second at which the last purchase was, or is, to start."""
        return self.plan.seconds if self.stopped is None else self.stopped

    @property
    def elapsed(self) -> float:
        """Seconds of the run so far; 0 before it."""
        return max(0.0, time.monotonic() - self.start) if self.start else 0.0

    def stop(self) -> None:
        """Note that no purchase starts from now on."""
        self.stopped = min(self.elapsed, self.plan.seconds)

    def merge(self, part: int, message: dict[str, Any]) -> None:
        ledger, now = self.ledger, message["now"]
        ledger.add(message, part)
        self._reported[part] = now
        ledger.sending_ended = min(self.until, self.elapsed)
        ledger.ended = max(ledger.ended, now)
        if now <= self.until or part not in self._cores:  # afterwards it waits for answers only
            self._cores[part] = (message["busy"], message["waiting"])
            ledger.busy, ledger.waiting = map(max, zip(*self._cores.values(), strict=True))

    def give_up(self, part: int, until: float | None = None) -> None:
        """Book what a worker was to send and told nothing of: nobody hears of it any more.

        Args:
            until: the second up to which its purchases were due, if that is not the run's end.
        """
        end = self.until if until is None else until
        self.ledger.give_up(part, self.plan.planned(end, part, self.parts))
        self._reported[part] = math.inf

    async def observe(self, observer: LoadObserver | None) -> None:
        """Show the state to the observer until cancelled."""
        while True:
            await asyncio.sleep(OBSERVE_EVERY)
            latest = min(*self._reported, self.elapsed)
            self.ledger.close(before=int(latest - BEHIND - self.plan.timeout - STRAGGLERS))
            if observer and self.start and time.monotonic() >= self.start:
                observer(self.ledger.progress(self.elapsed, self.plan.seconds))

    def report(self) -> Report:
        self.ledger.sending_ended = self.until
        self.ledger.ended = max(self.until, self.ledger.ended)
        return self.ledger.report(
            started_monotonic=self.start,
            started_unix=time.time() - (time.monotonic() - self.start),
            keepalive=self.plan.keepalive,
            interrupted=self.stopped is not None,
        )
