"""The director: takes the steps of a drill, one after another, and writes down what it did."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from flashsale.base.text import counted
from flashsale.drill import cpu
from flashsale.drill.monitor import SaleMonitor
from flashsale.drill.result import (
    EntryKind,
    LogEntry,
    Phase,
    PhaseName,
    PodKill,
    ScalingRecord,
    Skipped,
)
from flashsale.drill.scenario import Calm, Kill, Scale, Scenario, Step, too_few
from flashsale.objects.models import Pod
from flashsale.sale.kill.kill import kill_pods
from flashsale.sale.kill.victims import victims
from flashsale.sale.ready.readiness import explained
from flashsale.sale.scale import scale
from flashsale.sale.session import Sale

Clock = Callable[[], float]
Tell = Callable[[LogEntry], None]


class StepRunner:
    """One drill's deeds. Cancelling it leaves the sale as it is at that moment."""

    def __init__(
        self,
        sale: Sale,
        scenario: Scenario,
        replicas: int,
        eye: SaleMonitor,
        tell: Tell,
        clock: Clock,
    ) -> None:
        self.struck: list[PodKill] = []
        self.skipped: list[Skipped] = []
        self.scalings: list[ScalingRecord] = []
        self.phases: list[Phase] = []
        self.step = ""  # what is being done, for a live view
        self.wanted = replicas  # what we last asked the ReplicaSet for
        self.aimed: set[str] = set()  # uids of pods that we killed, or are about to
        self._sale, self._scenario = sale, scenario
        self._eye, self._tell, self._clock = eye, tell, clock
        self._rng = random.Random(scenario.seed)
        self._opened: tuple[PhaseName, float, cpu.Reading | None] | None = None

    async def direct(self, plan: Sequence[Step]) -> None:
        """Take all steps.

        Raises:
            NotReadyError: a healing or a scaling took longer than the scenario allows.
            FlashsaleError: the cluster refused a step.
        """
        try:
            for one in plan:
                match one:
                    case Calm():
                        await self._calm(one)
                    case Scale():
                        await self._scale(one)
                    case Kill():
                        await self._kill(one)
        finally:
            self._close_phase()

    async def restore(self, replicas: int) -> bool:
        """Ask for the replicas of before, if a scaling of ours is still in force.

        What somebody else set meanwhile is theirs, and stays.
        """
        if self.wanted == replicas:
            return False
        path = f"{self._sale.replicaset_path}/scale"
        now = (await self._sale.api.get(path))["spec"].get("replicas", 0)
        if now not in (self.wanted, replicas):
            return False
        await self._sale.api.scale(self._sale.replicaset_path, replicas)
        self.wanted = replicas
        return True

    async def _calm(self, one: Calm) -> None:
        words = {"before": "Warming up", "scaled": "Load on", "after": "Load again on"}
        self._begin(one.name, f"{words[one.name]} {self._pods()} for {one.seconds:g} s")
        await asyncio.sleep(one.seconds)

    async def _scale(self, one: Scale) -> None:
        name: PhaseName = "scaling back" if self.scalings else "scaling"
        self._begin(name, f"Scaling from {one.before} to {one.after}", kind="scaling")
        asked = self._clock()
        self.scalings.append(ScalingRecord(one.before, one.after, asked, None))
        self.wanted = one.after
        await scale(self._sale, one.after, timeout=self._scenario.timeout)
        ended = self._clock()
        self.scalings[-1] = ScalingRecord(one.before, one.after, asked, ended)
        self._say("scaled", f"{self._pods()} ready after {ended - asked:.2f} s")
        await self._settled()

    async def _kill(self, one: Kill) -> None:
        self._begin("kills", f"Kill {one.number} of {one.total}", kind=None)
        await self._pause(one.pause)
        if not await self._floor_holds(one):
            return
        (victim,) = self._victim()
        self._say("kill", f"kill {one.number} of {one.total}: {victim.name}", victim.name)
        asked = self._clock()
        await to_its_end(self._strike(one.number, victim, asked))
        self.step = f"Kill {one.number} of {one.total}: waiting for {victim.name} to be replaced"
        await self._patiently(lambda: self._eye.over(victim.uid, asked) and self._eye.whole)

    async def _strike(self, number: int, victim: Pod, asked: float) -> None:
        self.aimed.add(victim.uid)
        (mark,) = await kill_pods(self._sale, [victim], self._scenario.blow, self._clock)
        self._eye.take(mark)
        self.struck.append(PodKill(number, victim.name, victim.uid, asked, mark.at))

    async def _pause(self, seconds: float) -> None:
        """Let so many seconds pass since the last kill, if there was one."""
        if self.struck:
            await asyncio.sleep(self.struck[-1].struck_at + seconds - self._clock())

    async def _floor_holds(self, one: Kill) -> bool:
        """Wait until a kill leaves enough ready pods; skip it where it never would."""
        floor = self._scenario.keep_ready
        why = too_few(floor)
        if self.wanted - 1 >= floor:
            try:
                await self._eye.until(lambda: self._spare(floor), self._scenario.timeout)
                return True
            except TimeoutError:
                why += f", even after {self._scenario.timeout:g} s"
        self.skipped.append(Skipped(one.number, self._clock(), why))
        self._say("skipped", f"kill {one.number} of {one.total} skipped: {why}")
        return False

    def _spare(self, floor: int) -> bool:
        return self._eye.state.ready > floor

    def _victim(self) -> tuple[Pod, ...]:
        """Choose whom to kill.

        A process is killed where that happened least often: the kubelet waits 10 s and longer
        before it starts one that crashes again and again, and the drill is not about that.
        """
        replicaset = self._eye.state.replicaset
        pods = self._eye.pods
        if self._scenario.blow.process:
            ready = [pod.restarts for pod in pods if pod.ready and not pod.terminating]
            pods = [pod for pod in pods if pod.restarts == min(ready, default=0)]
        return victims(pods, replicaset.uid if replicaset else "", rng=self._rng)

    async def _settled(self) -> None:
        """Wait until whoever had to leave is gone: until then purchases may be lost."""
        await self._patiently(lambda: self._eye.whole)

    async def _patiently(self, holds: Callable[[], bool]) -> None:
        timeout = self._scenario.timeout
        try:
            await self._eye.until(holds, timeout)
        except TimeoutError:
            when = f"{timeout:g} s after the drill's last step"
            raise await explained(self._sale, self.wanted, when) from None

    def _begin(self, phase: PhaseName, step: str, kind: EntryKind | None = "step") -> None:
        """Begin a step; it belongs to the phase that is open, if that has the same name."""
        self.step = step
        if not self._opened or self._opened[0] != phase:
            self._close_phase()
            self._opened = (phase, self._clock(), cpu.reading())
        if kind:
            self._say(kind, step)

    def _close_phase(self) -> None:
        if self._opened:
            name, began, reading = self._opened
            readings = (reading, cpu.reading())
            self.phases.append(Phase(name, self.wanted, began, self._clock(), readings))
            self._opened = None

    def _pods(self) -> str:
        return counted(self.wanted, "pod")

    def _say(self, kind: EntryKind, text: str, pod: str = "") -> None:
        self._tell(LogEntry(self._clock(), kind, text, pod))


async def to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Await work that must not be left half-done: when cancelled, end only after it has."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
