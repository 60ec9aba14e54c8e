"""Against servers that lie, every planned purchase ends as exactly one thing, to the purchase."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from flashsale.load.coordinator import run_load
from flashsale.load.plan import LoadPlan
from flashsale.load.results import Figures, Report
from flashsale.load.target import find_target
from flashsale.load.worker.schedule import schedule
from tests.load.lying_server import CONFIRMS, REJECTS, RESETS, Deed, Liar


def plan_for(url: str, **wishes: Any) -> LoadPlan:
    """Plan a short run."""
    return LoadPlan(find_target(url), **({"rate": 600, "seconds": 0.25, "timeout": 30.0} | wishes))


def every(nth: int, deed: Deed) -> Callable[[int], Deed]:
    """Sell, but do something else at every n-th purchase."""
    return lambda number: deed if number % nth == nth - 1 else "sell"


def assert_agrees(figures: Figures, shop: Liar, planned: int) -> None:
    """The client's books and the server's are the same."""
    assert figures.sent == planned == shop.requests
    assert figures.confirmed == shop.count(CONFIRMS)
    assert figures.rejected == shop.count(REJECTS)
    assert figures.errors.get("reset", 0) == shop.count(RESETS)
    assert figures.errors.get("timeout", 0) == shop.done["silence"]
    assert figures.errors.get("other", 0) == shop.done["garbage"]
    assert figures.sent == figures.confirmed + figures.rejected + figures.lost
    assert max(shop.buyers.values()) == 1, "a purchase was sent twice"


@pytest.mark.parametrize("keepalive", [False, True], ids=["new", "kept"])
@pytest.mark.parametrize(
    "lies",
    [("long", "chunked", "until-close"), REJECTS, RESETS, ("garbage",)],
    ids=["confirm", "reject", "reset", "other"],
)
async def test_lies_of_one_kind_are_counted_as_that(
    lies: tuple[Deed, ...], keepalive: bool
) -> None:
    """Client and server agree on every single purchase, whatever the server did to it."""
    async with Liar(lambda number: "sell" if number % 3 else lies[number // 3 % len(lies)]) as shop:
        report = await run_load(plan_for(shop.url, keepalive=keepalive))
    assert all(shop.done[lie] >= 50 // len(lies) for lie in lies)
    assert_agrees(report.figures, shop, planned=150)


async def test_all_lies_at_once_balance_over_several_workers() -> None:
    """Three processes and Poisson arrivals forget nothing and send nothing twice."""
    lies: tuple[Deed, ...] = (*CONFIRMS, *REJECTS, *RESETS, "silence", "garbage")
    plan = {"rate": 600, "arrivals": "poisson", "seed": 7, "workers": 3, "timeout": 3.0}
    async with Liar(lambda number: lies[number % len(lies)]) as shop:
        report = await run_load(plan_for(shop.url, **plan))
    planned = len(list(schedule("poisson", 600, 0.25, 7)))
    assert_agrees(report.figures, shop, planned)
    assert report.figures.generator.workers == 3


async def test_a_dead_port_refuses_every_purchase() -> None:
    """Nothing listens: all are lost, as refused, none as anything else."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # bound, so that nobody else gets the port, and not listening
        report = await run_load(plan_for(f"http://127.0.0.1:{deaf.getsockname()[1]}"))
    assert report.figures.errors == {"refused": 150}
    assert report.figures.sent == 150


async def test_silence_ends_with_the_buyers_patience() -> None:
    """A purchase nobody answers is lost after the timeout, and the run waits that long for it."""
    async with Liar(lambda _: "silence") as shop:
        report = await run_load(plan_for(shop.url, timeout=0.4))
    assert report.figures.errors == {"timeout": 150}
    waits = [loss.ended_seconds - loss.at_seconds for loss in report.losses]
    assert min(waits) >= 0.4
    assert 0.6 <= report.figures.seconds < 2


async def test_purchases_under_way_at_the_end_are_waited_for() -> None:
    """The last buyers get their answers although no new ones come any more."""
    async with Liar(delay=lambda: 0.5) as shop:
        report = await run_load(plan_for(shop.url, seconds=0.3, rate=100))
    assert report.figures.confirmed == 30 == shop.done["sell"]
    assert report.figures.seconds >= 0.7


async def test_every_loss_is_listed_with_its_moment_and_class() -> None:
    """A drill finds causes in these records, so there is one a loss and they add up."""
    async with Liar(every(7, "reset")) as shop:
        report = await run_load(plan_for(shop.url))
    assert len(report.losses) == report.figures.lost == shop.done["reset"]
    assert report.losses_unlisted == 0
    assert {loss.loss_class for loss in report.losses} == {"reset"}
    numbers = [round(loss.at_seconds * 600) for loss in report.losses]
    assert numbers == sorted(set(numbers))
    assert all(0 <= number < 150 for number in numbers)


async def test_a_loss_on_a_kept_connection_names_the_pod_it_went_to() -> None:
    """There the pod is known: it answered on this connection before."""
    async with Liar(every(10, "reset")) as shop:
        report = await run_load(plan_for(shop.url, keepalive=True, rate=200))
    reused = [loss for loss in report.losses if loss.reused]
    assert reused
    assert {loss.pod for loss in reused} == {"pod-a"}


async def test_seconds_and_pods_add_up_to_the_totals() -> None:
    """The timeline and the answers by second and pod hold the same purchases as the figures."""
    async with Liar(every(3, "refuse")) as shop:
        report: Report = await run_load(plan_for(shop.url, seconds=1.5, rate=100))
    figures = report.figures
    assert [second.at for second in report.timeline] == [0, 1]
    assert sum(second.confirmed for second in report.timeline) == figures.confirmed
    assert sum(second.rejected for second in report.timeline) == figures.rejected
    by_pod = [count for pods in report.answers.values() for count in pods.values()]
    assert sum(by_pod) == figures.confirmed == figures.pods["pod-a"]
    assert 0 <= report.firsts["pod-a"] < 0.5


async def test_kept_connections_are_used_again() -> None:
    """With keepalive few connections carry everything; without, every buyer opens one."""
    async with Liar() as shop:
        report = await run_load(plan_for(shop.url, keepalive=True, rate=200))
        kept, shop.connections = shop.connections, 0
        await run_load(plan_for(shop.url, rate=200))
    assert kept == report.figures.connections < 25
    assert shop.connections == 50


async def test_a_kept_connection_that_died_unused_loses_nobody() -> None:
    """A server may close an idle connection: the next buyer opens a new one."""
    async with Liar(lambda _: "sell-and-close") as shop:
        report = await run_load(plan_for(shop.url, keepalive=True, rate=20, seconds=0.5))
    assert report.figures.confirmed == 10 == report.figures.connections
