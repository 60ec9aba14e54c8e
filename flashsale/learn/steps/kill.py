"""Kill a pod: 2, 3 or 4 pods after 10 s?"""

from __future__ import annotations

from collections.abc import Sequence

from flashsale.learn.facts import Facts
from flashsale.learn.step import Check, Prediction, Seen, Step
from flashsale.learn.wording import healing_sentence, names, replaced


def pod_died(facts: Facts) -> Seen:
    """A pod was deleted, and not by the ReplicaSet itself."""
    deaths = [
        healing.victim
        for healing in facts.evidence.healings.values()
        if healing.cause != "released" and healing.replacement
    ]
    return Seen(bool(deaths), f"deleted: {names(deaths)}")


def pod_replaced(facts: Facts) -> Seen:
    healings = replaced(facts, "deleted", "lost", "evicted")
    if not healings:
        return Seen(False, "no dead pod has been replaced yet")
    healing = healings[-1]
    return Seen(facts.whole, f"{healing.replacement} replaced {healing.victim}")


def reveal(facts: Facts) -> Sequence[str]:
    healing = replaced(facts, "deleted", "lost", "evicted")[-1]
    return [
        healing_sentence(facts, healing),
        f"It is a new pod with a new name; nothing brought {healing.victim} back to life.",
        f"The ReplicaSet wants {facts.desired} pods and counted one less. So it made one.",
        "It saw that within milliseconds: it watches its pods all the time.",
        facts.quote("SuccessfulCreate", healing.replacement or ""),
    ]


STEP = Step(
    name="kill",
    title="Kill a pod",
    goal=(
        "Machines break and programs crash. You will delete a pod on purpose, and do nothing\n"
        "else. The ReplicaSet was asked for {pods}, and you do not change that number.\n"
        "To watch what happens, type this in another terminal: flashsale watch"
    ),
    prediction=Prediction(
        "There are {before} pods. You delete one. How many are there after 10 seconds?",
        ("{fewer} pods", "{before} pods", "{after} pods"),
        2,
    ),
    task=(
        "Delete any pod of the sale; one of these is enough:",
        "$ flashsale kill-pod",
        "$ {kubectl} delete pod {pod}",
    ),
    checks=(
        Check("A pod was deleted", pod_died),
        Check("Another pod is ready in its place", pod_replaced),
    ),
    hints=(
        "You do not need the pod's name: flashsale takes a random one.",
        "`flashsale kill-pod` deletes a pod and shows what replaces it.",
    ),
    commands=("flashsale kill-pod",),
    reveal=reveal,
)
