"""What scaling brought: throughput, shorter waiting, or nothing, and then why."""

from __future__ import annotations

import pytest

from flashsale.drill.analysis.phases import PhaseFigures, measure_phases
from flashsale.drill.analysis.throughput import scaling_gain
from flashsale.drill.result import PhaseName
from flashsale.load.results import Generator
from tests.drill.drill_results import drill_result, loss, phase


def part(
    name: PhaseName,
    pods: int,
    rate: float | None,
    *,
    p99: float = 9.0,
    machine: float | None = None,
) -> PhaseFigures:
    """A phase of five seconds."""
    return PhaseFigures(name, pods, 0.0, 5.0, rate, 1.0, p99, 0, machine)


def gain_text(
    before: float | None, after: float | None, *, machine: float | None = None, busy: float = 0.2
) -> str:
    """The sentences about 3 and then 5 pods at 1,000 purchases a second."""
    measured = [
        part("before", 3, before, p99=80.0, machine=machine),
        part("scaled", 5, after, p99=20.0, machine=machine),
    ]
    return " ".join(scaling_gain(measured, 1000.0, Generator(busy=busy), 2))


def test_pods_that_keep_up_leave_the_pace_to_the_buyers() -> None:
    """In an open model more pods cannot sell more than is asked for; they shorten the waiting."""
    text = gain_text(1000.0, 998.0)
    assert text.startswith("3 pods kept up with 1000 purchases a second, and so did 5")
    assert "p99 went from 80.0 to 20.0 ms" in text


def test_more_throughput_is_told_in_times() -> None:
    """Beside how many times as many pods there are."""
    text = gain_text(600.0, 1000.0)
    assert (
        "raised throughput from 600 to 1,000 a second: 1.67 times as much with 1.67 times" in text
    )
    assert "limit" not in text


@pytest.mark.parametrize(
    ("machine", "busy", "limit"),
    [
        (0.99, 0.2, "The limit was this machine: its 2 cores were 99.0 % busy"),
        (0.5, 0.2, ""),
        (None, 0.2, ""),
        (0.99, 0.97, "The limit was the sending process, 97.0 % of a core busy"),
    ],
)
def test_no_more_throughput_names_the_limit_where_it_is_known(
    machine: float | None, busy: float, limit: str
) -> None:
    """The cores, the generator, or an honest silence."""
    text = gain_text(600.0, 610.0, machine=machine, busy=busy)
    assert "brought no throughput: 600 a second before, 610 after, of 1,000 asked for." in text
    assert limit in text
    assert ("limit" in text) is bool(limit)


def test_too_short_a_calm_is_not_compared() -> None:
    """Without a whole second there is no rate."""
    assert "too short to compare" in gain_text(None, 1000.0)


def test_phases_are_measured_in_whole_seconds_inside_them() -> None:
    """What begins or ends in a second does not blur its figures."""
    answers = {at: {"a": 100 + at} for at in range(10)}
    made = drill_result(
        seconds=10,
        answers=answers,
        losses=[loss(2.5), loss(7.0)],
        phases=[phase("before", 3, 0.2, 4.9, 0.5), phase("kills", 3, 4.9, 5.4)],
    )
    before, kills = measure_phases(made)
    assert before.confirmed_rate == pytest.approx((101 + 102 + 103) / 3)
    assert before.p99_ms == 7.0  # of seconds 1 to 3: 6, 7 and 8
    assert (before.lost, before.cpu) == (1, 0.5)
    assert (kills.confirmed_rate, kills.p99_ms, kills.cpu) == (None, None, None)
