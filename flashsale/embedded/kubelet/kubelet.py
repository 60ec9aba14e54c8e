"""The kubelet: a worker for every pod that is bound to its node."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable
from pathlib import Path

from flashsale.embedded.kubelet.images.image_store import ImageStore
from flashsale.embedded.kubelet.logs.container_logs import Logs
from flashsale.embedded.kubelet.pod_api import NodeInfo, PodAPI
from flashsale.embedded.kubelet.pods.pod import NodeServices
from flashsale.embedded.kubelet.pods.pod_worker import PodWorker
from flashsale.embedded.kubelet.prober.prober import Prober
from flashsale.embedded.kubelet.runtime.backoff import DEFAULT_CAP
from flashsale.embedded.kubelet.runtime.instance import Instance, Runtime
from flashsale.embedded.kubelet.runtime.pod_network import PodNetwork
from flashsale.embedded.types.api_errors import NodeError
from flashsale.objects.models import Object

log = logging.getLogger(__name__)


class Kubelet:
    """Runs the pods of one node as processes of this machine."""

    def __init__(
        self,
        api: PodAPI,
        images: ImageStore,
        root: Path,
        node: NodeInfo,
        network: PodNetwork,
        *,
        clock: Callable[[], float] = time.time,
        rng: random.Random | None = None,
        max_backoff: float = DEFAULT_CAP,
        relist: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        """Prepare; nothing runs before :meth:`run`.

        Args:
            root: the pods' folders lie in ``root/pods/UID/CONTAINER``.
            clock: unix seconds.
            max_backoff: longest wait before a restart in seconds
                (crashLoopBackOff.maxContainerRestartPeriod).
            relist: bounds of the seconds until it is noticed that a container ended by itself.
        """
        self.network = network
        self._api, self._node = api, node
        self._root = root / "pods"
        self.logs = Logs(self._root, clock)
        self._runtime = Runtime(self._root, self.logs)
        self._prober = Prober(network)
        self._tools = NodeServices(
            api, node, images, network, self._runtime, self._prober, clock,
            rng or random.Random(), max_backoff, relist,
        )  # fmt: skip
        self._workers: dict[str, PodWorker] = {}
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Work until cancelled; then all processes of all pods are killed at once."""
        self._root.mkdir(parents=True, exist_ok=True)
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._work(tasks)
        finally:
            await self._prober.close()

    async def _work(self, tasks: asyncio.TaskGroup) -> None:
        self._tasks = tasks
        try:
            pods = self._api.pods(self._node.name)
            self._runtime.sweep({pod["metadata"]["uid"] for pod in pods})
            for pod in pods:
                try:
                    self.pod_changed(pod)
                except Exception:
                    log.exception("pod %s", pod["metadata"]["name"])
            await asyncio.Event().wait()
        finally:
            self._tasks = None  # a group that is ending takes no more tasks

    def pod_changed(self, pod: Object) -> None:
        """Note a pod that was written; call it after every write, it never blocks."""
        if self._tasks is None or pod["spec"].get("nodeName") != self._node.name:
            return
        uid = pod["metadata"]["uid"]
        if worker := self._workers.get(uid):
            worker.changed(pod)
            return
        worker = self._workers[uid] = PodWorker(pod, self._tools)
        task = self._tasks.create_task(worker.run(), name=f"pod {pod['metadata']['name']}")
        task.add_done_callback(lambda _: self._workers.pop(uid, None))

    def pod_deleted(self, pod: Object) -> None:
        """Note a pod whose object is gone; call it after the write, it never blocks."""
        if worker := self._workers.get(pod["metadata"]["uid"]):
            worker.deleted()

    def running(self, uid: str, container: str) -> Instance:
        """Return the run of a container that goes on.

        Raises:
            NodeError: there is none.
        """
        if uid not in self._workers:
            raise NodeError(404, "pod does not exist")
        for running in self._workers[uid].all:
            if running.name == container and running.instance and running.instance.process.running:
                return running.instance
        raise NodeError(500, f'container not found ("{container}")')

    async def dial(self, uid: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to a port of a pod, as from inside of it.

        Raises:
            NodeError: it is not there, or nobody listens.
        """
        if uid not in self._workers:
            raise NodeError(404, "pod does not exist")
        for host, real in self.network.inside(uid, port):
            with contextlib.suppress(OSError):
                return await asyncio.open_connection(host, real)
        why = f"dial tcp4 127.0.0.1:{port}: connect: connection refused"
        raise NodeError(500, f"failed to connect to localhost:{port} inside the pod: {why}")
