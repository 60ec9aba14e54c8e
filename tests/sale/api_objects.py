"""API objects for tests, with only what the code under test reads."""

from __future__ import annotations

from typing import Any

from flashsale.objects.models import Object, Pod
from flashsale.sale.observe.healing_tracker import step
from flashsale.sale.observe.observations import PodSeen, ReplicaSetSeen, Synced
from flashsale.sale.observe.state import SaleState

RS_UID = "uid-of-the-replicaset"
PROBE = {"httpGet": {"path": "/health", "port": 5000}, "initialDelaySeconds": 3}


def pod_object(
    name: str = "flashsale-rs-aaaaa",
    *,
    ready: bool = False,
    state: Object | None = None,
    last: Object | None = None,
    restarts: int = 0,
    node: str = "node",
    owner: str = RS_UID,
    terminating: bool = False,
    image: str = "flashsale:1.0",
) -> Object:
    """A pod as the API server sends it."""
    meta: dict[str, Any] = {
        "name": name,
        "uid": f"uid-{name}",
        "creationTimestamp": "2026-11-23T03:20:00Z",
        "ownerReferences": [{"uid": owner, "controller": True}] if owner else [],
    }
    if terminating:
        meta["deletionTimestamp"] = "2026-11-23T03:21:00Z"
    status = {
        "name": "flashsale-container",
        "ready": ready,
        "restartCount": restarts,
        "state": {"running": {}} if state is None else state,
        "lastState": last or {},
    }
    return {
        "metadata": meta,
        "spec": {
            "nodeName": node,
            "containers": [
                {"name": "flashsale-container", "image": image, "readinessProbe": PROBE}
            ],
        },
        "status": {
            "phase": "Running" if node else "Pending",
            "containerStatuses": [status] if node else [],
            "conditions": [{"type": "Ready", "status": str(ready)}],
        },
    }


def pod_view(
    name: str, *, ready: bool = True, owner: str = RS_UID, terminating: bool = False
) -> Pod:
    """A pod as the commands see it."""
    return Pod.from_object(pod_object(name, ready=ready, owner=owner, terminating=terminating))


def known(replicaset: Object | None, *pods: Object) -> SaleState:
    """What is known of a sale once these were seen."""
    state, _ = step(SaleState(), Synced(0.0))
    if replicaset:
        state, _ = step(state, ReplicaSetSeen.from_object(replicaset, "listed", 0.0))
    for pod in pods:
        state, _ = step(state, PodSeen.from_object(pod, "listed", 0.0))
    return state


def event(pod: str, reason: str, message: str, at: str = "2026-11-23T03:20:10Z") -> Object:
    """An Event as the kubelet writes it."""
    return {
        "involvedObject": {"kind": "Pod", "name": pod},
        "reason": reason,
        "message": message,
        "lastTimestamp": at,
    }


def replicaset_object(replicas: int = 3, ready: int = 3, current: int | None = None) -> Object:
    """A ReplicaSet as the API server sends it."""
    return {
        "kind": "ReplicaSet",
        "metadata": {"name": "flashsale-rs", "uid": RS_UID, "generation": 1},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "flashsale"}}},
        "status": {
            "observedGeneration": 1,
            "replicas": replicas if current is None else current,
            "readyReplicas": ready,
        },
    }
