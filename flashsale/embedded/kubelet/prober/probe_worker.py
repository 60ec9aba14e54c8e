"""The worker behind one probe of one container (pkg/kubelet/prober/worker.go).

Two differences from a real kubelet, both of which only make pods ready sooner:

- A manual trigger that falls into initialDelaySeconds does not restart the period. There it is an
  accident of the implementation that costs up to a whole period.
- Workers do not begin with a random pause. It is there to spread the probes of a big node's pods
  after a restart of its kubelet.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from flashsale.embedded.kubelet.pods.pod import KubeletPod
from flashsale.embedded.kubelet.pods.pod_state import ContainerState, Running
from flashsale.embedded.kubelet.prober.probe_specs import Probe, Streak, count_result
from flashsale.embedded.kubelet.prober.prober import ProbeOutcome, ProbeTarget
from flashsale.embedded.kubelet.runtime.instance import Instance


class Probed(Protocol):
    """The container that is asked."""

    name: str
    instance: Instance | None

    @property
    def state(self) -> ContainerState:
        """What is known of it."""

    def probed(self, probe: Probe) -> None:
        """A result counts from now on."""


class ProbeWorker:
    """Asks every period, and at once when triggered."""

    def __init__(self, probe: Probe, container: Probed, pod: KubeletPod) -> None:
        self.probe = probe
        self.streak = Streak().renewed(probe)
        self._container = container
        self._pod = pod
        self._manual = asyncio.Event()

    def renew(self) -> None:
        """Begin anew with a new instance of the container."""
        self.streak = self.streak.renewed(self.probe)

    def trigger(self) -> None:
        """Ask now; the period counts from here."""
        self._manual.set()

    async def run(self) -> None:
        """Ask until there is nothing left to ask for."""
        tick = asyncio.get_running_loop().time()
        while self._wanted():
            if running := self._due():
                await self._ask(running)
            tick = await self._next(tick)

    async def _next(self, tick: float) -> float:
        """Wait for the next tick or a trigger; returns where the period now counts from."""
        now = asyncio.get_running_loop().time()
        missed = max(0, int((now - tick) // self.probe.period) - 1)  # a ticker keeps one, not more
        tick += missed * self.probe.period
        try:
            async with asyncio.timeout_at(tick + self.probe.period):
                await self._manual.wait()
        except TimeoutError:
            return tick + self.probe.period
        self._manual.clear()
        return asyncio.get_running_loop().time() if self._due() else tick

    def _wanted(self) -> bool:
        ended = self._container.state.ended and self._pod.policy == "Never"
        return not ended and not (self._pod.leaving and self.probe.kind != "Readiness")

    def _due(self) -> Instance | None:
        """Return the instance to ask, None while there is a reason not to."""
        state, instance = self._container.state, self._container.instance
        if not isinstance(state.state, Running) or self.streak.on_hold or not instance:
            return None
        if int(asyncio.get_running_loop().time() - instance.since) < self.probe.initial_delay:
            return None  # in whole seconds, like startedAt: the delay may end up to 1 s early
        if state.started == (self.probe.kind == "Startup"):
            return None  # the others wait until the startup probe has succeeded
        return instance if instance.process.running else None

    async def _ask(self, instance: Instance) -> None:
        address = self._pod.address
        if address is None:
            return
        target = ProbeTarget(self._pod.uid, address.ip, instance)
        outcome = await self._pod.tools.prober.ask(
            self.probe.action, float(self.probe.timeout), target
        )
        if self._container.instance is not instance or not instance.process.running:
            return  # it ended meanwhile, and that is news enough
        self._tell(outcome)
        if outcome.verdict == "error":
            return
        before = self.streak.result
        self.streak = count_result(self.streak, self.probe, outcome.verdict != "failure")
        if self.streak.result is not before:
            self._container.probed(self.probe)

    def _tell(self, outcome: ProbeOutcome) -> None:
        kind, name = self.probe.kind, self._container.name
        if outcome.verdict == "warning":
            text = f"{kind} probe warning: {outcome.output}"
            self._pod.record("Warning", "ProbeWarning", text, name)
        elif outcome.verdict == "failure":
            self._pod.record("Warning", "Unhealthy", f"{kind} probe failed: {outcome.output}", name)
        elif outcome.verdict == "error":
            text = f"{kind} probe errored and resulted in unknown state: {outcome.output}"
            self._pod.record("Warning", "Unhealthy", text, name)
