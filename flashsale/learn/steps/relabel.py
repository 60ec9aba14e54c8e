"""Labels: quarantine a pod, and adopt it back. The selector is the only bond."""

from __future__ import annotations

from collections.abc import Sequence

from flashsale.learn.facts import Facts
from flashsale.learn.step import Check, Prediction, Seen, Step
from flashsale.learn.wording import names


def in_quarantine(facts: Facts) -> Seen:
    """A pod of the ReplicaSet lives on without belonging to it, and was replaced."""
    pods = sorted(facts.evidence.released)
    replaced = [
        healing.replacement
        for healing in facts.evidence.healings.values()
        if healing.victim in pods
    ]
    if not pods:
        return Seen(False, "every pod has its label")
    replacement = names([pod for pod in replaced if pod and pod in facts.evidence.created])
    return Seen(replacement != "none", f"let go: {names(pods)}; in its place: {replacement}")


def adopted_back(facts: Facts) -> Seen:
    released = facts.evidence.released
    back = [pod.name for pod in facts.own if pod.name in released or pod.name in returned(facts)]
    if not released and not back:
        return Seen(False, "no pod was let go yet")
    return Seen(bool(back) and facts.whole, f"back in the ReplicaSet: {names(back)}")


def returned(facts: Facts) -> frozenset[str]:
    return facts.evidence.adopted


def reveal(facts: Facts) -> Sequence[str]:
    pod = next(iter(sorted(facts.evidence.released)), "the pod")
    gone = sorted(facts.evidence.surplus)
    lines = [
        f"Without its label {pod} ran on, but it had no owner and got no buyers.",
        "The ReplicaSet counted one pod too few and made another.",
        f"With the label back it adopted {pod}, counted one too many, and deleted {names(gone)}.",
        "So a sick pod can be looked at in peace while others sell.",
    ]
    return [*lines, facts.quote("SuccessfulDelete", gone[-1])] if gone else lines


STEP = Step(
    name="labels",
    title="Labels: the only bond",
    goal=(
        "How does the ReplicaSet know its pods? By their labels: its selector looks for\n"
        "{label}, and the Service does the same. Names do not matter. You will take\n"
        "the label off one pod, see what happens, and put it back."
    ),
    prediction=Prediction(
        "You remove the label {key} from a running pod. What happens to that pod?",
        (
            "it is deleted",
            "it runs on, alone, and another pod takes its place",
            "nothing: the ReplicaSet made it and keeps it",
        ),
        2,
    ),
    task=(
        "Take the label off; when a new pod is there, put it back on the same pod:",
        "$ flashsale label {pod} {key}-",
        "$ flashsale label {pod} {label}",
        "kubectl has the same: kubectl label pod ...",
    ),
    checks=(
        Check("A pod runs without the label, and was replaced", in_quarantine),
        Check("It has its label again, and belongs to the ReplicaSet", adopted_back),
    ),
    hints=(
        "A minus sign behind a label's key removes the label, in flashsale and in kubectl.",
        "`flashsale label POD {key}-` removes it, `flashsale label POD {label}` sets it.",
    ),
    commands=("flashsale label {pod} {key}-", "sleep 3", "flashsale label {pod} {label}"),
    reveal=reveal,
)
