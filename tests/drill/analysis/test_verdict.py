"""The verdict: pass or fail, and sentences that say why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from flashsale.drill.analysis.throughput import gain
from flashsale.drill.analysis.verdict import judge
from flashsale.drill.result import Skipped
from flashsale.drill.scenario import Scenario
from flashsale.load.results import Generator
from flashsale.sale.kill.kill_method import KillMethod
from tests.drill.analysis.test_throughput import part
from tests.drill.drill_results import (
    PLACE,
    START,
    healing,
    life,
    loss,
    outcome,
    phase,
    scaled,
    struck,
)

KILL: dict[str, Any] = {
    "lives": [life("a", leaving=10.03, gone=16.0), life("x", seen=10.05, ready=15.0)],
    "kills": [struck(1, "a", 10.0)],
    "healings": [healing("a", "x", died=10.02, ready=15.0, gone=16.0)],
}


def said(**wish: Any) -> str:
    """All sentences of a verdict."""
    return "\n".join(judge(outcome(**wish)).sentences)


def test_a_drill_without_losses_passes() -> None:
    """And says what it went through."""
    judged = judge(outcome(**KILL))
    assert judged.verdict == "pass"
    assert judged.headline == "0 of 5,400 purchases lost in 1 kill."
    assert "Every purchase got its answer." in judged.sentences


def test_the_headline_names_only_what_was_done() -> None:
    """Kills, scalings, both, or that there was none."""
    once = [scaled(3, 5, 2.0, 1.5)]
    assert judge(outcome(scalings=once)).headline == "0 of 5,400 purchases lost in 1 scaling."
    assert judge(outcome()).headline == "0 of 5,400 purchases lost, without a kill."


def test_a_loss_fails_the_drill_unless_it_is_allowed() -> None:
    """`--max-lost` is how many."""
    lost = {**KILL, "losses": [loss(10.1), loss(10.2)]}
    assert judge(outcome(**lost)).verdict == "fail"
    assert judge(outcome(**lost, scenario=Scenario(max_lost=1))).verdict == "fail"
    assert judge(outcome(**lost, scenario=Scenario(max_lost=2))).verdict == "pass"


def test_losses_are_told_with_what_they_are_blamed_on() -> None:
    """The costliest first, and the unexplained apart."""
    wish = {**KILL, "losses": [loss(10.1), loss(10.2), loss(41.0), loss(50.0)]}
    wish["scalings"] = [scaled(5, 3, 40.0, 0.1)]
    wish["lives"] = [*KILL["lives"], life("d", leaving=40.1, gone=45.0)]
    text = said(**wish)
    assert "3 of 4 losses are explained: kill 1 cost 2, scaling from 5 to 3 cost 1." in text
    assert "1 of 4 losses is unexplained" in text


def test_losses_that_are_all_explained_are_told_so() -> None:
    """With the share of the run in which they would have been."""
    text = said(**KILL, losses=[loss(10.1)])
    assert "The only loss is explained: kill 1 cost 1." in text
    assert "for 12% of the run" in text  # 10.0 to 17.0 of 60 s


def test_uneven_shares_of_a_sale_that_fails_buyers_are_no_choice_of_the_service() -> None:
    """What a pod confirmed is then what it could, and that is said."""
    answers = {at: {"a": 10, "b": 30, "c": 50} for at in range(60)}
    words = "Only confirmed purchases count"
    assert words in said(answers=answers, losses=[loss(1 + n / 100) for n in range(600)])
    assert words not in said(answers=answers)
    assert words not in said(losses=[loss(1 + n / 100) for n in range(600)])


def test_losses_beyond_the_list_are_told() -> None:
    """They were counted, so they are not kept quiet."""
    assert "7 more losses were counted" in said(**KILL, losses=[loss(10.1)], unlisted=7)


def test_nothing_confirmed_is_no_pass() -> None:
    """A sale that rejects everybody lost nothing, and is worth nothing."""
    judged = judge(outcome(answers={0: {}}, rejected=50))
    assert judged.verdict == "fail"
    assert judged.headline == "Not one of 50 purchases was confirmed."


def test_a_drill_that_sent_nothing_claims_nothing() -> None:
    """Stopped before the first purchase: no loss, no share, and no praise."""
    judged = judge(outcome(seconds=0, answers={0: {}}, ended="interrupted"))
    assert judged.headline == "No purchase was sent."
    assert judged.sentences == ("The drill was stopped before its end.",)


@pytest.mark.parametrize(
    ("blow", "manifest", "taught"),
    [
        (KillMethod(), "kind: ReplicaSet\n", True),
        (KillMethod(grace=10), "kind: ReplicaSet\n", True),
        (KillMethod(), "preStop: {sleep: {seconds: 5}}\n", False),
        (KillMethod(grace=0), "kind: ReplicaSet\n", False),
        (KillMethod(process=True), "kind: ReplicaSet\n", False),
    ],
)
def test_what_a_prestop_hook_would_have_saved_is_taught(
    blow: KillMethod, manifest: str, taught: bool
) -> None:
    """Where pods could say goodbye, have no hook, and cost purchases: that is the lesson."""
    place = replace(PLACE, manifest=manifest)
    wish = {**KILL, "losses": [loss(10.1)], "blow": blow, "place": place}
    assert ("The pods have no preStop hook" in said(**wish)) is taught
    assert "preStop" not in said(**KILL)


def test_a_drill_that_could_not_go_on_fails() -> None:
    """Whatever was lost until then; nor does one that was stopped pass, which says so."""
    failed = judge(outcome(**KILL, ended="failed", why="3 of 5 pods are ready."))
    assert failed.verdict == "fail"
    assert "The drill ended early: 3 of 5 pods are ready." in failed.sentences
    stopped = judge(outcome(**KILL, ended="interrupted"))
    assert stopped.verdict == "fail"
    assert "The drill was stopped before its end." in stopped.sentences


def test_skipped_kills_say_why() -> None:
    """A drill that did less than it planned does not hide it."""
    assert "Kill 2 was skipped: no pod." in said(skipped=[Skipped(2, START + 9.0, "no pod")])


def test_healing_is_told_as_median_and_worst() -> None:
    """Half of the pods, and the slowest of them."""
    healings = [healing("a", "x", 10, 15), healing("b", "y", 20, 26), healing("c", "z", 30, 44)]
    text = said(healings=healings)
    assert "3 deaths were healed, half of them within 6.00 s, the slowest in 14.00 s." in text
    assert "3 deaths came without any kill of ours." in text


def test_what_was_not_healed_in_the_end_is_told() -> None:
    """A drill that was stopped may leave a hole."""
    from dataclasses import replace

    wound = replace(healing("a", "x", 10, 15), ready=None)
    assert "1 pod had no ready replacement" in said(healings=[wound])


def test_an_overloaded_sale_is_told_before_anything_is_blamed() -> None:
    """What is lost then says little about kills."""
    answers = {at: {"a": 20, "b": 20, "c": 20} for at in range(60)}
    text = said(answers=answers, phases=[phase("before", 3, 0.0, 5.0)])
    assert "overloaded before anything was done to it: it confirmed 60 of 90" in text
    assert "overloaded" not in said(phases=[phase("before", 3, 0.0, 5.0)])


@pytest.mark.parametrize("busy", [0.3, 0.99])
def test_the_machine_is_named_where_it_is_the_limit(busy: float) -> None:
    """From its counters at the beginning and the end of the phase."""
    answers = {at: {"a": 20, "b": 20, "c": 20} for at in range(60)}
    phases = [phase("before", 3, 0.0, 5.0, busy), phase("scaled", 5, 9.0, 14.0, busy)]
    text = said(answers=answers, phases=phases)
    assert "Scaling from 3 to 5 brought no throughput: 60 a second before, 60 after" in text
    assert ("its 2 cores were 99% busy" in text) is (busy > 0.9)


def test_gain_needs_both_calms() -> None:
    """Nothing is said where nothing was scaled."""
    assert list(gain([part("before", 3, 90.0)], 90.0, Generator(), 2)) == []
