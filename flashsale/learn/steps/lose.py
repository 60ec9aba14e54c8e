"""Lose money: a drill with the manifest as taught, and one with the shipped one."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from flashsale.base.text import counted
from flashsale.drill.past_drills import PastDrill
from flashsale.learn.facts import Facts
from flashsale.learn.step import Check, Prediction, Seen, Step
from flashsale.objects.fields import part

DRILL = "flashsale drill --rate 200 --kills 2 --scale 4 --calm 2s"


def last_drill(facts: Facts, *, pre_stop: bool) -> PastDrill | None:
    """The newest drill with or without the hook, in which pods were killed."""
    drills = [drill for drill in facts.drills if drill.pre_stop is pre_stop and drill.kills]
    return drills[-1] if drills else None


def drilled_as_taught(facts: Facts) -> Seen:
    return _seen(last_drill(facts, pre_stop=False))


def drilled_as_shipped(facts: Facts) -> Seen:
    return _seen(last_drill(facts, pre_stop=True))


def _seen(drill: PastDrill | None) -> Seen:
    if drill is None:
        return Seen(False, "no such drill yet")
    return Seen(True, f"{drill.lost:,} of {counted(drill.sent, 'purchase')} lost")


def reveal(facts: Facts) -> Sequence[str]:
    taught, shipped = (last_drill(facts, pre_stop=with_pre_stop) for with_pre_stop in (False, True))
    if taught is None or shipped is None:
        return []
    lines = [
        f"As taught:  {_seen(taught).text}; {counted(taught.kills, 'kill')}.",
        f"As shipped: {_seen(shipped).text}; {counted(shipped.kills, 'kill')}.",
        "A deleted pod is told to stop at the same moment as the Service is told to send it no more"
        " buyers. A buyer who comes in between is lost.",
        "The preStop hook lets the pod go on selling for 5 s first, until nobody is sent to it.",
    ]
    if not taught.lost:
        lines.append("This time the race went well without it. It does not always: drill again.")
    hook = part(facts.container, "lifecycle", "preStop")
    written = yaml.safe_dump(
        {"preStop": hook}, default_flow_style=True, sort_keys=False, width=float("inf")
    ).strip()[1:-1]
    return [*lines, f"kubectl says so: get rs -o yaml: {written}"] if hook else lines


STEP = Step(
    name="lose",
    title="Lose money, or not",
    goal=(
        "Is anything lost while pods die? `flashsale drill` sends buyers, kills pods, and\n"
        "counts. The exercise's own manifest has no preStop hook; the one that flashsale\n"
        "ships has one. Run a drill on both. Each takes about half a minute."
    ),
    prediction=Prediction(
        "What does a preStop hook of 5 seconds do when a pod is deleted?",
        (
            "the pod stops 5 s sooner",
            "the pod goes on selling for 5 s, then stops",
            "the replacement starts 5 s later",
        ),
        2,
    ),
    task=(
        "First as taught, then with your own manifest, which has the hook:",
        "$ flashsale manifest --as-taught > taught.yaml",
        "$ flashsale up --manifest taught.yaml",
        f"$ {DRILL}",
        "$ flashsale up {folder}",
        "And the same drill again.",
    ),
    checks=(
        Check("A drill on pods without a preStop hook", drilled_as_taught),
        Check("A drill on pods with a preStop hook", drilled_as_shipped),
    ),
    hints=(
        "`flashsale up --manifest FILE` changes the manifest; then comes a drill.",
        "`flashsale manifest --as-taught` prints the manifest without the hook.",
    ),
    commands=(
        "flashsale manifest --as-taught > taught.yaml",
        "flashsale up --manifest taught.yaml",
        DRILL,
        "[ -d {folder} ] || flashsale init {folder}",
        "flashsale up {folder}",
        DRILL,
    ),
    reveal=reveal,
)
