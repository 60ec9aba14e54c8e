"""One schedule cut into N, and N results put together again: nothing is lost, nothing is new."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from flashsale.load.plan import LoadPlan
from flashsale.load.results import Report
from flashsale.load.totals import Ledger
from flashsale.load.worker.counts import Tally
from flashsale.load.worker.orders import LoadTarget
from flashsale.load.worker.schedule import Arrivals, schedule

TARGET = LoadTarget("10.0.0.1", 80, "shop")
PODS = ("pod-a", "pod-b", "pod-c")


@given(
    st.sampled_from(["even", "poisson"]),
    st.floats(0.5, 2000),
    st.floats(0.01, 3),
    st.integers(0, 99),
    st.integers(1, 100),
)
def test_the_parts_of_a_schedule_are_the_whole(
    arrivals: Arrivals, rate: float, seconds: float, seed: int, parts: int
) -> None:
    """Every purchase is in exactly one part, at the very moment it has in the whole plan."""
    whole = list(schedule(arrivals, rate, seconds, seed))
    cut = [schedule(arrivals, rate, seconds, seed, part, parts) for part in range(parts)]
    assert sorted(arrival for part in cut for arrival in part) == whole


def test_50_000_a_second_over_20_workers_is_2_500_for_each() -> None:
    """The rate of a real sale can be planned; no worker has more than its share."""
    plan = LoadPlan(TARGET, rate=50_000, seconds=2)
    assert [plan.planned(2, part, 20) for part in range(20)] == [5000] * 20


Purchase = tuple[float, float, str, str]  # planned, ended, what became of it, the pod
purchases = st.lists(
    st.tuples(
        st.floats(0, 9.99),
        st.floats(0, 5),
        st.sampled_from(["confirmed", "rejected", "reset", "timeout", "unsent"]),
        st.sampled_from(PODS),
    ),
    max_size=200,
)


def book(tally: Tally, purchase: Purchase) -> None:
    """Count one purchase as a worker does."""
    planned, took, kind, pod = purchase
    if kind == "unsent":
        tally.not_sent("behind")
        return
    tally.started(planned, planned + took / 100)
    if kind in ("confirmed", "rejected"):
        rejection = "" if kind == "confirmed" else "HTTP 503"
        status = 200 if kind == "confirmed" else 503
        tally.answered(planned, planned + took, status, rejection=rejection, pod=pod)
    else:
        tally.lost(planned, planned + took, kind)  # type: ignore[arg-type]


def as_message(tally: Tally) -> dict[str, Any]:
    """Take a tally through the wire."""
    message: dict[str, Any] = json.loads(json.dumps(tally.take()))
    return message


def closed(ledger: Ledger) -> Report:
    """Close a ledger; what is only about who sent is left out."""
    report = ledger.report(started_monotonic=0, started_unix=0)
    figures = report.figures
    losses = sorted(report.losses, key=repr)
    alone = replace(figures.generator, workers=1)
    return replace(
        report, figures=replace(figures, generator=alone, workers=()), losses=tuple(losses)
    )


@given(purchases, st.integers(1, 100), st.integers(0, 2**32))
def test_any_split_of_a_run_gives_the_ledger_of_the_whole(
    run: list[Purchase], workers: int, seed: int
) -> None:
    """However purchases fall to workers, and however often these tell of them."""
    random = Random(seed)
    run.sort(key=lambda purchase: purchase[0] + purchase[1])  # each worker books them as they end
    whole, tally = Ledger(), Tally()
    for purchase in run:
        book(tally, purchase)
    whole.add(as_message(tally))
    split, tallies = Ledger(workers=workers), [Tally() for _ in range(workers)]
    for purchase in run:
        part = random.randrange(workers)
        book(tallies[part], purchase)
        if random.random() < 0.3:
            split.add(as_message(tallies[part]), part)
    for part in random.sample(range(workers), workers):
        split.add(as_message(tallies[part]), part)
    figures = split.figures()
    assert sum(worker.sent for worker in figures.workers) == figures.sent
    assert sum(worker.confirmed for worker in figures.workers) == figures.confirmed
    assert sum(worker.not_sent for worker in figures.workers) == figures.unsent
    assert closed(split) == closed(whole)


@given(purchases, st.integers(0, 50), st.integers(0, 50))
def test_a_worker_that_dies_leaves_every_planned_purchase_accounted_for(
    run: list[Purchase], under_way: int, missing: int
) -> None:
    """What it never told, and what it had under way, is not sent; the rest stays as it was."""
    tally, ledger = Tally(), Ledger(workers=2)
    for purchase in run:
        book(tally, purchase)
    for _ in range(under_way):
        tally.started(1.0, 1.0)
    ledger.add(as_message(tally), 1)
    before = ledger.figures()
    planned = len(run) + under_way + missing
    ledger.give_up(1, planned)
    figures = ledger.figures()
    assert figures.planned == planned
    assert figures.in_flight == 0
    assert figures.generator.unsent.get("worker", 0) == under_way + missing
    assert (figures.confirmed, figures.rejected, figures.lost) == (
        before.confirmed,
        before.rejected,
        before.lost,
    )
    assert figures.workers[1].not_sent == figures.unsent
