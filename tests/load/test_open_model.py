"""The open model: buyers come on schedule whatever the sale does, and waiting counts from there."""

from __future__ import annotations

import time

from flashsale.load.coordinator import run_load
from flashsale.load.plan import LoadPlan
from flashsale.load.target import find_target
from tests.load.lying_server import Liar

STALL = 2.0  # seconds
WITHIN = 300  # ms that a busy machine may add: a closed loop would be 1,700 away


class Stall:
    """Holds every purchase that comes in the window until the window's end."""

    def __init__(self) -> None:
        self._first = 0.0

    def __call__(self) -> float:
        """Return the seconds that a purchase has to wait."""
        now = time.monotonic()
        self._first = self._first or now
        since = now - self._first
        return max(0.0, 0.25 + STALL - since) if since >= 0.25 else 0.0


async def test_a_stall_of_two_seconds_shows_in_the_percentiles() -> None:
    """Everybody who came meanwhile waited; a closed loop would have sent, and counted, only one.

    80 % of the buyers come while the shop stands still and wait for what is left of 2 s, so the
    90th percentile of all is a wait of 1.75 s and the 99th one of 1.975 s.
    """
    async with Liar(delay=Stall()) as shop:
        report = await run_load(LoadPlan(find_target(shop.url), rate=200, seconds=2.5))
    figures = report.figures
    assert figures.confirmed == 500 == shop.done["sell"]
    assert abs(figures.latency_ms.p90 - 1750) < WITHIN
    assert abs(figures.latency_ms.p99 - 1975) < WITHIN
    assert figures.generator.lag_ms.p90 < WITHIN, "buyers came late because the shop was slow"


async def test_latency_is_what_the_buyer_waited() -> None:
    """Against a shop that takes 50 ms, the median says a little more than 50 ms."""
    async with Liar(delay=lambda: 0.05) as shop:
        report = await run_load(LoadPlan(find_target(shop.url), rate=100, seconds=0.5))
    assert 50 <= report.figures.latency_ms.p50 < 100
    assert report.figures.latency_ms.max >= report.figures.latency_ms.p99
