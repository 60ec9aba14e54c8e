"""Pods that want to be near others, or away from them (plugins/interpodaffinity)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from flashsale.embedded.scheduler.node_rules import PREFERRED, REQUIRED
from flashsale.embedded.scheduler.snapshot import NodeCheck, Rejection, Snapshot
from flashsale.embedded.selectors.label_selectors import LabelSelector, from_label_selector
from flashsale.embedded.selectors.requirements import Requirement
from flashsale.objects.models import Object, labels_of

AFFINITY = Rejection(("node(s) didn't match pod affinity rules",), final=True)
ANTI_AFFINITY = Rejection(("node(s) didn't match pod anti-affinity rules",))
OTHERS = Rejection(("node(s) didn't satisfy existing pods anti-affinity rules",))
NEAR, AWAY = "podAffinity", "podAntiAffinity"
Pair = tuple[str, str]  # a label of nodes and its value: one place


def check_affinity(pod: Object, snapshot: Snapshot) -> NodeCheck | None:
    """Prepare the filter: required terms of this pod, and anti-affinity of those that are there."""
    near, away = _required(pod, NEAR), _required(pod, AWAY)
    others = _counted(
        (node, term)
        for node, other in _everywhere(snapshot)
        for term in _required(other, AWAY)
        if _means(term, other, pod, snapshot)
    )
    if not (near or away or others):
        return None
    friends = _counted(
        (node, term)
        for node, other in _everywhere(snapshot)
        if near and all(_means(term, pod, other, snapshot) for term in near)
        for term in near
    )
    foes = _counted(
        (node, term)
        for node, other in _everywhere(snapshot)
        for term in away
        if _means(term, pod, other, snapshot)
    )
    first = not friends and all(_means(term, pod, pod, snapshot) for term in near)

    def check(node: Object) -> Rejection | None:
        labels = labels_of(node)
        if not all(_key(term) in labels for term in near):
            return AFFINITY
        if not (first or all(friends[_key(term), labels[_key(term)]] for term in near)):
            return AFFINITY
        if any(foes[_key(term), labels.get(_key(term), "")] for term in away):
            return ANTI_AFFINITY
        return OTHERS if any(others[pair] for pair in labels.items()) else None

    return check


def score_affinity(
    pod: Object, snapshot: Snapshot, nodes: Sequence[Object]
) -> Mapping[str, int] | None:
    """Score how near the pod would be to those it likes, and that like it."""
    places = _likings(pod, snapshot)
    if not places:
        return None
    sums = {
        node["metadata"]["name"]: sum(places[pair] for pair in labels_of(node).items())
        for node in nodes
    }
    low, high = min(sums.values()), max(sums.values())
    return {name: int(100 * ((total - low) / (high - low))) if high > low else 0
            for name, total in sums.items()}  # fmt: skip


def _likings(pod: Object, snapshot: Snapshot) -> Counter[Pair]:
    places: Counter[Pair] = Counter()
    own = [*_preferred(pod, NEAR, 1), *_preferred(pod, AWAY, -1)]
    for node, other in _everywhere(snapshot):
        terms = [(term, weight) for term, weight in own if _means(term, pod, other, snapshot)]
        theirs = [
            *((term, 1) for term in _required(other, NEAR)),
            *_preferred(other, NEAR, 1),
            *_preferred(other, AWAY, -1),
        ]
        terms += [(term, weight) for term, weight in theirs if _means(term, other, pod, snapshot)]
        for term, weight in terms:
            if _key(term) in labels_of(node):
                places[_key(term), labels_of(node)[_key(term)]] += weight
    return places


def _everywhere(snapshot: Snapshot) -> Iterable[tuple[Object, Object]]:
    return ((node, pod) for node in snapshot.nodes for pod in snapshot.on(node))


def _counted(terms: Iterable[tuple[Object, Object]]) -> Counter[Pair]:
    return Counter(
        (_key(term), labels_of(node)[_key(term)])
        for node, term in terms
        if _key(term) in labels_of(node)
    )


def _key(term: Object) -> str:
    key: str = term["topologyKey"]
    return key


def _required(pod: Object, kind: str) -> list[Object]:
    terms: list[Object] = _of_kind(pod, kind).get(REQUIRED) or []
    return terms


def _preferred(pod: Object, kind: str, sign: int) -> list[tuple[Object, int]]:
    terms = _of_kind(pod, kind).get(PREFERRED) or []
    return [(term["podAffinityTerm"], sign * term["weight"]) for term in terms]


def _of_kind(pod: Object, kind: str) -> Object:
    affinity: Object = (pod["spec"].get("affinity") or {}).get(kind) or {}
    return affinity


def _means(term: Object, owner: Object, other: Object, snapshot: Snapshot) -> bool:
    """Whether a term of a pod means another pod."""
    namespace = other["metadata"].get("namespace", "")
    named, chosen = term.get("namespaces") or [], term.get("namespaceSelector")
    if not named and chosen is None:
        named = [owner["metadata"].get("namespace", "")]
    if namespace not in named and not from_label_selector(chosen).matches(
        snapshot.namespaces.get(namespace, {})
    ):
        return False
    return term_selector(term, owner).matches(labels_of(other))


def term_selector(term: Object, owner: Object) -> LabelSelector:
    """Read the selector of a term, or of a spread constraint, with the keys that follow its pod.

    The API server merges the keys of a term into it, this does it once more.
    """
    selector = from_label_selector(term.get("labelSelector"))
    if selector.nothing:
        return selector
    labels = labels_of(owner)
    more = tuple(
        Requirement(key, operator, (labels[key],))
        for field, operator in (("matchLabelKeys", "in"), ("mismatchLabelKeys", "notin"))
        for key in term.get(field) or []
        if key in labels
    )
    return LabelSelector((*selector.requirements, *more))
