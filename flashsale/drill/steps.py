"""The steps: takes the steps of a drill, one after another, and writes down what it did."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from flashsale.base.aio import finish
from flashsale.base.text import counted, seconds
from flashsale.clusters.base import SilentProgress
from flashsale.drill import cpu
from flashsale.drill.history import History
from flashsale.drill.result import (
    EntryKind,
    LogEntry,
    NodeDeath,
    Phase,
    PhaseName,
    PodKill,
    ScalingRecord,
    SkippedKill,
)
from flashsale.drill.scenario import Calm, DrillStep, Kill, KillNode, Scale, Scenario, skip_reason
from flashsale.objects.models import Pod
from flashsale.sale.kill.kill import kill_pods
from flashsale.sale.kill.kill_node import (
    choose_living_node,
    staying_on,
    wait_until_node_ready,
    wait_until_not_ready,
)
from flashsale.sale.kill.victims import choose_victims
from flashsale.sale.observe.monitor import SaleMonitor
from flashsale.sale.observe.state import SaleState
from flashsale.sale.ready.conditions import settled
from flashsale.sale.ready.readiness import not_ready_error
from flashsale.sale.scale import scale

Logger = Callable[[LogEntry], None]


class StepRunner:
    """Takes the steps of one drill. Cancelling it leaves the sale as it is at that moment."""

    def __init__(
        self, scenario: Scenario, replicas: int, monitor: SaleMonitor, history: History, log: Logger
    ) -> None:
        self.kills: list[PodKill] = []
        self.skipped: list[SkippedKill] = []
        self.scalings: list[ScalingRecord] = []
        self.node_deaths: list[NodeDeath] = []
        self.phases: list[Phase] = []
        self.step = ""  # what is being done, for a live view
        self.desired = replicas  # what this drill last asked the ReplicaSet for
        self.targeted: set[str] = set()  # uids of pods that this drill killed, or is about to
        self._sale, self._scenario, self._history = monitor.sale, scenario, history
        self._monitor, self._log = monitor, log
        self._rng = random.Random(scenario.seed)
        self._opened: tuple[PhaseName, float, cpu.Reading | None] | None = None

    async def run(self, plan: Sequence[DrillStep]) -> None:
        """Take all steps.

        Raises:
            NotReadyError: a healing or a scaling took longer than the scenario allows.
            FlashsaleError: the cluster refused a step.
        """
        try:
            for step in plan:
                match step:
                    case Calm():
                        await self._calm(step)
                    case Scale():
                        await self._scale(step)
                    case Kill():
                        await self._kill(step)
                    case KillNode():
                        await self._kill_node(step)
        finally:
            self._close_phase()

    async def restore(self, replicas: int) -> bool:
        """Ask for the replicas of before, if a scaling of this drill is still in force.

        What somebody else set meanwhile is theirs, and stays.
        """
        if self.desired == replicas:
            return False
        path = f"{self._sale.replicaset_path}/scale"
        now = (await self._sale.api.get(path))["spec"].get("replicas", 0)
        if now not in (self.desired, replicas):
            return False
        await self._sale.api.scale(self._sale.replicaset_path, replicas)
        self.desired = replicas
        return True

    async def _calm(self, step: Calm) -> None:
        words = {"before": "Warming up", "scaled": "Load on", "after": "Load again on"}
        self._begin(step.name, f"{words[step.name]} {self._pod_count()} for {step.seconds:g} s")
        await asyncio.sleep(step.seconds)

    async def _scale(self, step: Scale) -> None:
        name: PhaseName = "scaling back" if self.scalings else "scaling"
        self._begin(name, f"Scaling from {step.before} to {step.after}", kind="scaling")
        asked_at = time.monotonic()
        self.scalings.append(ScalingRecord(step.before, step.after, asked_at, None))
        self.desired = step.after
        await scale(self._monitor, step.after, timeout=self._scenario.timeout)
        ended = time.monotonic()
        self.scalings[-1] = ScalingRecord(step.before, step.after, asked_at, ended)
        self._record("scaled", f"{self._pod_count()} ready after {seconds(ended - asked_at)}")
        await self._wait_until_whole()

    async def _kill(self, step: Kill) -> None:
        self._begin("kills", f"Kill {step.number} of {step.total}", kind=None)
        await self._pause(step.pause)
        if not await self._enough_ready(step):
            return
        (victim,) = self._choose_victim()
        self._record("kill", f"kill {step.number} of {step.total}: {victim.name}", victim.name)
        asked_at = time.monotonic()
        await finish(self._kill_pod(step.number, victim, asked_at))
        self.step = f"Kill {step.number} of {step.total}: waiting for {victim.name} to be replaced"
        await self._wait_until(
            lambda state: self._history.over(victim.uid, asked_at) and settled(state)
        )

    async def _kill_pod(self, number: int, victim: Pod, asked_at: float) -> None:
        self.targeted.add(victim.uid)
        (mark,) = await kill_pods(self._sale, [victim], self._scenario.kill_method)
        self._monitor.add(mark)
        self.kills.append(PodKill(number, victim.name, victim.uid, asked_at, mark.at))

    async def _kill_node(self, step: KillNode) -> None:
        """Kill a node with pods of the sale; it is started again, whatever happens meanwhile."""
        sale = self._sale
        own = self._monitor.state.own
        node = (await choose_living_node(sale, own, name=None, rng=self._rng)).name
        self._begin("kills", f"Killing the node {node}", kind=None)
        there = staying_on(await sale.own_pods(), node)
        pods = tuple((pod.name, pod.uid) for pod in there)
        self._record("kill", f"the node {node} loses its power, with {counted(len(pods), 'pod')}")
        self.targeted |= {uid for _, uid in pods}
        self.node_deaths.append(NodeDeath(node, pods, time.monotonic()))
        try:
            await sale.cluster.kill_node(sale.api, node, SilentProgress())
            await self._follow_death(node, {uid for _, uid in pods}, step.wait)
        finally:
            await finish(self._start_node(node))
        await self._wait_until_whole()

    async def _follow_death(self, node: str, uids: set[str], wait: float) -> None:
        limit = wait + self._scenario.timeout
        async with asyncio.timeout(limit):
            noticed = await wait_until_not_ready(self._sale, node)
        if noticed is None:
            self._record("note", f"somebody started {node} again before it was missed")
            return
        self._note_death(not_ready_at=noticed)
        asked_at = self.node_deaths[-1].asked_at
        self._record("note", f"{node} is not ready: nobody is sent to its pods any more")
        self.step = f"Waiting until the pods of {node} are told to leave, and are replaced"

        def replaced(state: SaleState) -> bool:
            left = uids - {pod.uid for pod in state.own if pod.terminating}
            there = {pod.uid for pod in state.own}
            return not left & there and state.ready >= (state.desired or 0)

        try:
            await self._monitor.until(replaced, limit)
        except TimeoutError:
            when = f"{time.monotonic() - asked_at:.0f} s after the node {node} was killed"
            raise await not_ready_error(self._sale, self.desired, when) from None
        self._note_death(replaced_at=time.monotonic())
        self._record("ready", f"all pods of {node} are replaced")

    async def _start_node(self, node: str) -> None:
        await self._sale.cluster.start_node(self._sale.api, node, SilentProgress())
        await wait_until_node_ready(self._sale, node, timeout=self._scenario.timeout)
        self._note_death(back_at=time.monotonic())
        self._record("note", f"{node} is back")

    def _note_death(self, **moments: float) -> None:
        self.node_deaths[-1] = replace(self.node_deaths[-1], **moments)  # type: ignore[arg-type]

    async def _pause(self, least: float) -> None:
        """Let so many seconds pass since the last kill, if there was one."""
        if self.kills:
            await asyncio.sleep(self.kills[-1].accepted_at + least - time.monotonic())

    async def _enough_ready(self, step: Kill) -> bool:
        """Wait until a kill leaves enough ready pods; skip it where it never would."""
        floor = self._scenario.keep_ready
        reason = skip_reason(floor)
        if self.desired - 1 >= floor:
            try:
                await self._monitor.until(lambda state: state.ready > floor, self._scenario.timeout)
                return True
            except TimeoutError:
                reason += f", even after {self._scenario.timeout:g} s"
        self.skipped.append(SkippedKill(step.number, time.monotonic(), reason))
        self._record("skipped", f"kill {step.number} of {step.total} skipped: {reason}")
        return False

    def _choose_victim(self) -> tuple[Pod, ...]:
        """Choose the pod to kill.

        A process is killed where that happened least often: the kubelet waits 10 s and longer
        before it starts one that crashes again and again, and the drill is not about that.
        """
        replicaset = self._monitor.state.replicaset
        pods = self._monitor.state.own
        if self._scenario.kill_method.process:
            ready = [pod.restarts for pod in pods if pod.ready and not pod.terminating]
            pods = [pod for pod in pods if pod.restarts == min(ready, default=0)]
        return choose_victims(pods, replicaset.uid if replicaset else "", rng=self._rng)

    async def _wait_until_whole(self) -> None:
        """Wait until whoever had to leave is gone: until then purchases may be lost."""
        await self._wait_until(settled)

    async def _wait_until(self, holds: Callable[[SaleState], bool]) -> None:
        timeout = self._scenario.timeout
        try:
            await self._monitor.until(holds, timeout)
        except TimeoutError:
            when = f"{timeout:g} s after the drill's last step"
            raise await not_ready_error(self._sale, self.desired, when) from None

    def _begin(self, phase: PhaseName, text: str, kind: EntryKind | None = "step") -> None:
        """Begin a step; it belongs to the phase that is open, if that has the same name."""
        self.step = text
        if not self._opened or self._opened[0] != phase:
            self._close_phase()
            self._opened = (phase, time.monotonic(), cpu.read_counters())
        if kind:
            self._record(kind, text)

    def _close_phase(self) -> None:
        if self._opened:
            name, began, reading = self._opened
            readings = (reading, cpu.read_counters())
            self.phases.append(Phase(name, self.desired, began, time.monotonic(), readings))
            self._opened = None

    def _pod_count(self) -> str:
        return counted(self.desired, "pod")

    def _record(self, kind: EntryKind, text: str, pod: str = "") -> None:
        self._log(LogEntry(time.monotonic(), kind, text, pod))
