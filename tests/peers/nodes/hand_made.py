"""Nodes and pods without a kubelet: this plays it, on any cluster, as far as objects show one."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

from tests.conformance.api import STRATEGIC, Api, Object

LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
NODES = "/api/v1/nodes"
BEAT = 0.5  # seconds between two renewals of a lease
LABEL = {"made": "by-hand"}
ROOM = {"cpu": "4", "memory": "4Gi", "pods": "110"}
IMAGE = "registry.invalid/shop:1"  # nobody pulls it


class Kubelets:
    """Renews the leases of the nodes that are alive."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._alive: set[str] = set()
        self._ended = threading.Event()

    @contextlib.contextmanager
    def running(self) -> Iterator[Kubelets]:
        """Beat in a thread as long as the block lasts."""
        thread = threading.Thread(target=self._beat, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            thread.join()

    def register(self, name: str) -> None:
        """Make a node that is ready."""
        self._api.create(NODES, {"metadata": {"name": name, "labels": LABEL}})
        meta = {"name": name, "namespace": "kube-node-lease"}
        spec = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": now()}
        self._api.create(LEASES, {"metadata": meta, "spec": spec})
        self._alive.add(name)
        self.post_status(name)

    def post_status(self, name: str, ready: str = "True", **trouble: str) -> None:
        """Write a node's status as its kubelet does.

        Args:
            trouble: other conditions, by type.
        """
        kinds = {kind: "False" for kind in ("MemoryPressure", "DiskPressure", "PIDPressure")}
        conditions = [
            {"type": kind, "status": status, "reason": "ByHand", "message": "posted by hand",
             "lastHeartbeatTime": now()[:19] + "Z", "lastTransitionTime": now()[:19] + "Z"}
            for kind, status in {**kinds, **trouble, "Ready": ready}.items()
        ]  # fmt: skip
        status = {"conditions": conditions, "allocatable": ROOM, "capacity": ROOM}
        self._api.patch(f"{NODES}/{name}/status", {"status": status}, STRATEGIC)

    def stop(self, name: str) -> None:
        """Let a node be silent."""
        self._alive.discard(name)

    def start(self, name: str) -> None:
        """Let a node beat again, and say that it is ready."""
        self._alive.add(name)
        self.post_status(name)

    def _beat(self) -> None:
        while not self._ended.wait(BEAT):
            for name in sorted(self._alive):
                self._api.patch(f"{LEASES}/{name}", {"spec": {"renewTime": now()}})


def pod(name: str, node: str, **tolerations: int | None) -> Object:
    """Describe a pod that is bound to a node.

    Args:
        tolerations: seconds for which it tolerates a NoExecute taint, by the end of the taint's
            key, None for ever; `any` stands for all keys.
    """
    spec: Object = {"containers": [{"name": "c", "image": IMAGE}], "nodeName": node}
    spec["tolerations"] = [
        ({} if key == "any" else {"key": f"node.kubernetes.io/{key}"})
        | {"operator": "Exists", "effect": "NoExecute"}
        | ({} if seconds is None else {"tolerationSeconds": seconds})
        for key, seconds in tolerations.items()
    ]
    return {"metadata": {"name": name, "labels": {"app": "bare"}}, "spec": spec}


def replicaset(app: str) -> Object:
    """Describe a ReplicaSet of one pod, for nodes that were made by hand."""
    labels = {"app": app}
    spec = {"containers": [{"name": "c", "image": IMAGE}], "nodeSelector": LABEL}
    template = {"metadata": {"labels": labels}, "spec": spec}
    wanted = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return {"metadata": {"name": app}, "spec": wanted}


def service(app: str) -> Object:
    """Describe the Service of such a ReplicaSet."""
    return {"metadata": {"name": app}, "spec": {"selector": {"app": app}, "ports": [{"port": 80}]}}


def running(address: str) -> Object:
    """Describe the status of a pod that its kubelet found ready."""
    at = now()[:19] + "Z"
    condition = {"status": "True", "lastProbeTime": None, "lastTransitionTime": at}
    return {
        "phase": "Running",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": at,
        "conditions": [
            {"type": kind, **condition} for kind in ("Initialized", "ContainersReady", "Ready")
        ],
    }


def now() -> str:
    """Write this moment as a MicroTime."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
