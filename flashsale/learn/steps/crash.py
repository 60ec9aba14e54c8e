"""Crash the process: a new name, or RESTARTS 1?"""

from __future__ import annotations

from collections.abc import Sequence

from flashsale.learn.facts import Facts
from flashsale.learn.step import Check, Prediction, Seen, Step


def restarted(facts: Facts) -> Seen:
    restarts = [
        f"{name}: {count} more" for name, count in sorted(facts.evidence.restarts.items()) if count
    ]
    return Seen(bool(restarts), f"RESTARTS {restarts[0]}" if restarts else "RESTARTS is as it was")


def same_pod(facts: Facts) -> Seen:
    """The pod of that name is still there, and ready."""
    back = [pod for pod in facts.ready if facts.evidence.restarts.get(pod.name)]
    if not back:
        return Seen(False, "no restarted pod is ready")
    return Seen(True, f"{back[-1].name} is ready, RESTARTS {back[-1].restarts}")


def reveal(facts: Facts) -> Sequence[str]:
    pod = next((pod for pod in facts.own if facts.evidence.restarts.get(pod.name)), None)
    name = pod.name if pod else "the pod"
    return [
        f"{name} kept its name and its address; RESTARTS says {pod.restarts if pod else 1}.",
        "A pod and the program in it are two things. When the program dies, the kubelet (the node's"
        " own agent) starts it again in the same pod.",
        "The ReplicaSet had nothing to do: it counts pods, and no pod was missing.",
        facts.quote("Started", name),
    ]


STEP = Step(
    name="crash",
    title="Crash the program",
    goal=(
        "Deleting a pod is one way to break things. Another one is that the program in it\n"
        "crashes. You will kill the program inside of a pod and leave the pod alone.\n"
        "Look at the columns NAME and RESTARTS before and after: flashsale status"
    ),
    prediction=Prediction(
        "The program in a pod is killed. What do you see a few seconds later?",
        ("a new pod with a new name", "the same pod, with RESTARTS one higher", "one pod less"),
        2,
    ),
    task=(
        "Kill the program in a random pod:",
        "$ flashsale kill-pod --process",
        "$ flashsale status",
    ),
    checks=(
        Check("RESTARTS of a pod went up", restarted),
        Check("The same pod is ready again", same_pod),
    ),
    hints=(
        "It is `flashsale kill-pod` with an option; its --help has it.",
        "The option is --process.",
    ),
    commands=("flashsale kill-pod --process", "flashsale status"),
    reveal=reveal,
)
