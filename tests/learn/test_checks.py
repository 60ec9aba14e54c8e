"""Every check of the course: red before the deed, green after it, and nothing else makes it so."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from flashsale.learn.course import OWN, unsound
from flashsale.learn.facts import Facts
from flashsale.learn.step import GOAL_LINES, Step
from tests.learn.facts import QUICK, THREE, after_the_deed, begun, drill, killed, sale

NOTHING = Facts("closed", "No sale is open here.")
STEPS = pytest.mark.parametrize("step", OWN, ids=lambda step: step.name)


def before(step: Step) -> Facts:
    """What there is when a step begins."""
    return NOTHING if step.name == "open" else sale()


@STEPS
def test_every_check_is_red_before_the_deed(step: Step) -> None:
    """On the sale as it is when the step begins, whatever happened to it earlier."""
    facts = before(step)
    if step.name == "open":
        assert not any(seen.holds for seen in step.look(facts))
        return
    happened = [after_the_deed()["buy"], after_the_deed()["scale"], after_the_deed()["crash"]]
    for earlier in (facts, *happened, sale(drills=(drill(pre_stop=False), drill(pre_stop=True)))):
        assert not any(seen.holds for seen in step.look(earlier.since(begun(earlier))))


@STEPS
def test_every_check_is_green_after_the_deed(step: Step) -> None:
    """The last of them at least; those of earlier moments are kept by the course."""
    facts = after_the_deed()[step.name]
    start = begun(sale())
    looks = [seen.holds for seen in step.look(facts.since(start))]
    assert looks[-1]
    assert all(looks) or step.name == "close"


def test_all_pods_replaced_is_green_while_the_sale_is_open() -> None:
    """The first check of `close`: before the ReplicaSet is deleted, and not for two of three."""
    step = next(step for step in OWN if step.name == "close")
    names = [pod.name for pod in sale().own]
    start = begun(sale())
    assert step.look(killed(*names).since(start))[0].holds
    assert not step.look(killed(*names[:2]).since(start))[0].holds


@STEPS
def test_no_check_holds_without_a_cluster(step: Step) -> None:
    """What cannot be seen does not count, but for the end of the sale and drills that are over."""
    looks = step.look(NOTHING)
    assert [seen.holds for seen in looks] == [False] * (len(looks) - (step.name == "close")) + (
        [True] if step.name == "close" else []
    )


@pytest.mark.parametrize(
    ("done", "other"),
    [(a, b) for a, b in product(("kill", "scale", "crash", "labels", "buy"), repeat=2) if a != b],
)
def test_one_deed_does_not_pass_for_another(done: str, other: str) -> None:
    """Killing is not scaling, and a crash is neither."""
    step = next(step for step in OWN if step.name == other)
    looks = step.look(after_the_deed()[done].since(begun(sale())))
    assert not all(seen.holds for seen in looks)


@STEPS
def test_reveals_name_what_happened(step: Step) -> None:
    """No brace is left, and real names and figures are in it."""
    facts = after_the_deed()[step.name].since(begun(sale()))
    lines = [line for line in step.reveal(facts) if line]
    assert lines
    assert not any("{" in line for line in lines if "preStop" not in line)
    if step.name == "kill":
        assert "flashsale-rs-aaaaz was ready after 5.0 s" in " ".join(lines)


@STEPS
def test_every_step_is_sound_and_fits_80_columns(step: Step) -> None:
    """What a teacher's step has to be; and no line of its goal is broken twice."""
    assert unsound(step) == ""
    assert len(step.goal.splitlines()) <= GOAL_LINES
    assert all(len(line) <= 84 for line in step.goal.splitlines())
    assert len(step.prediction.choices) == 3


def test_a_teachers_check_that_fails_is_red() -> None:
    """It says why, and the course goes on."""

    def fails(facts: Facts) -> None:
        raise RuntimeError("no such thing")

    check = replace(OWN[0].checks[0], look=fails)  # type: ignore[arg-type]
    seen = replace(OWN[0], checks=(check,)).look(NOTHING)
    assert not seen[0].holds
    assert "RuntimeError: no such thing" in seen[0].text


def test_pods_that_the_replicaset_removed_need_not_be_killed() -> None:
    """Whoever scales down in the last step is not stuck."""
    close = next(step for step in OWN if step.name == "close")
    scaled = replace(killed(THREE[0]), before=begun(sale()))
    left = [pod for pod in scaled.pods if pod.name not in THREE[1:]]
    assert scaled.replicaset
    scaled.replicaset["spec"]["replicas"] = 1
    assert not close.checks[0].look(replace(scaled, pods=(*left, scaled.pods[0]))).holds
    assert close.checks[0].look(replace(scaled, pods=tuple(left))).holds


def test_a_probe_that_was_quick_before_the_step_needs_one_kill() -> None:
    """`up` had nothing to replace, so any death will do."""
    probe = next(step for step in OWN if step.name == "probe")
    slow = replace(killed(THREE[0], seconds=1.2, probe=QUICK), before=begun(sale()))
    assert not probe.checks[1].look(slow).holds
    containers = [{"name": "flashsale-container", "readinessProbe": QUICK}]
    for pod in slow.pods:
        pod.raw["spec"]["containers"] = containers
    assert probe.checks[1].look(slow).holds
    busy = replace(killed(THREE[0], seconds=3.3, probe=QUICK), before=begun(sale()))
    for pod in busy.pods:
        pod.raw["spec"]["containers"] = containers
    too_slow = probe.checks[1].look(busy)
    assert (too_slow.holds, too_slow.text) == (
        False,
        "flashsale-rs-aaaaz was ready after 3.3 s; kill another pod",
    )
