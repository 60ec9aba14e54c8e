"""The kubelet's door to the cluster: the few calls it makes, and what it knows of its node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from flashsale.objects.models import Object

EventType = Literal["Normal", "Warning"]


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """The node that this kubelet speaks for."""

    name: str
    ip: str
    runtime: str = "process"  # the scheme in containerID and imageID: process://...


class PodAPI(Protocol):
    """What the kubelet asks of the API server. Every call is synchronous.

    In return the cluster calls :meth:`Kubelet.pod_changed` and :meth:`Kubelet.pod_deleted` after
    every write to a pod of this node, also when the kubelet itself wrote. A call that the cluster
    cannot carry out just now (a full disk) raises FlashsaleError; the kubelet tries again later.
    """

    def pods(self, node: str) -> list[Object]:
        """Return all pods bound to a node."""

    def update_pod_status(
        self, namespace: str, name: str, uid: str, status: Object
    ) -> Object | None:
        """Replace a pod's status; None if that pod is gone. Equal status: no write."""

    def remove_pod(self, namespace: str, name: str, uid: str) -> None:
        """Delete with grace period 0 and this uid as the precondition."""

    def record(
        self, pod: Object, type: EventType, reason: str, message: str, field_path: str = ""
    ) -> None:
        """Write an Event about a pod, or raise the count of an equal one."""

    def services(self, namespace: str) -> list[Object]:
        """Return the services of a namespace, for the environment of its containers."""

    def config_map(self, namespace: str, name: str) -> Object | None:
        """Return a ConfigMap, or None."""
