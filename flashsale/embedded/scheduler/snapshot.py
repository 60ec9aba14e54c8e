"""The cluster as one scheduling decision sees it, and the two shapes that every plugin has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from flashsale.objects.models import Object, has_ended

HOSTNAME, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Nodes, the pods on each, and what selectors of pods refer to."""

    nodes: Sequence[Object]
    pods: Mapping[str, Sequence[Object]]  # by the node that they are bound to; none that has ended
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # labels by name
    services: Sequence[Object] = ()
    replicasets: Sequence[Object] = ()

    def on(self, node: Object) -> Sequence[Object]:
        return self.pods.get(node["metadata"]["name"], ())


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a node is refused; ``final`` if it would be with fewer pods on it, too."""

    reasons: tuple[str, ...]
    final: bool = False


NodeCheck = Callable[[Object], Rejection | None]  # of one node
Filter = Callable[[Object, Snapshot], NodeCheck | None]  # of a pod; None: it has nothing to check
Score = Callable[[Object, Snapshot, Sequence[Object]], Mapping[str, int] | None]


def pods_by_node(pods: Iterable[Object]) -> dict[str, list[Object]]:
    """Sort pods to the nodes that they are bound to, leaving out those that have ended."""
    by_node: dict[str, list[Object]] = {}
    for pod in pods:
        node = pod["spec"].get("nodeName")
        if node and not has_ended(pod):
            by_node.setdefault(node, []).append(pod)
    return by_node


def normalized(scores: Mapping[str, int], *, reverse: bool = False) -> dict[str, int]:
    """Stretch scores to 0..100 of the highest; reversed, the highest becomes 0.

    After DefaultNormalizeScore in pkg/scheduler/framework/plugins/helper.
    """
    highest = max(scores.values(), default=0)
    if highest == 0:
        return dict.fromkeys(scores, 100) if reverse else dict(scores)
    parts = {name: 100 * score // highest for name, score in scores.items()}
    return {name: 100 - part for name, part in parts.items()} if reverse else parts
