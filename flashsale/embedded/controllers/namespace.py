"""Namespaces: the four that always exist, and how one that is deleted is emptied first."""

from __future__ import annotations

from collections.abc import Iterator

from flashsale.embedded.apiserver.registry.deletion import DeleteOptions
from flashsale.embedded.apiserver.registry.namespace_lifecycle import PERMANENT_NAMESPACES
from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.controllers import MANAGER
from flashsale.embedded.controllers.event_loop_sharing import Yielder
from flashsale.embedded.controllers.workqueue import WorkQueue
from flashsale.embedded.storage.store import StoreEvent
from flashsale.embedded.types.resources import (
    ALL,
    CONFIG_MAPS,
    NAMESPACES,
    PRIORITY_CLASSES,
    SERVICE_ACCOUNTS,
    SERVICES,
    Resource,
)
from flashsale.embedded.validation.priority_classes import SYSTEM_CLASSES
from flashsale.objects.models import Object

API_SERVICE: Object = {
    "metadata": {
        "name": "kubernetes",
        "labels": {"component": "apiserver", "provider": "kubernetes"},
    },
    "spec": {
        "clusterIP": "10.96.0.1",
        "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 8443}],
    },
}
CA_DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal "
    "endpoints such as the internal service IP or kubernetes.default.svc. No other usage is "
    "guaranteed across distributions of Kubernetes clusters."
)


class NamespaceController:
    """Gives every namespace its service account and CA, and empties those that are deleted."""

    def __init__(self, registry: Registry, ca: str) -> None:
        self._registry = registry
        self._store = registry.store
        self._ca = ca
        self._queue: WorkQueue[str] = WorkQueue("namespace", self.sync)

    def bootstrap(self) -> None:
        """Create what every cluster has; what is there already stays."""
        for name in PERMANENT_NAMESPACES:
            if self._store.get(NAMESPACES, "", name) is None:
                self._registry.create(NAMESPACES, "", {"metadata": {"name": name}})
        for name, fields in SYSTEM_CLASSES.items():
            if self._store.get(PRIORITY_CLASSES, "", name) is None:
                body = {"metadata": {"name": name}} | fields
                self._registry.create(PRIORITY_CLASSES, "", body, manager="kube-apiserver")
        self._fill("default")

    async def run(self) -> None:
        with self._store.subscribe(self._changed):
            for namespace in self._store.all(NAMESPACES):
                self._queue.add(namespace["metadata"]["name"])
            await self._queue.run()

    def _changed(self, event: StoreEvent) -> None:
        if event.resource is NAMESPACES:
            self._queue.add(event.object["metadata"]["name"])
        elif event.type == "DELETED" and event.resource.namespaced:
            self._queue.add(event.object["metadata"]["namespace"])

    async def sync(self, name: str) -> None:
        """Fill a namespace, or empty it and let it go once nothing is left."""
        namespace = self._store.get(NAMESPACES, "", name)
        if namespace is None:
            return
        if "deletionTimestamp" not in namespace["metadata"]:
            self._fill(name)
            return
        if namespace["status"].get("phase") != "Terminating":
            status = namespace["status"] | {"phase": "Terminating"}
            namespace = self._registry.set_status(NAMESPACES, namespace, status) or namespace
        await self._empty(name)
        namespace = self._store.get(NAMESPACES, "", name)
        if namespace is not None and not any(self._content(name)):
            self._registry.finalize(namespace)

    def _fill(self, name: str) -> None:
        wanted: list[tuple[Resource, Object]] = [
            (SERVICE_ACCOUNTS, {"metadata": {"name": "default"}}),
            (
                CONFIG_MAPS,
                {
                    "metadata": {
                        "name": "kube-root-ca.crt",
                        "annotations": {"kubernetes.io/description": CA_DESCRIPTION},
                    },
                    "data": {"ca.crt": self._ca},
                },
            ),
        ]
        if name == "default":  # `kubectl delete all --all` takes it, and it comes back
            wanted.append((SERVICES, API_SERVICE))
        for resource, body in wanted:
            if self._store.get(resource, name, body["metadata"]["name"]) is None:
                self._registry.create(resource, name, body, manager=MANAGER)

    async def _empty(self, name: str) -> None:
        """Ask for the deletion of all content."""
        turns = Yielder()
        for resource, thing in tuple(self._content(name)):
            key = resource, name, thing["metadata"]["name"]
            obj = self._store.get(*key)
            if obj is not None and "deletionTimestamp" not in obj["metadata"]:
                self._registry.delete(*key, DeleteOptions(policy="Background"))
            await turns.share()

    def _content(self, name: str) -> Iterator[tuple[Resource, Object]]:
        for resource in ALL:
            if resource.namespaced:
                for thing in self._store.all(resource, name):
                    yield resource, thing
