"""Close: delete all pods, then the ReplicaSet."""

from __future__ import annotations

from collections.abc import Sequence

from flashsale.base.text import counted
from flashsale.learn.facts import Facts
from flashsale.learn.step import Check, Prediction, Seen, Step
from flashsale.learn.wording import ready_after, replaced

DEATHS = ("deleted", "lost", "evicted")


def all_replaced(facts: Facts) -> Seen:
    """Every pod that was there has been deleted, and as many new ones are ready.

    One that the ReplicaSet removed meanwhile, or let go, cannot be asked for any more.
    """
    dead = [healing.victim for healing in replaced(facts, *DEATHS)]
    there = {*dead, *(pod.name for pod in (*facts.own, *facts.leaving))}
    before = [name for name in facts.before.pods if name in there]
    gone = [name for name in before if name in dead] if before else dead
    wanted = len(before) or facts.desired
    text = f"{len(gone)} of {counted(wanted, 'pod')} deleted and replaced"
    return Seen(0 < wanted <= len(gone) and facts.whole, text)


def closed(facts: Facts) -> Seen:
    if facts.state == "open":
        return Seen(False, f"the ReplicaSet still keeps {counted(facts.desired, 'pod')}")
    left = [pod for pod in facts.pods if pod.name in facts.evidence.created]
    return Seen(not left, facts.why or "no sale is open")


def reveal(facts: Facts) -> Sequence[str]:
    healings = replaced(facts, *DEATHS)
    lines = []
    if healings:
        slowest = max(map(ready_after, healings))
        lines.append(
            f"{counted(len(healings), 'pod')} died and came back, all within {slowest:.1f} s."
        )
    return [
        *lines,
        "Then the ReplicaSet went, and nothing came back: the wish itself was gone.",
        "That is the whole idea. You do not start pods; you state how many there should be.",
        "A controller compares the wish with what is there, and acts, for as long as the wish"
        " stands.",
        f"The cluster says so: {facts.why}" if facts.why else "",
    ]


STEP = Step(
    name="close",
    title="Close the sale",
    goal=(
        "The end of the sale. First delete all pods at once, as if the whole machine had\n"
        "failed, and wait. Then remove the ReplicaSet itself. Both delete pods; only one\n"
        "of them closes the sale."
    ),
    prediction=Prediction(
        "You delete all {before} pods at the same moment. How many are there 20 s later?",
        ("none", "1: the ReplicaSet starts again from one", "{before}, all of them new"),
        3,
    ),
    task=(
        "First the pods; when all are back, the whole sale:",
        "$ flashsale kill-pod --all",
        "$ flashsale down",
    ),
    checks=(
        Check("All pods were deleted, and all were replaced", all_replaced),
        Check("The ReplicaSet and its pods are gone", closed),
    ),
    hints=(
        "`flashsale kill-pod` has an option for all pods. `flashsale down` closes the sale.",
        "The option is --all. Wait until it has ended before you close the sale.",
    ),
    commands=("flashsale kill-pod --all", "flashsale down"),
    reveal=reveal,
)
