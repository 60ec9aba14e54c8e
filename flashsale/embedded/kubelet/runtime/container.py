"""One container of a pod: image, start, end, back-off, start again."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import Any

from flashsale.base.aio import run_until
from flashsale.embedded.kubelet.images.image_puller import SLOW_SYNC, SYNC, ImagePuller
from flashsale.embedded.kubelet.pods.pod import KubeletPod
from flashsale.embedded.kubelet.pods.pod_state import (
    BACK_OFF,
    ContainerState,
    Running,
    Terminated,
    is_sidecar,
)
from flashsale.embedded.kubelet.prober.probe_specs import Probe, probes_of
from flashsale.embedded.kubelet.prober.probe_worker import ProbeWorker
from flashsale.embedded.kubelet.prober.prober import ProbeTarget
from flashsale.embedded.kubelet.runtime.backoff import Backoff
from flashsale.embedded.kubelet.runtime.container_env import (
    ConfigError,
    container_variables,
    service_links,
)
from flashsale.embedded.kubelet.runtime.instance import Instance
from flashsale.embedded.kubelet.runtime.pod_volumes import mounts
from flashsale.embedded.kubelet.runtime.processes import StartError
from flashsale.embedded.kubelet.runtime.stop_container import (
    Grace,
    HookError,
    run_hook,
    stop_container,
)
from flashsale.embedded.types.golang import go_text
from flashsale.objects.models import Object

AT_ONCE = 0.3  # seconds; a real kubelet looks once a second


class Container:
    """Keeps one container running as the pod's restart policy wants it."""

    def __init__(self, spec: Object, pod: KubeletPod, *, init: bool = False) -> None:
        self.name: str = spec["name"]
        self.instance: Instance | None = None
        self.is_sidecar = init and is_sidecar(spec)
        self.has_started = asyncio.Event()  # what the next init container waits for
        probes = [] if init and not self.is_sidecar else probes_of(spec)
        self.workers = [ProbeWorker(probe, self, pod) for probe in probes]
        self._spec = spec
        self._pod = pod
        self._init = init
        self._puller = ImagePuller(spec, pod)
        self._backoff = Backoff(pod.tools.max_backoff)
        self._finished = 0.0  # when the newest instance ended, on the loop's clock
        self._restart: asyncio.Task[None] | None = None  # a probe failed: it is being stopped
        self._timer: asyncio.TimerHandle | None = None

    @property
    def state(self) -> ContainerState:
        """What the pod's state says of this container."""
        return self._pod.state.get(self.name)

    async def run(self) -> Terminated:
        """Return how it ended, once it is not to run again."""
        end = self.state.ended  # of a container that the kubelet finds after its own restart
        while end is None or self._runs_again(end):
            if end is not None:
                await self._back_off()
            end = await self._run_once()
            quietly = self._restart is not None and self._runs_again(end)
            self._pod.put(self.state.stopped(end), publish=not quietly)
        return end

    def probed(self, probe: Probe) -> None:
        """Act on a result that counts from now on."""
        failed = self._worker(probe).streak.result is False
        if failed and probe.kind != "Readiness":
            self._restart = self._pod.tasks.create_task(self._stop_unhealthy(probe))
            return
        self._refresh()
        self._pod.publish()
        if failed or probe.kind == "Startup":
            self.sync()  # what a pod sync does after every change

    def sync(self) -> None:
        """Let readiness be asked at once while it is missing, as every pod sync does."""
        for worker in self.workers:
            if worker.probe.kind == "Readiness" and worker.streak.result is not True:
                worker.trigger()

    async def stop(self, grace: Grace) -> None:
        """Stop the process, if there is one, and note how it ended."""
        self._quiet()
        if not (instance := self.instance):
            return
        if instance.process.running:
            self._pod.record("Normal", "Killing", f"Stopping container {self.name}", self.name)
            await stop_container(instance, grace, lambda: self._pre_stop(instance, grace))
        if isinstance(self.state.state, Running):
            end = self._end(await instance.process.wait())
            self._pod.put(self.state.stopped(end), publish=False)

    def kill(self) -> None:
        """SIGKILL, without a word to anybody."""
        self._quiet()
        if self.instance and self.instance.process.running:
            self.instance.process.kill()

    def reap(self) -> None:
        """Wait for the end of a killed process without the event loop."""
        if self.instance:
            self.instance.reap()

    def _quiet(self) -> None:
        if self._restart:
            self._restart.cancel()
        if self._timer:
            self._timer.cancel()

    def _runs_again(self, end: Terminated) -> bool:
        if self.is_sidecar:
            return True
        policy = "OnFailure" if self._init and self._pod.policy == "Always" else self._pod.policy
        return policy == "Always" or (policy == "OnFailure" and end.exit_code != 0)

    async def _run_once(self) -> Terminated:
        image = await self._puller.ready()
        variables = await self._variables()
        tools, container_id = self._pod.tools, self._new_id()
        self._record("Created", "Container created")
        address = self._pod.address
        assert address is not None, "containers start after the sandbox"
        try:
            self.instance = await tools.runtime.start(
                self._pod.object, self._spec, image, variables, address, container_id,
                mounts(self._spec, self._pod.volumes),
            )  # fmt: skip
        except StartError as error:
            return self._not_started(error, container_id)
        self._record("Started", "Container started")
        scheme = tools.node.runtime
        now = tools.clock()
        running = self.state.running(container_id, f"{scheme}://{image.id}", now)
        self.instance.since -= now % 1  # whole seconds, as the status has them
        self._pod.put(running, publish=False)
        if not await self._post_start(self.instance):
            self.instance.process.kill()
        if not await self._ends_at_once(self.instance):
            self._started()
        end = self._end(await self.instance.process.wait())
        if self._restart is None:
            await asyncio.sleep(tools.rng.uniform(*tools.relist))
        return end

    async def _ends_at_once(self, instance: Instance) -> bool:
        """Whether a container that is to end does so before a real kubelet would have seen it.

        `kubectl run --rm -i` is not to attach to one that is over before it gets there.
        """
        if self._init or self._pod.policy == "Always":
            return False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(AT_ONCE):
                await instance.process.wait()
        return not instance.process.running

    def _new_id(self) -> str:
        return f"{self._pod.tools.node.runtime}://{self._pod.tools.rng.randbytes(32).hex()}"

    def _started(self) -> None:
        for worker in self.workers:
            worker.renew()
        self._refresh()
        self._pod.publish()
        self.sync()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(SYNC, self.sync)  # the container relist of a real kubelet

    async def _variables(self) -> dict[str, str]:
        """Return the environment that the pod defines; wait while it cannot be made."""
        while True:
            pod, tools = self._pod.object, self._pod.tools
            ip = self._pod.address.ip if self._pod.address else ""
            wanted = pod["spec"].get("enableServiceLinks") is not False
            services, own = tools.api.services, pod["metadata"]["namespace"]
            links = service_links(services(own), services("default"), enabled=wanted)
            try:
                return container_variables(
                    self._spec, pod, links, pod_ip=ip, host_ip=tools.node.ip,
                    config_maps=self._pod.config_map,
                )  # fmt: skip
            except ConfigError as error:
                self._warn("Failed", f"Error: {error}")
                self._pod.put(self.state.waiting("CreateContainerConfigError", str(error)))
                await asyncio.sleep(SLOW_SYNC)
                await self._puller.ready()  # as before each try

    def _not_started(self, error: StartError, container_id: str) -> Terminated:
        """A command that cannot be run counts as a container that ended at once."""
        self._finished = asyncio.get_running_loop().time()
        why = f"Error response from daemon: {error}"
        self._warn("Failed", f'Error: failed to start container "{self.name}": {why}')
        now = self._pod.tools.clock()
        waiting = self.state.running(container_id, self.state.image_id, now)
        why = f'failed to start container "{container_id.rpartition("/")[2]}": {why}'
        self._pod.put(waiting.waiting("RunContainerError", why))
        return Terminated(error.exit_code, "ContainerCannotRun", now, now, container_id, str(error))

    def _end(self, code: int) -> Terminated:
        """Read an exit code, now that the process has ended."""
        self._finished = asyncio.get_running_loop().time()
        state = self.state
        started = state.state.started_at if isinstance(state.state, Running) else None
        reason = "Error" if code else "Completed"
        words = self.instance.last_words(failed=code != 0) if self.instance else ""
        now = self._pod.tools.clock()
        return Terminated(code, reason, started, now, state.container_id, words)

    async def _back_off(self) -> None:
        """Wait as long as a container that keeps crashing has to wait.

        On the loop's clock: the wall's may be set, and jumps when the machine was asleep.
        """
        clock, finished = asyncio.get_running_loop().time, self._finished
        ready_at = self._backoff.ready_at(finished)
        if clock() < ready_at:
            self._warn_back_off()
            if self._restart is None:  # else the world has not even heard of the end
                await asyncio.sleep(min(SYNC, ready_at - clock()))
                self._warn_back_off()
            delay = go_text.go_duration(self._backoff.delay)
            text = f"back-off {delay} restarting failed container={self.name} pod={self._pod.label}"
            self._pod.put(self.state.waiting(BACK_OFF, text))
            await asyncio.sleep(max(0.0, ready_at - clock()))
        self._backoff = self._backoff.next(finished, clock())
        self._restart = None

    def _warn_back_off(self) -> None:
        text = f"Back-off restarting failed container {self.name} in pod {self._pod.label}"
        self._warn("BackOff", text)

    async def _stop_unhealthy(self, probe: Probe) -> None:
        """Stop a container that failed its liveness or startup probe."""
        text = f"Container {self.name} failed {probe.kind.lower()} probe"
        text += ", will be restarted" if self._pod.policy != "Never" else ""
        self._record("Killing", text)
        seconds = self._pod.usual_grace if probe.grace is None else float(probe.grace)
        if instance := self.instance:
            grace = Grace(seconds)
            await stop_container(instance, grace, lambda: self._pre_stop(instance, grace))

    async def _pre_stop(self, instance: Instance, grace: Grace) -> None:
        if not (hook := self._hook("preStop")):
            return
        try:
            async with grace.limit():
                await run_until(self._run_hook(hook, instance), instance.process.ended)
        except (HookError, TimeoutError):
            self._warn("FailedPreStopHook", "PreStopHook failed")

    async def _post_start(self, instance: Instance) -> bool:
        if not (hook := self._hook("postStart")):
            return True
        try:
            await run_until(self._run_hook(hook, instance), instance.process.ended)
        except HookError:
            self._warn("FailedPostStartHook", "PostStartHook failed")
            return False
        return True

    def _hook(self, name: str) -> dict[str, Any]:
        return (self._spec.get("lifecycle") or {}).get(name) or {}

    async def _run_hook(self, hook: dict[str, Any], instance: Instance) -> None:
        ip = self._pod.address.ip if self._pod.address else ""
        target = ProbeTarget(self._pod.uid, ip, instance)
        await run_hook(hook, self._spec, self._pod.tools.prober, target)

    def _refresh(self) -> None:
        """Work out `started` and `ready` from what the probes say."""
        results = {worker.probe.kind: worker.streak.result for worker in self.workers}
        running = isinstance(self.state.state, Running)
        started = running and results.get("Startup", True) is True
        ready = started and results.get("Readiness", True) is True
        self._pod.put(replace(self.state, started=started, ready=ready), publish=False)
        if started:
            self.has_started.set()

    def _worker(self, probe: Probe) -> ProbeWorker:
        return next(worker for worker in self.workers if worker.probe is probe)

    def _record(self, reason: str, message: str) -> None:
        self._pod.record("Normal", reason, message, self.name)

    def _warn(self, reason: str, message: str) -> None:
        self._pod.record("Warning", reason, message, self.name)
