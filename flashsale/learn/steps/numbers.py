"""Read DESIRED, CURRENT and READY."""

from __future__ import annotations

from collections.abc import Sequence

from flashsale.learn.facts import Facts
from flashsale.learn.step import Check, Prediction, Seen, Step


def wanted_more(facts: Facts) -> Seen:
    """More pods are wanted than before, or than the manifest that was applied says."""
    before = facts.before.desired
    before = facts.applied_replicas or 3 if before is None else before
    return Seen(facts.desired > before, f"DESIRED is {facts.desired}; it was {before}")


def caught_up(facts: Facts) -> Seen:
    numbers = facts.numbers
    if numbers is None:
        return Seen(False, facts.why)
    text = f"DESIRED {numbers.desired}  CURRENT {numbers.current}  READY {numbers.ready}"
    raised = wanted_more(facts).holds
    return Seen(raised and numbers.desired == numbers.current == numbers.ready, text)


def reveal(facts: Facts) -> Sequence[str]:
    counts, lines = facts.evidence.counts, []
    wanted = facts.desired
    asked_at = next((count.at for count in counts if count.desired == wanted), None)
    for name in ("current", "ready"):
        when = next((count.at for count in counts if getattr(count, name) >= wanted), None)
        if asked_at is not None and when is not None:
            word = name.upper()
            lines.append(f"{word} followed {max(0.0, when - asked_at):.1f} s after DESIRED.")
    new = [pod for pod in facts.own if pod.name in facts.evidence.created]
    return [
        "DESIRED is the wish. CURRENT counts the pods that exist. READY counts those that sell.",
        *lines,
        "The ReplicaSet does one thing, over and over: it makes CURRENT equal to DESIRED.",
        facts.quote("SuccessfulCreate", new[-1].name if new else "Created pod"),
    ]


STEP = Step(
    name="numbers",
    title="Read DESIRED, CURRENT and READY",
    goal=(
        "`flashsale status` prints what `kubectl get rs,pods,svc` prints. A ReplicaSet has\n"
        "three numbers there. You will raise the first one without waiting, and look at\n"
        "once: the numbers part for a few seconds, and that shows what each one means."
    ),
    prediction=Prediction(
        "You ask for {after} pods instead of {before}. Which number is the last to say {after}?",
        ("DESIRED", "CURRENT", "READY"),
        3,
    ),
    task=(
        "Ask for one pod more, and look at once; then look again after some seconds:",
        "$ flashsale scale {after} --no-wait",
        "$ flashsale status",
        "To use kubectl, type this first: export KUBECONFIG=$(flashsale kubeconfig)",
    ),
    checks=(
        Check("More pods are wanted than before", wanted_more),
        Check("All three numbers are the same again", caught_up),
    ),
    hints=(
        "One command changes how many pods are wanted. Tell it not to wait.",
        "`flashsale scale N --no-wait` sets DESIRED; kubectl has `scale rs flashsale-rs`.",
    ),
    commands=("flashsale scale {after} --no-wait", "flashsale status"),
    reveal=reveal,
)
