"""The verdict: pass or fail, and sentences that say why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from flashsale.drill.analysis.findings import list_findings, summarize
from flashsale.drill.analysis.throughput import scaling_gain
from flashsale.drill.analysis.verdict import analyse
from flashsale.drill.history import Outage
from flashsale.drill.result import SkippedKill
from flashsale.drill.scenario import Scenario
from flashsale.load.results import Generator, Loss
from flashsale.sale.kill.kill_method import KillMethod
from tests.drill.analysis.test_throughput import part
from tests.drill.drill_results import (
    PLACE,
    START,
    drill_result,
    healing,
    life,
    loss,
    phase,
    pod_kill,
    scaled,
)

KILL: dict[str, Any] = {
    "pods": [life("a", leaving=10.03, gone=16.0), life("x", seen=10.05, ready=15.0)],
    "kills": [pod_kill(1, "a", 10.0)],
    "healings": [healing("a", "x", died=10.02, ready=15.0, gone=16.0)],
}


def findings(**wish: Any) -> str:
    """All findings about a drill."""
    made = drill_result(**wish)
    return "\n".join(list_findings(made, analyse(made)))


def test_a_drill_without_losses_passes() -> None:
    """And says what it went through."""
    judged = analyse(drill_result(**KILL))
    assert judged.verdict == "pass"
    assert judged.reason == "0 of 5,400 purchases lost in 1 kill."
    assert "Every purchase got its answer." in findings(**KILL)


def test_the_reason_names_only_what_was_done() -> None:
    """Kills, scalings, both, or that there was none."""
    once = [scaled(3, 5, 2.0, 1.5)]
    assert analyse(drill_result(scalings=once)).reason == "0 of 5,400 purchases lost in 1 scaling."
    assert analyse(drill_result()).reason == "0 of 5,400 purchases lost, without a kill."


def test_a_loss_fails_the_drill_unless_it_is_allowed() -> None:
    """`--max-lost` is how many."""
    lost = {**KILL, "losses": [loss(10.1), loss(10.2)]}
    assert analyse(drill_result(**lost)).verdict == "fail"
    assert analyse(drill_result(**lost, scenario=Scenario(max_lost=1))).verdict == "fail"
    assert analyse(drill_result(**lost, scenario=Scenario(max_lost=2))).verdict == "pass"


def test_losses_are_told_with_their_causes() -> None:
    """The costliest first, and the unexplained apart."""
    wish = {**KILL, "losses": [loss(10.1), loss(10.2), loss(41.0), loss(50.0)]}
    wish["scalings"] = [scaled(5, 3, 40.0, 0.1)]
    wish["pods"] = [*KILL["pods"], life("d", leaving=40.1, gone=45.0)]
    text = findings(**wish)
    assert "3 of 4 losses are explained: kill 1 cost 2, scaling from 5 to 3 cost 1." in text
    assert "1 of 4 losses is unexplained" in text


def test_losses_that_are_all_explained_are_told_so() -> None:
    """With the share of the run in which they would have been."""
    text = findings(**KILL, losses=[loss(10.1)])
    assert "The only loss is explained: kill 1 cost 1." in text
    assert "for 11.7 % of the run" in text  # 10.0 to 17.0 of 60 s


def test_uneven_shares_of_a_sale_that_fails_buyers_are_no_choice_of_the_service() -> None:
    """What a pod confirmed is then what it could, and a sentence says so."""
    answers = {at: {"a": 10, "b": 30, "c": 50} for at in range(60)}
    words = "Only confirmed purchases count"
    assert words in findings(answers=answers, losses=[loss(1 + n / 100) for n in range(600)])
    assert words not in findings(answers=answers)
    assert words not in findings(losses=[loss(1 + n / 100) for n in range(600)])


def test_losses_beyond_the_list_are_told() -> None:
    """They were counted, so they are named."""
    assert "7 more losses were counted" in findings(**KILL, losses=[loss(10.1)], unlisted=7)


def test_nothing_confirmed_is_no_pass() -> None:
    """A sale that rejects everybody lost nothing, and is worth nothing."""
    judged = analyse(drill_result(answers={0: {}}, rejected=50))
    assert judged.verdict == "inconclusive"
    assert judged.reason.startswith("None of 50 purchases was confirmed")


def test_a_drill_that_sent_nothing_claims_nothing() -> None:
    """Stopped before the first purchase: no loss, no share, and no praise."""
    made = drill_result(seconds=0, answers={0: {}}, ended="interrupted")
    judged = analyse(made)
    assert judged.reason == "The drill was stopped before its first purchase."
    assert list_findings(made, judged) == []


@pytest.mark.parametrize(
    ("kill_method", "manifest", "taught"),
    [
        (KillMethod(), "kind: ReplicaSet\n", True),
        (KillMethod(grace=10), "kind: ReplicaSet\n", True),
        (KillMethod(), "preStop: {sleep: {seconds: 5}}\n", False),
        (KillMethod(grace=0), "kind: ReplicaSet\n", False),
        (KillMethod(process=True), "kind: ReplicaSet\n", False),
    ],
)
def test_what_a_prestop_hook_would_have_saved_is_taught(
    kill_method: KillMethod, manifest: str, taught: bool
) -> None:
    """Where pods get a grace period, have no hook, and cost purchases: that is the lesson."""
    place = replace(PLACE, manifest=manifest)
    wish = {**KILL, "losses": [loss(10.1)], "kill_method": kill_method, "environment": place}
    assert ("The pods have no preStop hook" in findings(**wish)) is taught
    assert "preStop" not in findings(**KILL)


@pytest.mark.parametrize(("waited", "queued"), [(3.4, True), (0.3, False)])
def test_a_queue_longer_than_the_prestop_hook_is_named(waited: float, queued: bool) -> None:
    """A pod that stops drops who still waits in its queue, hook or not."""
    lost = replace(loss(10.1), ended_seconds=10.1 + waited)
    place = replace(PLACE, manifest="preStop: {sleep: {seconds: 1}}\n")
    made = drill_result(**KILL, losses=[lost], environment=place)
    why = summarize(made, analyse(made))[-1]
    assert ("buyers waited up to 3.4 s in a pod's queue" in why) is queued


@pytest.mark.parametrize("losses", [[], [loss(10.1)]])
def test_a_drill_that_ended_early_shows_nothing(losses: list[Loss]) -> None:
    """Whatever was lost until then: its reason is why it ended."""
    failed = analyse(
        drill_result(**KILL, losses=losses, ended="failed", error="3 of 5 pods are ready.")
    )
    assert failed.verdict == "inconclusive"
    assert failed.reason == "The drill ended early: 3 of 5 pods are ready."
    stopped = analyse(drill_result(**KILL, losses=losses, ended="interrupted"))
    assert stopped.verdict == "inconclusive"
    assert stopped.reason == "The drill was stopped before its end."


def test_a_drill_whose_kills_were_all_skipped_shows_nothing() -> None:
    """It killed nobody; one kill is enough to show something."""
    skipped = [SkippedKill(n, START + n, "no pod was ready") for n in (1, 2)]
    judged = analyse(drill_result(skipped=skipped))
    assert judged.verdict == "inconclusive"
    assert judged.reason == "All 2 kills were skipped: no pod was ready."
    assert analyse(drill_result(**KILL, skipped=skipped)).verdict == "pass"


def test_a_cluster_that_died_is_the_cause_of_what_was_lost_then() -> None:
    """From the last purchase before it was noticed to the end; no kill pays for that."""
    answers = {at: dict.fromkeys("abc", 30) for at in range(20)}
    losses = [loss(21 + n / 100, kind="refused") for n in range(50)]
    made = drill_result(
        **KILL,
        answers=answers,
        losses=losses,
        outages=[Outage(START + 15.0, START + 20.9)],
        ended="failed",
        error="The cluster stopped answering.",
    )
    judged = analyse(made)
    assert judged.costs == {"the cluster": 50}
    assert {attribution.cause.pod for attribution in judged.attributions if attribution.cause} == {
        "cluster"
    }
    assert "All 50 losses are explained: the cluster cost 50." in list_findings(made, judged)


def test_a_blip_of_the_api_server_costs_nobody_anything() -> None:
    """Its pods sell on meanwhile."""
    blip = [Outage(START + 20.0, START + 20.1, START + 20.4)]
    judged = analyse(drill_result(losses=[loss(20.2)], outages=blip))
    assert judged.unexplained == 1


def test_skipped_kills_say_why() -> None:
    """A drill that did less than it planned does not hide it."""
    assert "Kill 2 was skipped: no pod." in findings(
        skipped=[SkippedKill(2, START + 9.0, "no pod")]
    )


def test_healing_is_told_in_one_figure_or_two() -> None:
    """Half of the pods, and the slowest of them."""
    healings = [healing("a", "x", 10, 15), healing("b", "y", 20, 26), healing("c", "z", 30, 44)]
    text = findings(healings=healings)
    assert "3 pods were replaced, half of them within 6.0 s, all in 14.0 s." in text
    alike = [healing("a", "x", 10, 15), healing("b", "y", 20, 25.2), healing("c", "z", 30, 35)]
    assert "3 pods were replaced, each in about 5.0 s." in findings(healings=alike)
    assert "3 pods died without being killed by this drill." in text


def test_what_was_not_healed_in_the_end_is_told() -> None:
    """A drill that was stopped may leave a hole."""
    wound = replace(healing("a", "x", 10, 15), ready=None)
    assert "1 pod had no ready replacement" in findings(healings=[wound])


def test_an_overloaded_sale_is_told_before_any_cause() -> None:
    """What is lost then says little about kills."""
    answers = {at: {"a": 20, "b": 20, "c": 20} for at in range(60)}
    text = findings(answers=answers, phases=[phase("before", 3, 0.0, 5.0)])
    assert "overloaded before anything was done to it: it confirmed 60 of 90" in text
    assert "overloaded" not in findings(phases=[phase("before", 3, 0.0, 5.0)])


@pytest.mark.parametrize("busy", [0.3, 0.99])
def test_the_machine_is_named_where_it_is_the_limit(busy: float) -> None:
    """From its counters at the beginning and the end of the phase."""
    answers = {at: {"a": 20, "b": 20, "c": 20} for at in range(60)}
    phases = [phase("before", 3, 0.0, 5.0, busy), phase("scaled", 5, 9.0, 14.0, busy)]
    text = findings(answers=answers, phases=phases)
    assert "Scaling from 3 to 5 brought no throughput: 60 a second before, 60 after" in text
    assert ("its 2 cores were 99.0 % busy" in text) is (busy > 0.9)


def test_three_sentences_sum_a_drill_up() -> None:
    """What was done, what came of it, and why."""
    lost = {**KILL, "losses": [loss(10.1)], "kill_method": KillMethod(grace=0)}
    made = drill_result(**lost)
    assert summarize(made, analyse(made)) == [
        "90 purchases a second for 60.0 s, while the drill killed 1 pod. Each kill deletes a pod at"
        " once, without a grace period.",
        "1 of 5,401 purchases was lost; 1 pod was replaced in 5.0 s.",
        "The only loss is explained: kill 1 cost 1; without a grace period a pod drops the"
        " purchases it has.",
    ]


def test_gain_needs_both_calms() -> None:
    """No sentence where nothing was scaled."""
    assert list(scaling_gain([part("before", 3, 90.0)], 90.0, Generator(), 2)) == []
