"""Scale up and down: which pods go?"""

from __future__ import annotations

from collections.abc import Sequence

from flashsale.base.text import counted
from flashsale.learn.facts import Facts
from flashsale.learn.step import Check, Prediction, Seen, Step
from flashsale.learn.wording import names


def added(facts: Facts) -> list[str]:
    """Pods that were made although none had died."""
    seen = facts.evidence
    first = 0 if facts.before.pods else facts.applied_replicas or 1  # whom nobody saw before
    extra = len(seen.created) - len(seen.healings) - first
    return sorted(seen.created)[-extra:] if extra > 0 else []


def scaled_up(facts: Facts) -> Seen:
    """More pods were made than had died."""
    count = len(added(facts))
    return Seen(count > 0, f"{counted(count, 'pod')} more, those not counted that replaced others")


def scaled_down(facts: Facts) -> Seen:
    """The ReplicaSet deleted pods of its own, after more had been made."""
    gone = sorted(facts.evidence.surplus)
    holds = bool(gone) and scaled_up(facts).holds and facts.whole
    return Seen(holds, f"deleted by the ReplicaSet: {names(gone)}")


def reveal(facts: Facts) -> Sequence[str]:
    gone = sorted(facts.evidence.surplus)
    young = [name for name in gone if name in facts.evidence.created]
    youngest = "The youngest went first: " if len(young) == len(gone) else "These went: "
    return [
        f"{youngest}{names(gone)}.",
        f"These stayed: {names([pod.name for pod in facts.own])}.",
        "A ReplicaSet first removes pods that are not ready, then those that are ready for the"
        " shortest time. Among pods of about the same age it takes any.",
        facts.quote("SuccessfulDelete", gone[-1]),
    ]


STEP = Step(
    name="scale",
    title="Scale up and down",
    goal=(
        "More buyers need more pods; fewer buyers need fewer. Scaling is one number,\n"
        "DESIRED. You will raise it by two, wait until the new pods are ready, and then\n"
        "lower it again. Nobody tells the ReplicaSet which pods to remove."
    ),
    prediction=Prediction(
        "You scale from {before} up by two, and down again. Which two pods go?",
        ("the two oldest", "the two youngest", "the two with the most purchases"),
        2,
    ),
    task=(
        "Up, and when that has ended, down again:",
        "$ flashsale scale {many}",
        "$ flashsale scale {before}",
    ),
    checks=(
        Check("More pods were made", scaled_up),
        Check("The ReplicaSet deleted the surplus", scaled_down),
    ),
    hints=(
        "It is one command, twice, with two numbers.",
        "`flashsale scale N`; kubectl has `scale rs flashsale-rs --replicas=N`.",
    ),
    commands=("flashsale scale {many}", "flashsale scale {before}"),
    reveal=reveal,
)
