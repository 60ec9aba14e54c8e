"""The scores of the default profile: each 0 to 100, then weighted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flashsale.embedded.scheduler.node_resources import balanced_allocation, least_allocated
from flashsale.embedded.scheduler.node_rules import (
    PREFERRED,
    node_affinity_of,
    term_matches,
    untolerated,
)
from flashsale.embedded.scheduler.pod_affinity import score_affinity
from flashsale.embedded.scheduler.snapshot import Score, Snapshot, normalized
from flashsale.embedded.scheduler.topology_spread import score_spread
from flashsale.objects.models import Object

MEBIBYTE = 1024 * 1024
SMALLEST, LARGEST = 23 * MEBIBYTE, 1000 * MEBIBYTE  # bytes of images that count, a container


def score_taints(pod: Object, snapshot: Snapshot, nodes: Sequence[Object]) -> Mapping[str, int]:
    """Score how few taints ask for the pod to go elsewhere."""
    counts = {n["metadata"]["name"]: len(untolerated(pod, n, ("PreferNoSchedule",))) for n in nodes}
    return normalized(counts, reverse=True)


def score_node_affinity(
    pod: Object, snapshot: Snapshot, nodes: Sequence[Object]
) -> Mapping[str, int] | None:
    """Score the preferred node affinity."""
    terms = node_affinity_of(pod).get(PREFERRED) or []
    if not terms:
        return None
    return normalized(
        {
            node["metadata"]["name"]: sum(
                term["weight"] for term in terms if term_matches(term["preference"], node)
            )
            for node in nodes
        }
    )


def score_images(pod: Object, snapshot: Snapshot, nodes: Sequence[Object]) -> Mapping[str, int]:
    """Score the bytes of the pod's images that are there, less what only few nodes have."""
    spec = pod["spec"]
    containers = [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]
    wanted = [_tagged(container.get("image", "")) for container in containers]
    there = {node["metadata"]["name"]: _images(node) for node in snapshot.nodes}
    most = LARGEST * len(containers)
    scores = {}
    for node in nodes:
        own = there[node["metadata"]["name"]]
        total = sum(
            int(own[name] * (sum(name in images for images in there.values()) / len(there)))
            for name in wanted
            if name in own
        )
        scores[node["metadata"]["name"]] = (
            100 * (min(max(total, SMALLEST), most) - SMALLEST) // (most - SMALLEST)
        )
    return scores


def _images(node: Object) -> dict[str, int]:
    listed = (node.get("status") or {}).get("images") or []
    return {
        name: image.get("sizeBytes", 0) for image in listed for name in image.get("names") or []
    }


def _tagged(name: str) -> str:
    return name if name.rfind(":") > name.rfind("/") else f"{name}:latest"


SCORES: Mapping[str, tuple[int, Score]] = {
    "TaintToleration": (3, score_taints),
    "NodeAffinity": (2, score_node_affinity),
    "NodeResourcesFit": (1, least_allocated),
    "PodTopologySpread": (2, score_spread),
    "InterPodAffinity": (2, score_affinity),
    "NodeResourcesBalancedAllocation": (1, balanced_allocation),
    "ImageLocality": (1, score_images),
}
