"""What a ReplicaSet needs done: pure decisions (pkg/controller/replicaset, controller_utils.go).

Nothing here looks at a clock or a store. The controller's own memory of what it has asked for
("expectations" in Kubernetes) is not needed: reads here are never older than the last write.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cmp_to_key

from flashsale.embedded.controllers import owner_reference
from flashsale.embedded.selectors.label_selectors import from_label_selector
from flashsale.embedded.types.resources import REPLICA_SETS
from flashsale.objects.models import (
    Object,
    controller_uid,
    find_condition,
    has_ended,
    is_ready,
    labels_of,
    timestamp,
)

BURST = 500  # pods created or deleted in one go
COST = "controller.kubernetes.io/pod-deletion-cost"
PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


@dataclass(frozen=True, slots=True)
class Claim:
    """Which pods are whose."""

    owned: tuple[Object, ...]  # stay; terminating and ended ones among them
    adopt: tuple[Object, ...]
    release: tuple[Object, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """How many pods to create, and which to delete."""

    create: int
    delete: tuple[Object, ...]


def claim(replicaset: Object, pods: Sequence[Object]) -> Claim:
    """Sort the namespace's pods (ClaimObject in controller_ref_manager.go)."""
    uid = replicaset["metadata"]["uid"]
    selector = from_label_selector(replicaset["spec"]["selector"])
    deleting = "deletionTimestamp" in replicaset["metadata"]
    owned, adopt, release = [], [], []
    for pod in pods:
        owner = controller_uid(pod)
        matches = selector.matches(labels_of(pod))
        if owner == uid:
            if matches or deleting:
                owned.append(pod)
            else:
                release.append(pod)
        elif not owner and matches and not deleting and is_active(pod):
            adopt.append(pod)
    return Claim(tuple(owned), tuple(adopt), tuple(release))


def is_active(pod: Object) -> bool:
    """Whether a pod counts as a replica: neither ended nor terminating."""
    return not has_ended(pod) and "deletionTimestamp" not in pod["metadata"]


def plan(replicaset: Object, owned: Sequence[Object], *, now: float) -> Plan:
    """Compare the active pods with the wish; nothing is planned for one that is being deleted."""
    if "deletionTimestamp" in replicaset["metadata"]:
        return Plan(0, ())
    active = [pod for pod in owned if is_active(pod)]
    surplus = len(active) - replicaset["spec"].get("replicas", 1)
    if surplus <= 0:
        return Plan(min(-surplus, BURST), ())
    if surplus < len(active):
        active.sort(key=cmp_to_key(lambda first, other: before(first, other, now)))
    return Plan(0, tuple(active[: min(surplus, BURST)]))


def before(first: Object, other: Object, now: float) -> int:
    """Compare two pods: negative if the first is to be deleted first (ActivePodsWithRanks.Less).

    Times count on a log2 scale of nanoseconds, so pods of similar age are chosen by uid, which is
    random: the youngest of a crowd is not always the victim. Rule 5, pods on the same node, has no
    effect for a ReplicaSet without an owner.
    """
    for rule in (_is_assigned, _phase, is_ready, _cost):
        if difference := rule(first) - rule(other):
            return difference
    ready_one, ready_other = _ready_since(first), _ready_since(other)
    if ready_one and ready_other and ready_one != ready_other:
        return _younger(first, other, now - ready_one, now - ready_other)
    if _restarts(first) != _restarts(other):
        return _restarts(other) - _restarts(first)
    born_one, born_other = _born(first), _born(other)
    if born_one != born_other:
        return _younger(first, other, now - born_one, now - born_other)
    return 0


def _is_assigned(pod: Object) -> int:
    return bool(pod.get("spec", {}).get("nodeName"))


def _phase(pod: Object) -> int:
    return PHASES.get(pod.get("status", {}).get("phase", ""), 0)


def _ready_since(pod: Object) -> float:
    return _available_at(pod, 0) if is_ready(pod) else 0


def _restarts(pod: Object) -> int:
    statuses = pod.get("status", {}).get("containerStatuses") or []
    return max((container.get("restartCount", 0) for container in statuses), default=0)


def _born(pod: Object) -> float:
    return timestamp(pod["metadata"].get("creationTimestamp"))


def _younger(first: Object, other: Object, age_one: float, age_other: float) -> int:
    difference = _log2(age_one) - _log2(age_other)
    return difference or (-1 if first["metadata"]["uid"] < other["metadata"]["uid"] else 1)


def _cost(pod: Object) -> int:
    try:
        return int((pod["metadata"].get("annotations") or {}).get(COST, 0))
    except ValueError:
        return 0


def _log2(seconds: float) -> int:
    return int(math.log2(max(1.0, seconds * 1e9)))


def calculate_status(
    replicaset: Object, owned: Sequence[Object], *, now: float, failure: Object | None
) -> Object:
    """Compute the status from the pods as they were before the plan (calculateStatus).

    ``failure`` is the ReplicaFailure condition to show, if any.
    """
    spec = replicaset["spec"]
    active = [pod for pod in owned if is_active(pod)]
    labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    ready = [pod for pod in active if is_ready(pod)]
    wait = spec.get("minReadySeconds", 0)
    counts = {
        "fullyLabeledReplicas": sum(labels.items() <= labels_of(pod).items() for pod in active),
        "readyReplicas": len(ready),
        "availableReplicas": sum(_available_at(pod, wait) <= now for pod in ready),
    }
    result: Object = {"replicas": len(active)} | {k: n for k, n in counts.items() if n}
    result["terminatingReplicas"] = sum(not has_ended(pod) for pod in owned) - len(active)
    result["observedGeneration"] = replicaset["metadata"]["generation"]
    return result | ({"conditions": [failure]} if failure else {})


def next_available(replicaset: Object, owned: Sequence[Object], *, now: float) -> float | None:
    """Return the unix time at which the next ready pod becomes available, None if none waits."""
    wait = replicaset["spec"].get("minReadySeconds", 0)
    due = [_available_at(pod, wait) for pod in owned if is_active(pod) and is_ready(pod)]
    return min((at for at in due if at > now), default=None)


def _available_at(pod: Object, wait: int) -> float:
    return timestamp(find_condition(pod, "Ready").get("lastTransitionTime")) + wait


def pod_from_template(replicaset: Object) -> Object:
    """Build a pod to create (GetPodFromTemplate): no pod-template-hash for a bare ReplicaSet."""
    meta, template = replicaset["metadata"], replicaset["spec"]["template"]
    wanted = template.get("metadata") or {}
    copied = {key: wanted[key] for key in ("labels", "annotations", "finalizers") if key in wanted}
    own = {"generateName": f"{meta['name']}-", **copied}
    own["ownerReferences"] = [owner_reference(REPLICA_SETS, replicaset)]
    return {"metadata": own, "spec": template["spec"]}
