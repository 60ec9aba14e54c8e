"""One pod as the kubelet sees it, and what the kubelet publishes of it: status and events."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from flashsale.base.errors import FlashsaleError
from flashsale.embedded.kubelet.images.image_store import ImageStore
from flashsale.embedded.kubelet.pod_api import EventType, NodeInfo, PodAPI
from flashsale.embedded.kubelet.pods.pod_state import ContainerState, PodState
from flashsale.embedded.kubelet.pods.pod_status import compute, phase
from flashsale.embedded.kubelet.prober.prober import Prober
from flashsale.embedded.kubelet.runtime.backoff import DEFAULT_CAP
from flashsale.embedded.kubelet.runtime.instance import Runtime
from flashsale.embedded.kubelet.runtime.pod_network import PodAddress, PodNetwork
from flashsale.embedded.types.api_errors import StatusError
from flashsale.objects.columns import TERMINAL
from flashsale.objects.models import Object, has_ended

RETRY = 1.0  # seconds until a write that the cluster could not take is tried again


@dataclass(frozen=True, slots=True)
class NodeServices:
    """What all pods of a node share."""

    api: PodAPI
    node: NodeInfo
    images: ImageStore
    network: PodNetwork
    runtime: Runtime
    prober: Prober
    clock: Callable[[], float]  # unix seconds
    rng: random.Random
    max_backoff: float = DEFAULT_CAP  # seconds between restarts of a crashing container
    relist: tuple[float, float] = (0.0, 0.0)  # seconds until a container's own end is noticed


class KubeletPod:
    """The newest object, the state behind its status, and the tasks that belong to it."""

    def __init__(self, thing: Object, state: PodState, tools: NodeServices) -> None:
        self.object = thing
        self.state = state
        self.tools = tools
        self.address: PodAddress | None = None
        self.volumes: dict[str, Path] = {}  # by name, once they are made
        self.tasks: asyncio.TaskGroup  # set for as long as the pod is worked on
        self._retry: asyncio.TimerHandle | None = None

    @property
    def uid(self) -> str:
        """The pod's identity; its name may come again."""
        return str(self.object["metadata"]["uid"])

    @property
    def policy(self) -> str:
        """Always, OnFailure or Never."""
        return str(self.object["spec"].get("restartPolicy") or "Always")

    @property
    def leaving(self) -> bool:
        return bool(self.object["metadata"].get("deletionTimestamp"))

    @property
    def ended(self) -> bool:
        """Whether its status says that it is over, whoever wrote that."""
        return has_ended(self.object)

    @property
    def ended_by_itself(self) -> bool:
        """Whether it is over because its containers are."""
        return phase(self.object["spec"], self.state) in TERMINAL

    @property
    def shown_running(self) -> bool:
        """Whether its status says that a container runs."""
        shown = (self.object.get("status") or {}).get("containerStatuses") or []
        return any("running" in (status.get("state") or {}) for status in shown)

    @property
    def grace(self) -> float:
        """Seconds that its containers have to stop."""
        seconds = self.object["metadata"].get("deletionGracePeriodSeconds")
        return float(self.usual_grace if seconds is None else seconds)

    @property
    def usual_grace(self) -> float:
        """The same, as the spec says."""
        seconds = self.object["spec"].get("terminationGracePeriodSeconds")
        return 30.0 if seconds is None else float(seconds)

    @property
    def label(self) -> str:
        """NAME_NAMESPACE(UID), as the kubelet's messages name a pod."""
        meta = self.object["metadata"]
        return f"{meta['name']}_{meta['namespace']}({meta['uid']})"

    def config_map(self, name: str) -> Object | None:
        return self.tools.api.config_map(self.object["metadata"]["namespace"], name)

    def put(self, container: ContainerState, *, publish: bool = True) -> None:
        self.state = self.state.put(container)
        if publish:
            self.publish()

    def publish(self) -> None:
        """Write the status if it has changed; try again later if the cluster cannot take it now."""
        self._cancel_retry()
        tools, meta = self.tools, self.object["metadata"]
        status = compute(self.object, self.state, tools.node.ip, tools.clock())
        if status == self.object.get("status"):
            return
        try:
            written = tools.api.update_pod_status(
                meta["namespace"], meta["name"], meta["uid"], status
            )
        except FlashsaleError:
            self._retry = asyncio.get_running_loop().call_later(RETRY, self.publish)
            return
        if written is not None:
            self.object = written

    def fail(self, reason: str, message: str) -> None:
        """Say that the pod is over although containers of it may still run; they are to stop."""
        self.record("Normal", reason, message)
        end = {"phase": "Failed", "reason": reason, "message": message}
        self.object = self.object | {"status": (self.object.get("status") or {}) | end}
        self.publish()

    def close(self) -> None:
        """Forget writes that were to be tried again."""
        self._cancel_retry()

    def record(self, type: EventType, reason: str, message: str, container: str = "") -> None:
        """Write an event about the pod, or about one of its containers."""
        init = any(init_container.name == container for init_container in self.state.init)
        path = f"spec.{'initContainers' if init else 'containers'}{{{container}}}"
        # A full disk, or a namespace that is going away: events are the first to go.
        with contextlib.suppress(FlashsaleError, StatusError):
            self.tools.api.record(self.object, type, reason, message, path if container else "")

    async def remove(self) -> None:
        """Delete the object, which is the kubelet's last act for a pod."""
        meta = self.object["metadata"]
        while True:
            try:
                self.tools.api.remove_pod(meta["namespace"], meta["name"], meta["uid"])
                return
            except FlashsaleError:
                await asyncio.sleep(RETRY)

    def reach(self, address: PodAddress) -> None:
        """Note that the sandbox is up. Its address shows one update later, as on a real node."""
        self.address = address
        self.state = replace(self.state, sandbox=True)
        self.publish()
        self.state = replace(self.state, ip=address.ip)

    def leave(self) -> None:
        self.state = replace(self.state, sandbox=False)
        self.tools.network.detach(self.uid)

    def _cancel_retry(self) -> None:
        if self._retry:
            self._retry.cancel()
            self._retry = None
