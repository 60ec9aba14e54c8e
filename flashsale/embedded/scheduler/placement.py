"""One scheduling decision: the nodes that fit, their scores, and the words where none fits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from flashsale.embedded.scheduler.filters import FILTERS
from flashsale.embedded.scheduler.node_rules import named_nodes
from flashsale.embedded.scheduler.scores import SCORES
from flashsale.embedded.scheduler.snapshot import NodeCheck, Rejection, Snapshot
from flashsale.objects.models import Object

UNNAMED = Rejection(("node(s) didn't satisfy plugin(s) [NodeAffinity]",), final=True)
NO_NODES = "no nodes available to schedule pods"


@dataclass(frozen=True, slots=True)
class Placement:
    """What the scheduler found for one pod."""

    scores: Mapping[str, Mapping[str, int]]  # weighted, by plugin, of each node that fits
    rejections: Mapping[str, Rejection] = field(default_factory=dict)  # by node
    refusal: str = ""  # why no node was even looked at
    nodes: int = 0

    def best(self) -> list[str]:
        """Return the nodes with the highest score; one of them is chosen at random."""
        totals = {name: sum(parts.values()) for name, parts in self.scores.items()}
        highest = max(totals.values(), default=0)
        return [name for name, total in totals.items() if total == highest]

    def message(self, outlook: str = "") -> str:
        """Word why no node fits, as FitError does.

        Args:
            outlook: what preemption says; nothing where others make way.
        """
        if not self.nodes:
            return NO_NODES
        reasons = [reason for it in self.rejections.values() for reason in it.reasons]
        why = f"{none_fits(self.nodes)} {self.refusal or count_reasons(reasons)}."
        return f"{why} no new claims to deallocate, preemption: {outlook}" if outlook else why


def place(pod: Object, snapshot: Snapshot) -> Placement:
    """Find the nodes for a pod; where only one fits, it is not scored."""
    named = named_nodes(pod)
    if named is not None and not named:
        return Placement({}, refusal="pod affinity terms conflict", nodes=len(snapshot.nodes))
    checks = _checks(pod, snapshot)
    rejections: dict[str, Rejection] = {}
    fitting: list[Object] = []
    for node in snapshot.nodes:
        name = node["metadata"]["name"]
        if named is not None and name not in named:
            rejections[name] = UNNAMED
            continue
        refused = next((rejection for check in checks if (rejection := check(node))), None)
        if refused:
            rejections[name] = refused
        else:
            fitting.append(node)
    scores: dict[str, dict[str, int]] = {node["metadata"]["name"]: {} for node in fitting}
    if len(fitting) > 1:
        for plugin, (weight, score) in SCORES.items():
            for name, points in (score(pod, snapshot, fitting) or {}).items():
                scores[name][plugin] = weight * points
    return Placement(scores, rejections, nodes=len(snapshot.nodes))


def find_rejection(pod: Object, snapshot: Snapshot, node: Object) -> Rejection | None:
    """Return why a node that preemption looks at refuses a pod; None if it does not."""
    return next((rejection for check in _checks(pod, snapshot) if (rejection := check(node))), None)


def none_fits(nodes: int) -> str:
    """Begin a sentence of why nothing fits."""
    return f"0/{nodes} nodes are available:"


def count_reasons(reasons: Iterable[str]) -> str:
    """Count the same reasons: `1 Insufficient cpu, 2 node(s) were unschedulable`."""
    return ", ".join(sorted(f"{count} {reason}" for reason, count in Counter(reasons).items()))


def _checks(pod: Object, snapshot: Snapshot) -> list[NodeCheck]:
    return [check for check in (make(pod, snapshot) for make in FILTERS) if check]
