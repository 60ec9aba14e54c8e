"""Pods spread over nodes and zones (plugins/podtopologyspread).

A pod that asks for nothing is spread over hosts and zones by the system's own two constraints, as
far as a Service or its ReplicaSet tells which pods are its like.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flashsale.embedded.scheduler.node_rules import is_wanted, untolerated
from flashsale.embedded.scheduler.pod_affinity import term_selector
from flashsale.embedded.scheduler.snapshot import HOSTNAME, ZONE, NodeCheck, Rejection, Snapshot
from flashsale.embedded.selectors.label_selectors import LabelSelector, from_label_selector
from flashsale.embedded.selectors.requirements import Requirement
from flashsale.objects.models import Object, labels_of

MISMATCH = "node(s) didn't match pod topology spread constraints"
DEFAULTS = ((HOSTNAME, 3), (ZONE, 5))
STRICT, SOFT = "DoNotSchedule", "ScheduleAnyway"


@dataclass(frozen=True, slots=True)
class Constraint:
    """One constraint, its selector read."""

    key: str
    max_skew: int
    selector: LabelSelector
    min_domains: int = 1
    affinity: bool = True  # count only nodes that the pod may be on by its node affinity
    taints: bool = False  # ... by its tolerations

    def counts_on(self, pod: Object, node: Object) -> bool:
        """Whether pods of a node are counted."""
        if self.affinity and not is_wanted(pod, node):
            return False
        return not (self.taints and untolerated(pod, node, ("NoSchedule", "NoExecute")))

    def matching(self, pod: Object, others: Sequence[Object]) -> int:
        """Count the pods that are the pod's like; those that leave are not."""
        if not (self.selector.requirements or self.selector.nothing):
            return 0
        return sum(
            self.selector.matches(labels_of(other))
            for other in others
            if other["metadata"].get("namespace") == pod["metadata"].get("namespace")
            and "deletionTimestamp" not in other["metadata"]
        )


def check_spread(pod: Object, snapshot: Snapshot) -> NodeCheck | None:
    """Prepare the filter of the strict constraints."""
    constraints = _own(pod, STRICT)
    if not constraints:
        return None
    counts = [_counted(constraint, constraints, pod, snapshot) for constraint in constraints]

    def check(node: Object) -> Rejection | None:
        for constraint, count in zip(constraints, counts, strict=True):
            place = labels_of(node).get(constraint.key)
            if place is None:
                return Rejection((f"{MISMATCH} (missing required label)",), final=True)
            least = min(count.values(), default=0) if len(count) >= constraint.min_domains else 0
            itself = constraint.selector.matches(labels_of(pod))
            if count[place] + itself - least > constraint.max_skew:
                return Rejection((MISMATCH,))
        return None

    return check


def score_spread(
    pod: Object, snapshot: Snapshot, nodes: Sequence[Object]
) -> Mapping[str, int] | None:
    """Score how few of the pod's like are near, by the constraints that are only wishes."""
    own_constraints = bool(pod["spec"].get("topologySpreadConstraints"))
    constraints = _own(pod, SOFT) if own_constraints else _defaults(pod, snapshot)
    if not constraints:
        return None
    counted = [n for n in nodes if not own_constraints or _has_all(constraints, n)]
    places = [
        _soft_counts(constraint, constraints, pod, snapshot, counted, own_constraints)
        for constraint in constraints
    ]
    raw = {node["metadata"]["name"]: 0.0 for node in counted}
    for constraint, count in zip(constraints, places, strict=True):
        size = len(counted) if constraint.key == HOSTNAME else len(count)
        for node in counted:
            if constraint.key in labels_of(node):
                here = (
                    constraint.matching(pod, snapshot.on(node))
                    if constraint.key == HOSTNAME
                    else count[labels_of(node)[constraint.key]]
                )
                raw[node["metadata"]["name"]] += here * math.log(size + 2) + constraint.max_skew - 1
    return _spread_out({name: math.floor(score + 0.5) for name, score in raw.items()}, nodes)


def _spread_out(scores: Mapping[str, int], nodes: Sequence[Object]) -> dict[str, int]:
    low, high = min(scores.values(), default=0), max(scores.values(), default=0)
    counts = dict.fromkeys((node["metadata"]["name"] for node in nodes), 0)
    for name, score in scores.items():
        counts[name] = 100 * (high + low - score) // high if high else 100
    return counts


def _counted(
    constraint: Constraint, constraints: Sequence[Constraint], pod: Object, snapshot: Snapshot
) -> Counter[str]:
    count: Counter[str] = Counter()
    for node in snapshot.nodes:
        if _has_all(constraints, node) and constraint.counts_on(pod, node):
            count[labels_of(node)[constraint.key]] += constraint.matching(pod, snapshot.on(node))
    return count


def _soft_counts(
    constraint: Constraint, constraints: Sequence[Constraint], pod: Object, snapshot: Snapshot,
    candidates: Sequence[Object], own_constraints: bool,
) -> Counter[str]:  # fmt: skip
    """Count by place, of those places that have a candidate; a missing label is a place, too."""
    count: Counter[str] = Counter(
        {labels_of(node).get(constraint.key, ""): 0 for node in candidates}
    )
    for node in snapshot.nodes:
        place = labels_of(node).get(constraint.key, "")
        known = place in count and (not own_constraints or _has_all(constraints, node))
        if known and constraint.counts_on(pod, node):
            count[place] += constraint.matching(pod, snapshot.on(node))
    return count


def _has_all(constraints: Sequence[Constraint], node: Object) -> bool:
    return all(constraint.key in labels_of(node) for constraint in constraints)


def _own(pod: Object, action: str) -> list[Constraint]:
    return [
        Constraint(
            raw["topologyKey"],
            raw["maxSkew"],
            term_selector(raw, pod),
            raw.get("minDomains") or 1,
            raw.get("nodeAffinityPolicy", "Honor") == "Honor",
            raw.get("nodeTaintsPolicy", "Ignore") == "Honor",
        )
        for raw in pod["spec"].get("topologySpreadConstraints") or []
        if raw.get("whenUnsatisfiable") == action
    ]


def _defaults(pod: Object, snapshot: Snapshot) -> list[Constraint]:
    """Return the system's constraints, over the pods of the same Services and ReplicaSet."""
    selector = _alike(pod, snapshot)
    if not selector.requirements:
        return []
    return [Constraint(key, skew, selector) for key, skew in DEFAULTS]


def _alike(pod: Object, snapshot: Snapshot) -> LabelSelector:
    namespace, labels = pod["metadata"].get("namespace"), labels_of(pod)
    wanted: dict[str, str] = {}
    for service in snapshot.services:
        selector = (service.get("spec") or {}).get("selector")
        here = service["metadata"].get("namespace") == namespace
        if here and selector is not None and selector.items() <= labels.items():
            wanted |= selector
    requirements = tuple(Requirement(key, "=", (value,)) for key, value in wanted.items())
    for owner in pod["metadata"].get("ownerReferences") or []:
        for replicaset in snapshot.replicasets:
            meta = replicaset["metadata"]
            same = (meta.get("namespace"), meta["name"]) == (namespace, owner.get("name"))
            if owner.get("controller") and owner.get("kind") == "ReplicaSet" and same:
                requirements += from_label_selector(replicaset["spec"].get("selector")).requirements
    return LabelSelector(requirements)
