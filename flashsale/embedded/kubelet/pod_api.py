"""The kubelet's door to the cluster: the few calls it makes, and what it knows of its node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flashsale.embedded.apiserver.registry.deletion import DeleteOptions
from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.controllers.event_recorder import EventRecorder
from flashsale.embedded.types.api_errors import StatusError
from flashsale.embedded.types.resources import CONFIG_MAPS, PODS, SERVICES
from flashsale.objects.models import Object

EventType = Literal["Normal", "Warning"]


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """The node that this kubelet speaks for."""

    name: str
    ip: str
    runtime: str = "process"  # the scheme in containerID and imageID: process://...


class PodAPI:
    """What the kubelet asks of the API server. Every call is synchronous.

    In return the cluster calls :meth:`Kubelet.pod_changed` and :meth:`Kubelet.pod_deleted` after
    every write to a pod of this node, also when the kubelet itself wrote. A call that the cluster
    cannot carry out just now (a full disk) raises FlashsaleError; the kubelet tries again later.
    """

    def __init__(self, registry: Registry, node: str) -> None:
        self._registry = registry
        self._events = EventRecorder(registry, "kubelet", node)

    def pods(self, node: str) -> list[Object]:
        return [p for p in self._registry.store.all(PODS) if p["spec"].get("nodeName") == node]

    def update_pod_status(
        self, namespace: str, name: str, uid: str, status: Object
    ) -> Object | None:
        """Replace a pod's status; None if that pod is gone. Equal status: no write."""
        named = {"metadata": {"namespace": namespace, "name": name, "uid": uid}}
        return self._registry.set_status(PODS, named, status, "kubelet")

    def remove_pod(self, namespace: str, name: str, uid: str) -> None:
        """Delete with no grace; one that is gone already, or is another by now, is fine."""
        try:
            self._registry.delete(PODS, namespace, name, DeleteOptions(grace=0, uid=uid))
        except StatusError as error:
            if error.code not in (404, 409):
                raise

    def record(
        self, pod: Object, type: EventType, reason: str, message: str, field_path: str = ""
    ) -> None:
        """Write an Event about a pod, or raise the count of an equal one."""
        self._events.record(PODS, pod, type, reason, message, field_path)

    def services(self, namespace: str) -> list[Object]:
        return self._registry.store.all(SERVICES, namespace)

    def config_map(self, namespace: str, name: str) -> Object | None:
        return self._registry.store.get(CONFIG_MAPS, namespace, name)
