"""The life of one pod: sandbox, init containers, containers, and a graceful end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

from flashsale.base.aio import run_until
from flashsale.embedded.kubelet.pods.pod import RETRY, KubeletPod, NodeServices
from flashsale.embedded.kubelet.pods.pod_state import new_pod_state, recovered
from flashsale.embedded.kubelet.pods.pod_status import initialized
from flashsale.embedded.kubelet.prober.probe_specs import ports_of
from flashsale.embedded.kubelet.runtime import pod_volumes
from flashsale.embedded.kubelet.runtime.container import Container
from flashsale.embedded.kubelet.runtime.stop_container import Grace
from flashsale.objects.models import Object, is_ready

AGAIN = 10.0  # seconds until a pod that a mistake of ours has ended is taken up again
MOUNT_RETRY_CAP = 16.0  # seconds between two tries to make a volume; 122 on a real node
TOO_LONG = "Pod was active on the node longer than the specified deadline"
FOLLOW_SECONDS = 1.0  # between two looks at what volumes hold; up to 60 on a real node
log = logging.getLogger(__name__)


class PodWorker:
    """One task that does everything for one pod, identified by its uid."""

    def __init__(self, thing: Object, tools: NodeServices) -> None:
        self._ending = asyncio.Event()  # the pod is to end
        self._leaving = asyncio.Event()  # and its object, too
        self._gone = asyncio.Event()  # the object is deleted
        self._deadline: asyncio.TimerHandle | None = None
        self._begin(thing, tools)

    def _begin(self, thing: Object, tools: NodeServices) -> None:
        """Read from the object where the pod stands."""
        seen = bool((thing.get("status") or {}).get("containerStatuses"))
        state = (recovered if seen else new_pod_state)(thing, tools.clock())
        self.pod = KubeletPod(thing, state, tools)
        self._seen = seen
        spec = thing["spec"]
        init = spec.get("initContainers") or []
        self._init = [Container(container, self.pod, init=True) for container in init]
        self._containers = [Container(container, self.pod) for container in spec["containers"]]
        self._grace: Grace | None = None
        self._probes: list[asyncio.Task[None]] = []
        self._sidecars: list[asyncio.Task[Any]] = []
        self._followers: list[asyncio.Task[None]] = []

    @property
    def all(self) -> list[Container]:
        return [*self._init, *self._containers]

    def changed(self, thing: Object) -> None:
        """Note a new version of the object.

        A pod ends when it is deleted, and when somebody else says in its status that it is over
        (UpdatePod in pkg/kubelet/pod_workers.go). One that somebody else calls not ready is called
        what it is again (HandlePodReconcile in pkg/kubelet/kubelet.go).
        """
        before, self.pod.object = self.pod.object, thing
        if is_ready(before) and not is_ready(thing):
            asyncio.get_running_loop().call_soon(self.pod.publish)
        if self.pod.leaving:
            self._leave()
            if self._grace:
                self._grace.shorten(self.pod.grace)
        elif self.pod.ended and not self.pod.ended_by_itself:
            self._ending.set()
        self._set_deadline()

    def deleted(self) -> None:
        """Note that the object is gone.

        What still runs stops as on a real node: hooks have 1 s, then SIGTERM, SIGKILL 2 s later.
        """
        self._gone.set()
        self._leave()
        if self._grace:
            self._grace.shorten(0)

    def _leave(self) -> None:
        self._ending.set()
        self._leaving.set()

    async def run(self) -> None:
        """Work until the object is gone. Cancelling kills the pod's processes at once.

        An error that nobody expected ends the pod's processes, not the cluster; the pod is taken up
        again like one that is found after a restart of the kubelet.
        """
        while True:
            try:
                await self._attend()
                break
            except Exception as error:
                if asyncio.current_task().cancelling():  # type: ignore[union-attr]  # this one
                    raise
                log.exception("pod %s", self.pod.label)
                text = f"error syncing pod, will be tried again: {_cause(error)}"
                self.pod.record("Warning", "FailedSync", text)
            if self._gone.is_set():
                break
            await self._pause()
            self._begin(self.pod.object, self.pod.tools)
        await asyncio.to_thread(self.pod.tools.runtime.forget, self.pod.uid)

    def _set_deadline(self) -> None:
        """Have the pod end once its activeDeadlineSeconds are over (active_deadline.go)."""
        if self._deadline:
            self._deadline.cancel()
        seconds = self.pod.object["spec"].get("activeDeadlineSeconds")
        if seconds is None or self.pod.ended:
            return
        left = self.pod.state.start_time + seconds - self.pod.tools.clock()
        self._deadline = asyncio.get_running_loop().call_later(left, self._exceed_deadline)

    def _exceed_deadline(self) -> None:
        if not (self.pod.ended or self._ending.is_set()):
            self.pod.fail("DeadlineExceeded", TOO_LONG)
            self._ending.set()

    async def _attend(self) -> None:
        self._set_deadline()
        try:
            async with asyncio.TaskGroup() as tasks:
                self.pod.tasks = tasks
                await self._work()
                await self._gone.wait()
                self._stop_probes()
                for task in (*self._sidecars, *self._followers):
                    task.cancel()
        finally:
            if self._deadline:
                self._deadline.cancel()
            self._kill()

    async def _pause(self) -> None:
        await asyncio.sleep(RETRY)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(AGAIN - RETRY):
                await self._ending.wait()

    async def _work(self) -> None:
        if self.pod.leaving:
            self._leave()
        if not self.pod.ended:
            ending = asyncio.ensure_future(self._ending.wait())
            try:
                if not self._ending.is_set():
                    await run_until(self._live(), ending)
                await ending
            finally:
                ending.cancel()
            await self._terminate()
        elif self.pod.shown_running:  # the kubelet was away when somebody said that it is over
            await self._terminate()
        await self._leaving.wait()
        if not self._gone.is_set():
            await self.pod.remove()

    def _kill(self) -> None:
        for container in self.all:
            container.kill()
        for container in self.all:
            container.reap()
        self.pod.leave()
        self.pod.close()

    async def _live(self) -> None:
        self.pod.publish()
        if self._seen and any(
            state.container_id or state.last for state in self.pod.state.containers
        ):
            text = "Pod sandbox changed, it will be killed and re-created."
            self.pod.record("Normal", "SandboxChanged", text)
        await self._make_volumes()
        await self._sandbox()
        for container in self._init:
            if container.is_sidecar:
                self._sidecars.append(self.pod.tasks.create_task(container.run()))
                self._start_probes(container)
                await container.has_started.wait()
            else:
                await container.run()
        if initialized(self.pod.state):
            self._start_probes(*self._containers)
            async with asyncio.TaskGroup() as running:
                for container in self._containers:
                    running.create_task(container.run(), name=f"container {container.name}")
        await self._stop_sidecars(Grace(self.pod.usual_grace))
        self._over()

    async def _stop_sidecars(self, grace: Grace) -> None:
        """Stop them in reverse order, once the containers that they serve have ended."""
        for task in self._sidecars:
            task.cancel()
        for container in reversed(self._init):
            await container.stop(grace)

    async def _make_volumes(self) -> None:
        """Make the pod's volumes; it waits for those that cannot be had yet."""
        folder, delay = self.pod.tools.runtime.folder(self.pod.uid), RETRY
        while True:
            try:
                find = self.pod.config_map
                self.pod.volumes = pod_volumes.set_up_volumes(self.pod.object, folder, find)
                break
            except (pod_volumes.VolumeError, OSError) as error:
                self.pod.record("Warning", "FailedMount", str(error))
                await asyncio.sleep(delay)
                delay = min(2 * delay, MOUNT_RETRY_CAP)
        if pod_volumes.follows(self.pod.object):
            following = self._follow_volumes(folder)
            self._followers.append(self.pod.tasks.create_task(following, name="follow volumes"))

    async def _follow_volumes(self, folder: Path) -> None:
        """Bring changes of ConfigMaps and of the pod's own fields to the containers' files."""
        while True:
            await asyncio.sleep(FOLLOW_SECONDS)
            try:
                pod_volumes.update_volumes(self.pod.object, folder, self.pod.config_map)
            except OSError as error:
                self.pod.record("Warning", "FailedMount", str(error))

    async def _sandbox(self) -> None:
        spec = self.pod.object["spec"]
        specs = [*(spec.get("initContainers") or []), *spec["containers"]]
        ports = set().union(*map(ports_of, specs))
        while True:
            try:
                address = self.pod.tools.network.attach(self.pod.uid, ports)
                break
            except OSError as error:
                text = f"Failed to create pod sandbox: {error}"
                self.pod.record("Warning", "FailedCreatePodSandBox", text)
                await asyncio.sleep(10 * RETRY)
        self.pod.reach(address)

    def _start_probes(self, *containers: Container) -> None:
        for container in containers:
            for worker in container.workers:
                name = f"{worker.probe.kind} probe of {container.name}"
                self._probes.append(self.pod.tasks.create_task(worker.run(), name=name))

    def _stop_probes(self) -> None:
        for probe in self._probes:
            probe.cancel()

    def _over(self) -> None:
        """All containers have ended for good."""
        self._stop_probes()
        self.pod.leave()
        self.pod.publish()

    async def _terminate(self) -> None:
        """Stop what runs and write the last status (syncTerminatingPod, syncTerminatedPod)."""
        self.pod.state = self.pod.state.settled()
        self.pod.publish()
        self._grace = Grace(0 if self._gone.is_set() else self.pod.grace)
        async with asyncio.TaskGroup() as stopping:
            for container in self._containers:
                stopping.create_task(container.stop(self._grace), name=f"stop {container.name}")
        await self._stop_sidecars(self._grace)
        self._stop_probes()  # readiness was asked until now
        self.pod.leave()
        ended = self.pod.state.ended()
        if ended.never_ran:
            self.pod.publish()  # a real kubelet reports the sandbox's end apart
        self.pod.state = replace(ended, sandbox=False)
        self.pod.publish()


def _cause(error: BaseException) -> str:
    """Name the first error inside of what task groups wrapped around it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"
