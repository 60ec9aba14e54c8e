"""All parts of the embedded cluster, wired together on one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource as limits
import socket
import time
from collections.abc import Callable

from flashsale import __version__
from flashsale.base.files import replace_file
from flashsale.embedded.apiserver.deletion import DeleteOptions
from flashsale.embedded.apiserver.registry import Registry
from flashsale.embedded.apiserver.server import ApiServer
from flashsale.embedded.controllers.endpointslice import EndpointsController
from flashsale.embedded.controllers.event_recorder import EventRecorder
from flashsale.embedded.controllers.garbagecollector import GarbageCollector
from flashsale.embedded.controllers.namespace import NamespaceController
from flashsale.embedded.controllers.node import ADDRESS, NAME, Machine, NodeController
from flashsale.embedded.controllers.podgc import OrphanCollector
from flashsale.embedded.controllers.replicaset import ReplicaSetController
from flashsale.embedded.kubelet.images.image_store import ImageStore
from flashsale.embedded.kubelet.kubelet import Kubelet
from flashsale.embedded.kubelet.pod_api import EventType, NodeInfo
from flashsale.embedded.kubelet.runtime.pod_network import PodNetwork
from flashsale.embedded.kubeproxy import node_ports
from flashsale.embedded.process.cluster_directory import ClusterDirectory, RunningCluster
from flashsale.embedded.process.launch import CONTEXT
from flashsale.embedded.process.pki import Pki
from flashsale.embedded.scheduler.scheduler import Scheduler
from flashsale.embedded.storage.store import Store, StoreEvent
from flashsale.embedded.types.api_errors import StatusError
from flashsale.embedded.types.resources import CONFIG_MAPS, PODS, SERVICES
from flashsale.objects.models import Object

RELIST = (0.3, 1.1)  # seconds until v1.36.2 noticed a crash: a kubelet looks once a second
log = logging.getLogger(__name__)


class ControlPlane:
    """One cluster on one folder."""

    def __init__(self, home: ClusterDirectory) -> None:
        """Open the state.

        Raises:
            StoreError: it cannot be read; nothing was changed.
        """
        self._home = home
        self._running: RunningCluster | None = None  # once the API answers
        self._pki = Pki(home.path / "pki")
        self.store = Store(home.path / "state.db")
        self.registry = Registry(self.store, port_is_free=node_ports.port_is_free)
        self._door = RegistryPodAPI(self.registry)
        self.kubelet = Kubelet(
            self._door,
            ImageStore(home.path / "images"),
            home.path,
            node=NodeInfo(NAME, ADDRESS),
            network=PodNetwork(home.path),
            relist=RELIST,
        )

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until cancelled; calls ``ready`` once the API answers."""
        _raise_file_limit()
        if not self._pki.complete():
            self._pki.create()
        rng = self.registry.rng
        namespaces = NamespaceController(self.registry, self._pki.authority.read_text())
        node = NodeController(self.registry, Machine.read(self._home.path))
        namespaces.bootstrap()
        node.register()
        api = ApiServer(self.registry, self.kubelet.logs)
        unsubscribe = self.store.subscribe(self._tell_kubelet)
        sock = self._bind()
        try:
            async with api.listening(sock, self._pki.server_context()):
                port, kubeconfig = sock.getsockname()[1], self._home.path / "kubeconfig"
                self._running = RunningCluster(
                    os.getpid(), port, kubeconfig, __version__, time.time()
                )
                self.announce()
                ready()
                async with asyncio.TaskGroup() as tasks:
                    for work in (
                        namespaces.run(),
                        node.run(),
                        Scheduler(self.registry).run(),
                        ReplicaSetController(self.registry).run(),
                        EndpointsController(self.registry).run(),
                        GarbageCollector(self.registry).run(),
                        OrphanCollector(self.registry).run(),
                        node_ports.NodePortProxy(self.registry, self._resolve, rng).run(),
                        self.kubelet.run(),
                    ):
                        tasks.create_task(work)
        finally:
            unsubscribe()
            self.store.close()

    def _tell_kubelet(self, event: StoreEvent) -> None:
        if event.resource is not PODS or event.object["spec"].get("nodeName") != NAME:
            return
        if event.type == "DELETED":
            self.kubelet.pod_deleted(event.object)
        else:
            self.kubelet.pod_changed(event.object)

    def _resolve(self, pod: Object, port: int) -> tuple[str, int] | None:
        return self.kubelet.network.resolve(pod["status"]["podIP"], pod["metadata"]["uid"], port)

    def _bind(self) -> socket.socket:
        """Bind the API's port: the last one if it is free, so that kubeconfigs stay true."""
        saved = self._home.path / "port"
        wanted = 0
        with contextlib.suppress(OSError, ValueError):
            wanted = int(saved.read_text())
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((ADDRESS, wanted))
        except (OSError, OverflowError):
            sock.bind((ADDRESS, 0))
        sock.setblocking(False)
        return sock

    def announce(self) -> None:
        """Write what tells others where this cluster can be asked, and with which certificate."""
        running = self._running
        if running:
            server = f"https://{ADDRESS}:{running.port}"
            replace_file(running.kubeconfig, self._pki.kubeconfig(server, CONTEXT))
            self._home.announce(running)


class RegistryPodAPI:
    """What the kubelet may ask of the registry (see ``kubelet.api.PodAPI``)."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._events = EventRecorder(registry, "kubelet", NAME, registry.clock)

    def pods(self, node: str) -> list[Object]:
        """Return all pods bound to a node."""
        return [p for p in self._registry.store.all(PODS) if p["spec"].get("nodeName") == node]

    def get_pod(self, namespace: str, name: str) -> Object | None:
        """Return one pod, or None."""
        return self._registry.store.get(PODS, namespace, name)

    def update_pod_status(
        self, namespace: str, name: str, uid: str, status: Object
    ) -> Object | None:
        """Replace a pod's status; None if that pod is gone."""
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
        """Write an Event about a pod."""
        self._events.record(PODS, pod, type, reason, message, field_path)

    def services(self, namespace: str) -> list[Object]:
        """Return the services of a namespace."""
        return self._registry.store.all(SERVICES, namespace)

    def config_map(self, namespace: str, name: str) -> Object | None:
        """Return a ConfigMap, or None."""
        return self._registry.store.get(CONFIG_MAPS, namespace, name)


def _raise_file_limit() -> None:
    """Every connection through a node port takes two descriptors; use what the machine allows."""
    soft, hard = limits.getrlimit(limits.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        limits.setrlimit(limits.RLIMIT_NOFILE, (max(soft, min(hard, 65536)), hard))
