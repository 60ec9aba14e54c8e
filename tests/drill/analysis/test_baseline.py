"""What a sale loses by itself: only what clearly exceeds that has another cause."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashsale.drill.analysis.attribution import LossCause, attribute
from flashsale.drill.analysis.baseline import SLACK, learn_baseline
from flashsale.drill.analysis.findings import list_findings
from flashsale.drill.analysis.verdict import Analysis, analyse
from flashsale.drill.report.drill_document import build_drill_document
from flashsale.drill.result import DrillResult
from flashsale.load.results import Loss
from tests.drill.drill_results import drill_result, healing, life, loss, phase, pod_kill, scaled

PHASES = [phase("before", 3, 0.0, 5.0), phase("kills", 3, 5.0, 25.0), phase("after", 3, 25.0, 30.0)]
KILL: dict[str, Any] = {
    "seconds": 30,
    "pods": [life("a", leaving=10.03, gone=14.0), life("x", seen=10.05, ready=13.0)],
    "kills": [pod_kill(1, "a", 10.0)],
    "healings": [healing("a", "x", died=10.02, ready=13.0, gone=14.0)],
    "phases": PHASES,
}


def steady(rate: int, kind: str = "timeout", began: int = 0, ended: int = 30) -> list[Loss]:
    """So many losses in every second."""
    return [
        loss(at + n / rate, at + n / rate + 5.0 if kind == "timeout" else None, kind)
        for at in range(began, ended)
        for n in range(rate)
    ]


def judged(losses: list[Loss], **more: Any) -> tuple[DrillResult, Analysis]:
    """The verdict on a drill with one kill at 10 s, unless more is given."""
    made = drill_result(**{**KILL, **more}, losses=sorted(losses, key=lambda one: one.at_seconds))
    return made, analyse(made)


@pytest.mark.parametrize("kind", ["timeout", "reset", "refused"])
def test_a_sale_that_always_loses_as_many_loses_them_by_itself(kind: str) -> None:
    """No kill is the cause of what the calm before it lost just as often."""
    made, found = judged(steady(10, kind))
    findings = list_findings(made, found)
    assert found.costs == {}
    assert (found.baseline, found.unexplained) == (300, 0)
    assert any(sentence.startswith("All 300 losses are in the baseline") for sentence in findings)
    assert not any("kill 1 cost" in sentence for sentence in findings)


def test_what_a_kill_costs_on_top_is_blamed_on_it() -> None:
    """In the same class, as far as it clearly exceeds the calm."""
    extra = [loss(10.2 + n / 1000, kind="reset") for n in range(100)]
    _, found = judged([*steady(3, "reset"), *extra])
    assert found.costs == {"kill 1": 103 - 3 * SLACK}
    assert found.unexplained == 0


def test_another_class_than_that_of_the_calm_is_a_kills() -> None:
    """Timeouts of an overload explain no reset."""
    resets = [loss(10.2 + n / 100) for n in range(7)]
    _, found = judged([*steady(60), *resets])
    assert found.costs == {"kill 1": 7}
    assert {
        attribution.loss.loss_class for attribution in found.attributions if attribution.cause
    } == {"reset"}


def test_a_clean_calm_changes_nothing() -> None:
    """Every loss in the window is the kill's, as without any calm."""
    losses = [loss(10.2 + n / 10) for n in range(20)]
    _, found = judged(losses)
    assert found.costs == {"kill 1": 20}
    assert judged(losses, phases=[])[1].costs == {"kill 1": 20}


def test_the_calm_with_as_many_pods_is_the_one_that_counts() -> None:
    """Three pods are too few, five are not: what a kill among five costs is its own."""
    more: dict[str, Any] = {
        "phases": [
            phase("before", 3, 0.0, 4.0),
            phase("scaling", 5, 4.0, 6.0),
            phase("scaled", 5, 6.0, 9.9),
            phase("kills", 5, 9.9, 25.0),
        ],
        "scalings": [scaled(3, 5, 4.0, 2.0)],
    }
    overload = steady(20, "refused", 0, 6)
    _, found = judged([*overload, *steady(20, "refused", 10, 14)], **more)
    assert found.costs == {"kill 1": 80}
    assert found.baseline == len(overload)


def test_a_calm_second_that_a_crash_touches_does_not_count() -> None:
    """Or one crash in the calm would excuse every kill."""
    crash = healing("b", "b", died=2.0, ready=4.0, gone=None, cause="crashed")
    crashed = [loss(2.1 + n / 100, kind="refused") for n in range(50)]
    killed = [loss(10.2 + n / 100, kind="refused") for n in range(50)]
    more = {"healings": [*KILL["healings"], crash], "pods": [*KILL["pods"], life("b")]}
    _, found = judged([*crashed, *killed], **more)
    assert found.costs == {"a crash": 50, "kill 1": 50}


def test_half_a_second_of_calm_counts_as_a_rate() -> None:
    """Five in half a second are ten in a whole one."""
    made = drill_result(phases=[phase("before", 3, 0.0, 0.5)], losses=steady(10, "reset", 0, 1))
    assert learn_baseline(made, [])(20.0, "reset") == 10 * SLACK


def test_the_report_says_whose_those_losses_are() -> None:
    """They have no cause, but a reason, and are not called unexplained."""
    made, found = judged(steady(10))
    document = build_drill_document(made, found)
    assert document["attribution"]["baseline"] == 300
    assert document["attribution"]["explained"] == document["attribution"]["unexplained"] == 0
    assert {(loss_row["cause"], loss_row["why"]) for loss_row in document["losses"]} == {
        (None, "it loses about as many when nothing is done to it")
    }


@given(
    st.integers(1, 40),
    st.sampled_from(["timeout", "reset"]),
    st.integers(0, 2**16),
    st.floats(5.0, 20.0),
    st.floats(0.1, 8.0),
)
def test_no_kill_is_the_cause_of_a_steady_rate_whenever_it_comes(
    rate: int, kind: str, seed: int, began: float, lasted: float
) -> None:
    """Made ledgers: up to so many a second at random moments, most of them in the calm's last."""
    rng = Random(seed)
    losses = [loss(at + rng.random() * 0.98, None, kind) for at in range(30) for _ in range(rate)]
    made = drill_result(seconds=30, phases=PHASES, losses=losses)
    windows = [LossCause("kill", "kill 1", "a", began, began + lasted)]
    attributions = attribute(losses, windows, learn_baseline(made, windows))
    assert not any(attribution.cause for attribution in attributions)
    assert all(attribution.baseline for attribution in attributions)


@given(st.integers(0, 30), st.integers(0, 300), st.integers(0, 2**16))
def test_every_loss_is_counted_once_and_no_kill_gets_more_than_it_cost(
    rate: int, extra: int, seed: int
) -> None:
    """Made ledgers with a kill on top: what a kill cost is never more than what came on top."""
    rng = Random(seed)
    usual_ones = [loss(at + rng.random() * 0.98) for at in range(30) for _ in range(rate)]
    on_top = [loss(10.0 + rng.random() * 0.98) for _ in range(extra)]
    _, found = judged([*usual_ones, *on_top])
    assert len(found.attributions) == rate * 30 + extra
    cost = found.costs["kill 1"]
    assert found.baseline + found.unexplained + cost == len(found.attributions)
    assert max(0, extra - 2 * SLACK * rate) <= cost <= extra
