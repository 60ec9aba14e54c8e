"""Schedules, percentiles and shares: pure arithmetic, checked against the exact thing."""

from __future__ import annotations

import json
from itertools import pairwise
from math import ceil
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashsale.base.errors import BadInputError
from flashsale.load.machine_limits import own_limits, workers_for
from flashsale.load.plan import LoadPlan
from flashsale.load.results import Figures, Quantiles, Report
from flashsale.load.shares import came_and_went, chi_square_tail, judge_shares, uniformity
from flashsale.load.totals import Ledger
from flashsale.load.worker.counts import MOST_PODS, Tally
from flashsale.load.worker.histogram import LONGEST, bucket, middle, percentiles
from flashsale.load.worker.orders import LoadTarget
from flashsale.load.worker.schedule import schedule

SHARES = (0.5, 0.9, 0.99, 1.0)


def counted(values: list[int]) -> dict[int, int]:
    """Put values into a histogram."""
    counts: dict[int, int] = {}
    for value in values:
        counts[bucket(value)] = counts.get(bucket(value), 0) + 1
    return counts


@given(st.lists(st.integers(0, LONGEST), min_size=1, max_size=300))
def test_percentiles_are_within_half_a_percent_of_the_exact_ones(values: list[int]) -> None:
    """The exact p-th percentile is the value that a share p of all does not exceed."""
    exact = [sorted(values)[ceil(share * len(values)) - 1] for share in SHARES]
    found = percentiles(counted(values), SHARES)
    assert found == pytest.approx(exact, rel=0.004, abs=0.5)


@given(st.integers(0, 10**12))
def test_buckets_are_in_order_and_bounded(value: int) -> None:
    """A longer duration never has a smaller bucket, and no duration a bucket past 3,400."""
    assert bucket(value) <= bucket(value + 1) <= bucket(value) + 1
    assert bucket(value) < 3400
    assert bucket(round(middle(bucket(value)))) == bucket(value)


def test_even_buyers_come_at_equal_distances() -> None:
    """Ten a second for half a second are five, a tenth of a second apart."""
    assert list(schedule("even", 10, 0.5, 0)) == [(n, n / 10) for n in range(5)]


def test_poisson_buyers_come_at_random_but_repeatably() -> None:
    """The same seed gives the same schedule, another one another, and the rate is about right."""
    plan = list(schedule("poisson", 1000, 5, seed=1))
    assert plan == list(schedule("poisson", 1000, 5, seed=1))
    assert plan != list(schedule("poisson", 1000, 5, seed=2))
    assert abs(len(plan) - 5000) < 300  # over four standard deviations
    gaps = [after[1] - before[1] for before, after in pairwise(plan)]
    assert sum(gap > 1 / 1000 for gap in gaps) / len(gaps) == pytest.approx(0.37, abs=0.03)


@given(st.sampled_from(["even", "poisson"]), st.integers(1, 5))
def test_workers_share_the_schedule_without_rest(arrivals: str, parts: int) -> None:
    """Together the parts are the whole plan, each purchase exactly once."""
    shared = [
        arrival
        for part in range(parts)
        for arrival in schedule(arrivals, 100, 1, 3, part, parts)  # type: ignore[arg-type]
    ]
    assert sorted(shared) == list(schedule(arrivals, 100, 1, 3))  # type: ignore[arg-type]


@pytest.mark.parametrize("figure", [0, -1, float("nan"), float("inf"), 1e9])
@pytest.mark.parametrize("name", ["rate", "seconds", "timeout"])
def test_a_plan_without_sense_is_refused(name: str, figure: float) -> None:
    """Neither nothing nor without end: load is bounded in count and time."""
    wishes: dict[str, Any] = {"rate": 10.0, "seconds": 1.0, "timeout": 1.0} | {name: figure}
    with pytest.raises(BadInputError):
        LoadPlan(LoadTarget("127.0.0.1", 80, "127.0.0.1"), **wishes)


@pytest.mark.parametrize(
    ("statistic", "freedom", "tail"),
    [(3.841, 1, 0.05), (5.991, 2, 0.05), (16.919, 9, 0.05), (10.828, 1, 0.001), (1600, 999, 0)],
)
def test_the_chi_square_tail_is_that_of_the_tables(
    statistic: float, freedom: int, tail: float
) -> None:
    """Printed tables give these to three figures."""
    assert chi_square_tail(statistic, freedom) == pytest.approx(tail, abs=2e-5)


def test_fair_picks_are_called_uneven_about_as_often_as_promised() -> None:
    """Of 400 fair runs, about half have a chance below one half, and none is called uneven."""
    random = Random(5)
    chances = []
    for _ in range(400):
        picks = [random.randrange(3) for _ in range(300)]
        shares = uniformity([{str(pod): picks.count(pod) for pod in range(3)}])
        assert shares is not None
        assert shares.chance is not None
        chances.append(shares.chance)
    assert sum(chance < 0.5 for chance in chances) / 400 == pytest.approx(0.5, abs=0.1)
    assert min(chances) > 0.001 / 2


def report(
    pods: dict[str, int], *, keepalive: bool = False, early: str = "", connections: int = 4
) -> Report:
    """Make a report of ten seconds; the pod named ``early`` served in the first of them only."""
    answers = {
        second: {pod: count // 10 for pod, count in pods.items() if pod != early}
        for second in range(10)
    }
    if early:
        answers[0][early] = pods[early]
    figures = Figures(sum(pods.values()), sum(pods.values()), connections=connections, pods=pods)
    return Report(figures, (), answers, {}, (), 0, 0.0, 0.0, keepalive=keepalive)


@pytest.mark.parametrize(
    ("run", "verdict"),
    [
        (report({"a": 330, "b": 350, "c": 320}), "even"),
        (report({"a": 500, "b": 300, "c": 200}), "uneven"),
        (report({"a": 900, "b": 100}, keepalive=True), "kept"),
        (report({"a": 500, "b": 300, "c": 100}, early="c"), "changed"),
        (report({"a": 3, "b": 1}), "few"),
        (report({"a": 300}), "one"),
        (report({"a": 300}, keepalive=True), "kept"),
        (report({"(unnamed)": 300}), "none"),
        (report({}), "none"),
    ],
)
def test_the_shares_get_the_verdict_they_deserve(run: Report, verdict: str) -> None:
    """Each verdict comes with a sentence."""
    judged = judge_shares(run)
    assert judged.verdict == verdict
    assert judged.text.endswith(".")


def test_one_kept_connection_is_one() -> None:
    """The words go with the number."""
    text = judge_shares(report({"a": 300}, keepalive=True, connections=1)).text
    assert text.startswith("300 purchases went over 1 kept connection: ")


def test_a_refused_figure_is_repeated_in_digits() -> None:
    """Not as 1e+09, and without a point that nobody typed."""
    with pytest.raises(BadInputError, match=r"not 1000000000\.$"):
        LoadPlan(LoadTarget("127.0.0.1", 80, "127.0.0.1"), rate=1e9, seconds=1.0)


def test_a_pod_that_is_merely_rare_did_not_come_and_go() -> None:
    """Few purchases leave gaps by chance; only gaps past chance count as absence."""
    assert not came_and_went({0: {"a": 2}, 4: {"a": 2, "b": 2}, 9: {"a": 2}})
    steady = {second: {"a": 100} for second in range(10)}
    assert came_and_went(steady | {9: {"a": 100, "b": 100}})


def test_a_tally_survives_the_wire() -> None:
    """Merged through JSON, a worker's counts give the same figures as merged directly."""
    straight, wired = Ledger(), Ledger()
    for round_ in range(3):
        tally = Tally()
        tally.started(round_, round_ + 0.02)
        tally.answered(round_, round_ + 0.5, 200, rejection="", pod="a")
        tally.lost(round_, round_ + 2, "reset")
        tally.not_sent("ports")
        message = tally.take()
        wired.add(json.loads(json.dumps(message)))
        straight.add(message)
    assert wired.figures() == straight.figures()
    figures = wired.figures()
    assert (figures.confirmed, figures.lost, figures.unsent, figures.late) == (3, 3, 3, 3)
    assert figures.latency_ms == Quantiles(500, 500, 500, 500)


def test_closing_seconds_changes_no_figure() -> None:
    """Closed early or late, with a straggler or without, the totals are the same."""
    left_open, closed = Ledger(), Ledger()
    for second in (0, 1, 2, 0):
        tally = Tally()
        tally.answered(second, second + 0.1 * (second + 1), 200, rejection="", pod="a")
        message = tally.take()
        left_open.add(message)
        closed.add(message)
        closed.close(before=second)
    assert closed.figures() == left_open.figures()
    rows = [ledger.report(started_monotonic=0, started_unix=0) for ledger in (left_open, closed)]
    assert [[row.confirmed for row in one.timeline] for one in rows] == [[2, 1, 1], [2, 1, 1]]


def test_invented_pod_names_do_not_fill_the_memory() -> None:
    """A server that names a new pod in every answer ends up with one line for all of them."""
    tally = Tally()
    for number in range(MOST_PODS + 50):
        tally.answered(0, 0.1, 200, rejection="", pod=f"pod-{number}")
    pods = tally.take()["answers"][0]
    assert len(pods) == MOST_PODS + 1
    assert pods["(unnamed)"] == 50


@pytest.mark.parametrize(
    ("rate", "keepalive", "cores", "workers"),
    [(100, False, 8, 1), (9000, False, 8, 3), (9000, True, 8, 1), (90_000, False, 4, 3)],
)
def test_the_rate_decides_how_many_processes_send(
    rate: float, keepalive: bool, cores: int, workers: int
) -> None:
    """One core is left to the sale."""
    assert workers_for(rate, keepalive=keepalive, cores=cores) == workers
    assert workers_for(rate, keepalive=keepalive, cores=1) == 1


def test_a_machine_that_kept_up_gets_no_warning() -> None:
    """Own limits are mentioned where there are any, each with what to do about it."""
    assert own_limits(Figures()) == []
