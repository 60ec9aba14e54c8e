"""A run as its callers see it: watched, stopped, cancelled, and robbed of its processes."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import pytest

from flashsale.load.coordinator import WorkerFailedError, run_load, worker_process
from flashsale.load.plan import LoadPlan
from flashsale.load.results import LoadProgress
from flashsale.load.target import find_target
from tests.load.lying_server import Liar

LONG = 60.0  # seconds no test waits for


def endless(shop: Liar, **wishes: Any) -> LoadPlan:
    """Plan a run that only a stop ends."""
    return LoadPlan(find_target(shop.url), rate=200, seconds=LONG, **wishes)


async def test_an_observer_sees_the_run_grow(shop: Liar) -> None:
    """A few times a second, with figures that only ever rise and never go out of balance."""
    seen: list[LoadProgress] = []
    plan = LoadPlan(find_target(shop.url), rate=200, seconds=1.2)
    report = await run_load(plan, observer=seen.append)
    assert 2 <= len(seen) <= 8
    counts = [progress.figures.sent for progress in seen]
    assert counts == sorted(counts)
    assert all(progress.figures.in_flight >= 0 for progress in seen)
    assert counts[-1] <= report.figures.sent == 240


async def test_a_stop_ends_the_run_with_a_report_that_balances() -> None:
    """Purchases under way still get their answers; what was not due yet was never planned."""
    stop = asyncio.Event()
    async with Liar(delay=lambda: 0.3) as shop:
        running = asyncio.create_task(run_load(endless(shop, workers=2), stop=stop))
        await shop.asked(50)
        stop.set()
        report = await running
        assert report.figures.confirmed == report.figures.sent == shop.requests
    assert report.interrupted
    assert report.figures.lost == report.figures.unsent == 0
    assert report.figures.rate == pytest.approx(200, rel=0.2)


@pytest.mark.parametrize("after", [0.0, 0.02, 0.05, 0.08])
async def test_a_stop_before_the_first_purchase_is_heard(shop: Liar, after: float) -> None:
    """Whatever the processes that send were doing then: the run ends, and no purchase is lost."""
    stop = asyncio.Event()
    async with asyncio.timeout(10):
        running = asyncio.create_task(run_load(endless(shop, workers=2), stop=stop))
        await asyncio.wait([running], timeout=after)
        stop.set()
        report = await running
    assert report.interrupted
    assert report.figures.sent == report.figures.confirmed == shop.requests


async def test_a_stop_before_the_start_sends_nothing(shop: Liar) -> None:
    """However late the processes that send come to hear of it."""
    stop = asyncio.Event()
    stop.set()
    report = await run_load(endless(shop, workers=2), stop=stop)
    assert report.figures.sent == shop.requests == 0
    assert report.interrupted


async def test_cancelling_ends_all_sending(shop: Liar) -> None:
    """No purchase reaches the shop once a cancelled run has let go."""
    running = asyncio.create_task(run_load(endless(shop)))
    await shop.asked(20)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    before = shop.requests
    await asyncio.sleep(0.2)
    assert shop.requests - before <= 5, "the process that sends is still alive"


async def test_a_worker_that_dies_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures without one part of the purchases would be wrong, so there are none."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(WorkerFailedError):
        await run_load(LoadPlan(find_target("http://127.0.0.1:9"), rate=1, seconds=1, workers=2))


async def test_a_worker_is_waited_for_though_cancelled_twice() -> None:
    """A sibling's failure while it ends leaves no zombie, and nothing that Python complains of."""
    held = []

    async def hold() -> None:
        async with worker_process() as process:
            held.append(process)
            await process.wait()

    holding = asyncio.create_task(hold())
    async with asyncio.timeout(10):
        while not held:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    holding.cancel()
    await asyncio.sleep(0)  # it is on its way out now
    holding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holding
    assert held[0].returncode is not None


async def test_second_zero_is_on_both_clocks(shop: Liar) -> None:
    """Healings are timed on the monotonic clock, so the report says where the run lies on it."""
    before = time.monotonic(), time.time()
    report = await run_load(LoadPlan(find_target(shop.url), rate=50, seconds=0.2))
    assert before[0] < report.started_monotonic < time.monotonic()
    assert before[1] < report.started_unix < time.time()
