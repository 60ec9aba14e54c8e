"""EndpointSlices: which pods stand behind a Service, and which may get new connections.

Pure functions first (staging/src/k8s.io/endpointslice/utils.go); the node-port proxy uses them too,
so that it never lags behind the slices that the API shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flashsale.embedded.apiserver.registry.deletion import DeleteOptions
from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.controllers import MANAGER, owner_reference
from flashsale.embedded.controllers.workqueue import WorkQueue
from flashsale.embedded.storage.store import StoreEvent
from flashsale.embedded.types.golang import go_hash
from flashsale.embedded.types.resources import ENDPOINT_SLICES, ENDPOINTS, PODS, SERVICES
from flashsale.objects.fields import with_value
from flashsale.objects.models import (
    Object,
    has_ended,
    is_ready,
    labels_of,
    namespaced_name,
    rfc3339,
)

PER_SLICE = 100
BATCH_SECONDS = 0.02  # pods that change together make one write; one that leaves does not wait
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
CONTROLLER = "endpointslice-controller.k8s.io"
LEGACY_MANAGED_BY = "endpoints.kubernetes.io/managed-by"
LEGACY_CONTROLLER = "endpoint-controller"
HEADLESS = "service.kubernetes.io/headless"
SERVICE_NAME = "kubernetes.io/service-name"
TRIGGERED = "endpoints.kubernetes.io/last-change-trigger-time"
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One pod behind a Service."""

    pod: Object
    serving: bool
    terminating: bool

    @property
    def ready(self) -> bool:
        """Whether it may get new connections while others are ready, too."""
        return self.serving and not self.terminating


def endpoints_of(service: Object, pods: Sequence[Object]) -> list[Endpoint]:
    """Return the pods behind a service: matching, with an address, not ended, in name order."""
    endpoints = (endpoint_of(service, pod) for pod in pods)
    return [endpoint for endpoint in endpoints if endpoint is not None]


def endpoint_of(service: Object, pod: Object) -> Endpoint | None:
    """Return how one pod stands behind a service; None if it does not."""
    selector = service["spec"].get("selector")
    if not selector or not selector.items() <= labels_of(pod).items():
        return None
    if not (pod.get("status") or {}).get("podIP") or has_ended(pod):
        return None
    publish = bool(service["spec"].get("publishNotReadyAddresses"))
    serving = publish or is_ready(pod)
    terminating = "deletionTimestamp" in pod["metadata"] and not publish
    return Endpoint(pod, serving, terminating)


def target_port(port: Object, pod: Object) -> int | None:
    """Return the container port behind a service port; None if the pod has none of that name."""
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    for container in pod["spec"].get("containers") or []:
        for declared in container.get("ports") or []:
            if declared.get("name") == target:
                return int(declared["containerPort"])
    return None


def slice_bodies(service: Object, pods: Sequence[Object]) -> list[Object]:
    """Return what the service's slices must hold: groups of pods with equal ports, 100 a slice."""
    groups: dict[tuple[go_hash.HashedPort, ...], list[Object]] = {}
    for endpoint in endpoints_of(service, pods):
        ports = tuple(sorted(_ports(service, endpoint.pod), key=go_hash.of_slice))
        groups.setdefault(ports, []).append(_endpoint(endpoint))
    bodies: list[Object] = []
    for ports, endpoints in groups.items():
        shown = [
            {"name": name, "protocol": protocol, "port": number} | _application(word)
            for name, number, protocol, word in ports
        ]
        for start in range(0, len(endpoints), PER_SLICE):
            bodies.append({"endpoints": endpoints[start : start + PER_SLICE], "ports": shown})
    return bodies or [{"endpoints": None, "ports": None}]


def _ports(service: Object, pod: Object) -> list[go_hash.HashedPort]:
    return [
        (port.get("name", ""), number, port.get("protocol", "TCP"), port.get("appProtocol"))
        for port in service["spec"].get("ports") or []
        if (number := target_port(port, pod)) is not None
    ]


def _endpoint(endpoint: Endpoint) -> Object:
    meta = endpoint.pod["metadata"]
    reference = {key: meta[key] for key in ("namespace", "name", "uid")}
    return {
        "addresses": [endpoint.pod["status"]["podIP"]],
        "conditions": {
            "ready": endpoint.ready,
            "serving": endpoint.serving,
            "terminating": endpoint.terminating,
        },
        "targetRef": {"kind": "Pod", **reference},
        "nodeName": endpoint.pod["spec"].get("nodeName"),
    }


def legacy_subsets(service: Object, pods: Sequence[Object]) -> list[Object]:
    """Return the subsets of the v1 Endpoints of a service."""
    endpoints = [e for e in endpoints_of(service, pods) if not e.terminating]
    if not endpoints:
        return []
    subset: Object = {}
    for field, ready in (("addresses", True), ("notReadyAddresses", False)):
        if chosen := [e for e in endpoints if e.serving is ready]:
            subset[field] = [_legacy_address(e) for e in chosen]
    ports = sorted(_ports(service, endpoints[0].pod), key=go_hash.of_endpoints)
    subset["ports"] = [
        {**({"name": name} if name else {}), "port": number, "protocol": protocol}
        | _application(word)
        for name, number, protocol, word in ports
    ]
    return [subset]


def _application(word: str | None) -> Object:
    return {} if word is None else {"appProtocol": word}


def _legacy_address(endpoint: Endpoint) -> Object:
    shown = _endpoint(endpoint)
    kept = {key: shown[key] for key in ("nodeName", "targetRef")}
    return {"ip": shown["addresses"][0], **kept}


class EndpointsController:
    """Keeps the slices, and the deprecated Endpoints, of every Service with a selector."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._store = registry.store
        self._queue: WorkQueue[Key] = WorkQueue("endpoints", self.sync)

    async def run(self) -> None:
        with self._store.subscribe(self._changed):
            for service in self._store.all(SERVICES):
                self._queue.add(namespaced_name(service))
            await self._queue.run()

    def _changed(self, event: StoreEvent) -> None:
        if event.resource is SERVICES:
            self._queue.add(namespaced_name(event.object))
        elif event.resource is PODS:
            labels = [labels_of(pod) for pod in (event.object, event.previous) if pod is not None]
            for service in self._store.all(SERVICES, event.object["metadata"]["namespace"]):
                wanted = (service["spec"].get("selector") or {}).items()
                if not wanted or not any(wanted <= have.items() for have in labels):
                    continue
                if _leaves(event):
                    self._queue.add(namespaced_name(service))
                else:
                    self._queue.add_after(namespaced_name(service), BATCH_SECONDS)

    async def sync(self, key: Key) -> None:
        """Make the slices of one Service true; those of a deleted one are garbage collected."""
        service = self._store.get(SERVICES, *key)
        if service is None or not service["spec"].get("selector"):
            return
        pods = self._store.all(PODS, key[0])
        bodies = slice_bodies(service, pods)
        slices = self._slices_of(service)
        for index, body in enumerate(bodies):
            self._write(service, slices[index] if index < len(slices) else None, body)
        for surplus in slices[len(bodies) :]:
            name = surplus["metadata"]["name"]
            self._registry.delete(ENDPOINT_SLICES, key[0], name, DeleteOptions())
        self._write_legacy(service, legacy_subsets(service, pods))

    def _slices_of(self, service: Object) -> list[Object]:
        namespace, name = namespaced_name(service)
        wanted = {MANAGED_BY: CONTROLLER, SERVICE_NAME: name}.items()
        slices = self._store.all(ENDPOINT_SLICES, namespace)
        return [owned for owned in slices if wanted <= labels_of(owned).items()]

    def _write(self, service: Object, old: Object | None, body: Object) -> None:
        meta = service["metadata"]
        labels = {**labels_of(service), MANAGED_BY: CONTROLLER, SERVICE_NAME: meta["name"]}
        if old is None:
            thing = {"metadata": self._metadata(service, labels), "addressType": "IPv4", **body}
            self._registry.create(ENDPOINT_SLICES, meta["namespace"], thing, manager=MANAGER)
            return
        if labels == old["metadata"]["labels"] and body.items() <= old.items():
            return
        changed = old["metadata"] | {"labels": labels, "annotations": self._triggered()}
        new = old | body | {"metadata": changed}
        self._registry.update(ENDPOINT_SLICES, *namespaced_name(old), new, manager=MANAGER)

    def _metadata(self, service: Object, labels: dict[str, str]) -> Object:
        return {
            "generateName": f"{service['metadata']['name']}-",
            "labels": labels,
            "annotations": self._triggered(),
            "ownerReferences": [owner_reference(SERVICES, service)],
        }

    def _triggered(self) -> dict[str, str]:
        return {TRIGGERED: rfc3339(self._registry.clock())}

    def _write_legacy(self, service: Object, subsets: list[Object]) -> None:
        meta = service["metadata"]
        old = self._store.get(ENDPOINTS, meta["namespace"], meta["name"])
        body: Object = {"subsets": subsets} if subsets else {}
        labels = {**labels_of(service), LEGACY_MANAGED_BY: LEGACY_CONTROLLER}
        if service["spec"].get("clusterIP") == "None":
            labels[HEADLESS] = ""
        written = {"name": meta["name"], "labels": labels, "annotations": self._triggered()}
        if old is None:
            thing = {"metadata": written, **body}
            self._registry.create(ENDPOINTS, meta["namespace"], thing, manager=MANAGER)
        elif (old["metadata"].get("labels"), old.get("subsets")) != (labels, body.get("subsets")):
            changed = with_value(old, "subsets", subsets) | {"metadata": old["metadata"] | written}
            self._registry.update(ENDPOINTS, *namespaced_name(old), changed, manager=MANAGER)


def _leaves(event: StoreEvent) -> bool:
    """Whether a pod goes, or has ended; who is told that it is gone must not find it here."""
    pod = event.object
    return event.type == "DELETED" or has_ended(pod) or "deletionTimestamp" in pod["metadata"]
