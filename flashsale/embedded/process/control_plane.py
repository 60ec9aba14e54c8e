"""All parts of the embedded cluster, wired together on one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource as limits
import socket
import time
from collections.abc import Callable

from flashsale import __version__
from flashsale.base.errors import FlashsaleError, Hint
from flashsale.base.files import put_aside, replace_file
from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.apiserver.server import ApiServer
from flashsale.embedded.controllers.disruption import DisruptionController
from flashsale.embedded.controllers.endpointslice import EndpointsController
from flashsale.embedded.controllers.garbagecollector import GarbageCollector
from flashsale.embedded.controllers.namespace import NamespaceController
from flashsale.embedded.controllers.node import ADDRESS
from flashsale.embedded.controllers.nodelifecycle.node_lifecycle import NodeLifecycleController
from flashsale.embedded.controllers.podgc import OrphanCollector
from flashsale.embedded.controllers.replicaset.replicaset import ReplicaSetController
from flashsale.embedded.controllers.taint_eviction import TaintEvictionController
from flashsale.embedded.kubeproxy import node_ports
from flashsale.embedded.process.cluster_directory import ClusterDirectory, RunningCluster
from flashsale.embedded.process.launch import CONTEXT
from flashsale.embedded.process.node_pool import NodePool
from flashsale.embedded.process.pki import Pki
from flashsale.embedded.scheduler.scheduler import Scheduler
from flashsale.embedded.storage.store import open_or_put_aside

LEAST_FILES = 32


class ControlPlane:
    """One cluster on one folder."""

    def __init__(self, home: ClusterDirectory) -> None:
        """Open the state; ``note`` is a warning for the user, if there is one.

        Raises:
            StoreError: it is from another version, or the disk refuses; nothing was changed.
        """
        self._home = home
        self._running: RunningCluster | None = None  # once the API answers
        self._pki = Pki(home.path / "pki")
        self.store, self.note = open_or_put_aside(home.path / "state.db")
        self.registry = Registry(self.store, port_is_free=node_ports.port_is_free)
        self._nodes = NodePool(self.registry, home.path, lambda: self._node_ports.refresh())
        self._node_ports = node_ports.NodePortProxy(
            self.registry, self._nodes.resolve, self.registry.rng, addresses=self._nodes.addresses
        )

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until cancelled; calls ``ready`` once the API answers."""
        _raise_file_limit()
        if not self._pki.is_whole():
            self._pki.create()
        namespaces = NamespaceController(self.registry, self._pki.authority.read_text())
        namespaces.bootstrap()
        self._nodes.register()
        api = ApiServer(self.registry, self._nodes)
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
                        Scheduler(self.registry).run(),
                        ReplicaSetController(self.registry).run(),
                        EndpointsController(self.registry).run(),
                        DisruptionController(self.registry).run(),
                        GarbageCollector(self.registry).run(),
                        OrphanCollector(self.registry).run(),
                        NodeLifecycleController(self.registry).run(),
                        TaintEvictionController(self.registry).run(),
                        self._node_ports.run(),
                        self._nodes.run(),
                    ):
                        tasks.create_task(work)
        finally:
            self.store.close()

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
        if running := self._running:
            put_aside(running.kubeconfig)
            server = f"https://{ADDRESS}:{running.port}"
            replace_file(running.kubeconfig, self._pki.kubeconfig(server, CONTEXT))
            self._home.announce(running)


def _raise_file_limit() -> None:
    """Every connection through a node port takes two descriptors; use what the machine allows."""
    soft, hard = limits.getrlimit(limits.RLIMIT_NOFILE)
    if hard != limits.RLIM_INFINITY and hard < LEAST_FILES:
        raise FlashsaleError(
            f"A process may have {hard} open files here, and the embedded cluster needs"
            f" {LEAST_FILES}.",
            hint=Hint("ulimit -n 1024", "in this shell, as root where it is refused"),
        )
    with contextlib.suppress(ValueError, OSError):
        limits.setrlimit(limits.RLIMIT_NOFILE, (max(soft, min(hard, 65536)), hard))
