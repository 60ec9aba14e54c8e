"""One scheduling decision: the nodes that fit, their scores, and the words where none fits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from flashsale.embedded.scheduler.filters import FILTERS
from flashsale.embedded.scheduler.node_rules import named_nodes
from flashsale.embedded.scheduler.scores import SCORES
from flashsale.embedded.scheduler.snapshot import Rejection, Snapshot
from flashsale.objects.models import Object

UNHELPFUL = "Preemption is not helpful for scheduling"
NO_VICTIMS = "No preemption victims found for incoming pod"
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

    def message(self) -> str:
        """Word why no node fits, as FitError and the default preemption do."""
        if not self.nodes:
            return NO_NODES
        reasons = Counter(one for it in self.rejections.values() for one in it.reasons)
        outlooks = Counter(
            UNHELPFUL if one.final else NO_VICTIMS for one in self.rejections.values()
        )
        if self.refusal:
            outlooks = Counter({UNHELPFUL: self.nodes})
        none = f"0/{self.nodes} nodes are available:"
        why = self.refusal or _listed(reasons)
        outlook = f"no new claims to deallocate, preemption: {none} {_listed(outlooks)}."
        return f"{none} {why}. {outlook}"


def place(pod: Object, snapshot: Snapshot) -> Placement:
    """Find the nodes for a pod; where only one fits, it is not scored."""
    named = named_nodes(pod)
    if named is not None and not named:
        return Placement({}, refusal="pod affinity terms conflict", nodes=len(snapshot.nodes))
    checks = [check for check in (make(pod, snapshot) for make in FILTERS) if check]
    rejections: dict[str, Rejection] = {}
    fitting: list[Object] = []
    for node in snapshot.nodes:
        name = node["metadata"]["name"]
        if named is not None and name not in named:
            rejections[name] = UNNAMED
            continue
        refused = next((found for check in checks if (found := check(node))), None)
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


def _listed(reasons: Mapping[str, int]) -> str:
    return ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))
