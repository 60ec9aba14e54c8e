"""The nodes of this process: which are there, and which of them have power.

A Node object with the annotation ``embedded.flashsale/power`` is one of ours: `on` runs its kubelet
and its heartbeat, `off` ends both with all its pods, as a power cut does: nothing is written about
it. The first node is the control plane's and always runs. Other Node objects have no kubelet.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from flashsale.embedded.apiserver.handlers.subresources.pod_log import LogOptions
from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.apiserver.stored_node_timing import changes_timing
from flashsale.embedded.controllers.node import ADDRESS, Machine, NodeHeartbeat, NodeIdentity
from flashsale.embedded.kubelet.images.image_store import ImageStore
from flashsale.embedded.kubelet.images.node_status_images import node_status_images
from flashsale.embedded.kubelet.kubelet import Kubelet
from flashsale.embedded.kubelet.pod_api import NodeInfo, PodAPI
from flashsale.embedded.kubelet.runtime.pod_network import PodNetwork
from flashsale.embedded.kubelet.streaming.attach_session import AttachSession, attach_session
from flashsale.embedded.kubelet.streaming.exec_session import (
    ExecSession,
    StreamOptions,
    UnstartedCommand,
    exec_session,
)
from flashsale.embedded.kubeproxy.relay import NOWHERE
from flashsale.embedded.storage.store import StoreEvent
from flashsale.embedded.types.api_errors import NodeError, StatusError
from flashsale.embedded.types.node_names import NAME, POWER, node_name, node_number
from flashsale.embedded.types.resources import NODES, PODS
from flashsale.objects.models import Object, namespaced_name

RELIST = (0.3, 1.1)  # seconds until v1.36.2 noticed a crash: a kubelet looks once a second
log = logging.getLogger(__name__)


@dataclass(slots=True)
class PoweredNode:
    """One node that runs."""

    identity: NodeIdentity
    kubelet: Kubelet
    heartbeat: NodeHeartbeat
    task: asyncio.Task[None] | None = None


class NodePool:
    """Starts and ends nodes as their objects say, and finds the kubelet of a pod.

    What the API server asks of kubelets (``apiserver.server.Kubelets``) it asks here; a node
    without power does not answer, which is a StatusError 500.
    """

    def __init__(self, registry: Registry, home: Path, changed: Callable[[], None]) -> None:
        """Prepare; ``changed`` is called after a node came or went."""
        self._registry = registry
        self._store = registry.store
        self._home = home
        self._changed_nodes = changed
        self._machine = Machine.read(home)
        self._images = ImageStore(home / "images")
        self._nodes: dict[str, PoweredNode] = {}
        self._wake = asyncio.Event()
        self._first = self._make(0)

    def register(self) -> None:
        """Register the first node, so that it is there once the API answers."""
        self._first.heartbeat.register()
        self._nodes[NAME] = self._first

    async def run(self) -> None:
        """Work until cancelled; then all pods' processes are killed at once."""
        with self._store.subscribe(self._follow):
            async with asyncio.TaskGroup() as tasks:
                self._start(self._first, tasks)
                while True:
                    self._wake.clear()
                    await self._reconcile(tasks)
                    await self._wake.wait()

    def addresses(self) -> Sequence[str]:
        """Return the addresses of the nodes that have power."""
        return sorted({node.identity.address for node in self._nodes.values()})

    def resolve(self, pod: Object, port: int) -> tuple[str, int] | None:
        """Return where a port of a pod is reached; nowhere, if its node has no power."""
        node = self._nodes.get(pod["spec"].get("nodeName", ""))
        if node is None:
            return NOWHERE
        return node.kubelet.network.resolve(pod["status"]["podIP"], pod["metadata"]["uid"], port)

    def read(self, pod: Object, container: str, options: LogOptions) -> bytes:
        return self._kubelet_of(pod, container).logs.read(pod, container, options)

    def follow(self, pod: Object, container: str, options: LogOptions) -> AsyncIterator[bytes]:
        return self._kubelet_of(pod, container).logs.follow(pod, container, options)

    def start_exec(
        self, pod: Object, container: str, command: Sequence[str], **streams: bool
    ) -> AbstractAsyncContextManager[ExecSession | UnstartedCommand]:
        instance = self._dialed(pod).running(pod["metadata"]["uid"], container)
        return exec_session(instance, command, StreamOptions(**streams))

    def start_attach(
        self, pod: Object, container: str, *, stdin: bool
    ) -> AbstractAsyncContextManager[AttachSession]:
        kubelet, meta = self._dialed(pod), pod["metadata"]
        try:
            instance = kubelet.running(meta["uid"], container)
        except NodeError as error:
            named = f"{container} not found in pod {meta['name']}_{meta['namespace']}"
            raise NodeError(error.code, f"container {named}") from error
        return attach_session(instance, stdin=stdin)

    async def dial(
        self, pod: Object, port: int
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await self._dialed(pod).dial(pod["metadata"]["uid"], port)

    def _dialed(self, pod: Object) -> Kubelet:
        node = pod["spec"]["nodeName"]
        if pool := self._nodes.get(node):
            return pool.kubelet
        raise StatusError(500, "", f"error dialing backend: {self._unreachable(node)}")

    def _kubelet_of(self, pod: Object, container: str) -> Kubelet:
        node = str(pod["spec"]["nodeName"])
        pool = self._nodes.get(node)
        if pool is None:
            named = "/".join(namespaced_name(pod))
            path = f"{self._address(node)}:10250/containerLogs/{named}/{container}"
            why = f'Get "https://{path}": {self._unreachable(node)}'
            raise StatusError(500, "InternalError", why)
        return pool.kubelet

    def _unreachable(self, node: str) -> str:
        return f"dial tcp {self._address(node)}:10250: connect: no route to host"

    def _address(self, name: str) -> str:
        status = (self._store.get(NODES, "", name) or {}).get("status") or {}
        return next((a["address"] for a in status.get("addresses") or []), name)

    def _follow(self, event: StoreEvent) -> None:
        if event.resource is PODS:
            node = self._nodes.get(event.object["spec"].get("nodeName") or "")
            if node and event.type == "DELETED":
                node.kubelet.pod_deleted(event.object)
            elif node:
                node.kubelet.pod_changed(event.object)
        elif event.resource is NODES:
            self._wake.set()
        elif changes_timing(event):
            for node in self._nodes.values():
                node.heartbeat.renew_soon()

    async def _reconcile(self, tasks: asyncio.TaskGroup) -> None:
        ours = {
            thing["metadata"]["name"]: (thing["metadata"].get("annotations") or {}).get(POWER)
            for thing in self._store.all(NODES)
            if node_number(thing["metadata"]["name"])
        }
        share = 1 + sum(power is not None for power in ours.values())
        for name in [known for known in self._nodes if known != NAME and ours.get(known) != "on"]:
            await self._end(name)
        for name, power in ours.items():
            if power == "on" and name not in self._nodes:
                try:
                    node = self._make(node_number(name) or 0, share)
                    node.heartbeat.register()
                except Exception:  # a full disk, say: the next change tries again
                    log.exception("node %s", name)
                    continue
                self._nodes[name] = node
                self._start(node, tasks)
        for name, node in self._nodes.items():
            if self._store.get(NODES, "", name):  # not deleted while another one ended
                node.heartbeat.split(share)

    def _make(self, number: int, share: int = 1) -> PoweredNode:
        root = self._home if not number else self._home / "nodes" / f"m{number + 1:02d}"
        network = PodNetwork(self._home, node=number)
        address = ADDRESS if network.shared or not number else f"127.0.0.{number + 1}"
        identity = NodeIdentity(node_name(number), address, network.cidr)
        api, info = PodAPI(self._registry, identity.name), NodeInfo(identity.name, address)
        kubelet = Kubelet(api, self._images, root, info, network, relist=RELIST)
        images = partial(node_status_images, self._images)
        heartbeat = NodeHeartbeat(self._registry, self._machine, identity, share, images)
        return PoweredNode(identity, kubelet, heartbeat)

    def _start(self, node: PoweredNode, tasks: asyncio.TaskGroup) -> None:
        async def run() -> None:
            async with asyncio.TaskGroup() as parts:
                parts.create_task(node.kubelet.run())
                parts.create_task(node.heartbeat.run())

        node.task = tasks.create_task(run(), name=f"node {node.identity.name}")
        self._changed_nodes()

    async def _end(self, name: str) -> None:
        node = self._nodes.pop(name)
        self._changed_nodes()  # before its pods are killed: nobody there refuses any more
        if node.task:
            node.task.cancel()
            await asyncio.wait([node.task])
