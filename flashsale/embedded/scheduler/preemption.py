"""Which pods give way to a more important one (plugins/defaultpreemption, framework/preemption)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from flashsale.embedded.scheduler.placement import count_reasons, find_rejection, none_fits
from flashsale.embedded.scheduler.snapshot import Rejection, Snapshot
from flashsale.embedded.selectors.label_selectors import from_label_selector
from flashsale.objects.models import Object, timestamp

UNHELPFUL = "Preemption is not helpful for scheduling"
NO_VICTIMS = "No preemption victims found for incoming pod"
NEVER = "not eligible due to preemptionPolicy=Never."
UNDER_WAY = "not eligible due to a terminating pod on the nominated node."


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node, and the pods that have to leave it."""

    node: str
    victims: tuple[Object, ...]  # the most important first
    violations: int  # of PodDisruptionBudgets


@dataclass(frozen=True, slots=True)
class Preemption:
    """The node where a pod finds room, or by node why there is none."""

    chosen: Candidate | None = None
    outlooks: Mapping[str, Sequence[str]] | None = None  # reasons by node
    refusal: str = ""  # of the pod itself

    def outlook(self) -> str:
        """Word why nobody makes way; nothing where somebody does."""
        if self.refusal or self.chosen:
            return self.refusal
        by_node = self.outlooks or {}
        reasons = [reason for reasons in by_node.values() for reason in reasons]
        return f"{none_fits(len(by_node))} {count_reasons(reasons)}."


def find_preemption(
    pod: Object, snapshot: Snapshot, rejections: Mapping[str, Rejection], budgets: Sequence[Object]
) -> Preemption:
    """Find the node where the fewest and least important pods must leave for a pod.

    Args:
        rejections: why each node refused the pod.
    """
    if pod["spec"].get("preemptionPolicy") == "Never":
        return Preemption(refusal=NEVER)
    if _is_under_way(pod, snapshot):
        return Preemption(refusal=UNDER_WAY)
    candidates: list[Candidate] = []
    outlooks: dict[str, Sequence[str]] = {}
    for node in snapshot.nodes:
        name = node["metadata"]["name"]
        if name not in rejections or rejections[name].final:
            outlooks[name] = (UNHELPFUL,)
            continue
        victims = _victims(pod, snapshot, node, budgets)
        if isinstance(victims, Candidate):
            candidates.append(victims)
        else:
            outlooks[name] = victims
    if not candidates:
        return Preemption(outlooks=outlooks)
    return Preemption(min(candidates, key=_cost))


def pod_priority(pod: Object) -> int:
    return int(pod["spec"].get("priority") or 0)


def _is_under_way(pod: Object, snapshot: Snapshot) -> bool:
    """Whether less important pods are leaving the node that the pod was promised."""
    there = snapshot.pods.get((pod.get("status") or {}).get("nominatedNodeName", ""), ())
    return any(
        "deletionTimestamp" in other["metadata"] and pod_priority(other) < pod_priority(pod)
        for other in there
    )


def _victims(
    pod: Object, snapshot: Snapshot, node: Object, budgets: Sequence[Object]
) -> Candidate | Sequence[str]:
    """Return the pods that must leave a node, or why it would not help if they all did.

    All less important ones leave, then the important and the guarded come back while there is room.
    """
    here = snapshot.on(node)
    priority = pod_priority(pod)
    lower = sorted((other for other in here if pod_priority(other) < priority), key=_importance)
    if not lower:
        return (NO_VICTIMS,)
    name = node["metadata"]["name"]
    staying = [other for other in here if pod_priority(other) >= priority]

    def refused(pods: Sequence[Object]) -> Rejection | None:
        return find_rejection(pod, replace(snapshot, pods={**snapshot.pods, name: pods}), node)

    if refusal := refused(staying):
        return refusal.reasons
    guarded = _guarded(lower, budgets)
    victims, violations = [], 0
    for other in [*guarded, *(free for free in lower if free not in guarded)]:
        if refused([*staying, other]):
            victims.append(other)
            violations += other in guarded
        else:
            staying.append(other)
    return Candidate(name, tuple(sorted(victims, key=_importance)), violations)


def _guarded(pods: Sequence[Object], budgets: Sequence[Object]) -> list[Object]:
    """Return the pods whose eviction would be more than their budgets allow."""
    left = [int((budget.get("status") or {}).get("disruptionsAllowed", 0)) for budget in budgets]
    guarded = []
    for pod in pods:
        meta = pod["metadata"]
        violates = False
        for index, budget in enumerate(budgets):
            selector = from_label_selector((budget.get("spec") or {}).get("selector"))
            same = budget["metadata"]["namespace"] == meta["namespace"]
            if same and meta.get("labels") and selector.matches(meta["labels"]):
                left[index] -= 1
                violates = violates or left[index] < 0
        if violates:
            guarded.append(pod)
    return guarded


def _importance(pod: Object) -> tuple[int, float]:
    """Sort the most important first: by priority, then who runs longest."""
    return -pod_priority(pod), _started(pod)


def _started(pod: Object) -> float:
    started = (pod.get("status") or {}).get("startTime")
    return timestamp(started or pod["metadata"]["creationTimestamp"])


def _cost(candidate: Candidate) -> tuple[int, int, int, int, float]:
    """Sort the cheapest first, as pickOneNodeForPreemption does."""
    highest = pod_priority(candidate.victims[0])
    earliest = min(
        _started(victim) for victim in candidate.victims if pod_priority(victim) == highest
    )
    total = sum(pod_priority(victim) + 2**31 for victim in candidate.victims)
    return candidate.violations, highest, total, len(candidate.victims), -earliest
