"""Running a drill: a crowd buys, an eye watches, a director acts, and the replicas are restored."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flashsale.base.errors import FlashsaleError
from flashsale.drill.monitor import SaleMonitor
from flashsale.drill.preflight import WAITING, patience, sells, why_not
from flashsale.drill.result import DrillResult, End, EntryKind, Environment, LogEntry
from flashsale.drill.scenario import Scenario, Step, longest
from flashsale.drill.steps import StepRunner
from flashsale.load import coordinator
from flashsale.load.plan import LONGEST, PATIENCE, LoadPlan
from flashsale.load.results import Figures, LoadProgress, Report
from flashsale.load.worker.orders import LoadTarget
from flashsale.sale.observe import state
from flashsale.sale.observe.observations import Observation
from flashsale.sale.observe.state import Happening, Healing
from flashsale.sale.ready.readiness import ready
from flashsale.sale.session import Sale

FIRST = asyncio.FIRST_COMPLETED
SOON = 0.5  # seconds after which waiting deserves a word


@dataclass(frozen=True, slots=True)
class Glance:
    """A drill under way, for a live view."""

    step: str
    progress: LoadProgress
    kills: int  # so far
    planned_kills: int


@dataclass(frozen=True, slots=True)
class Observers:
    """Who looks on; each must return quickly."""

    look: Callable[[Glance], None] = lambda glance: None  # four times a second
    tell: Callable[[LogEntry], None] = lambda entry: None  # with each thing, as it happens
    see: Callable[[Observation], None] = lambda observation: None  # with all that is observed


async def run(
    sale: Sale,
    target: LoadTarget,
    place: Environment,
    scenario: Scenario,
    plan: Sequence[Step],
    *,
    audience: Observers | None = None,
    stop: asyncio.Event | None = None,
) -> tuple[DrillResult, FlashsaleError | None]:
    """Carry out a plan, put the replicas back as they were, and report what happened.

    A sale that confirms no purchase in the first calm is left alone: the drill ends there.

    Args:
        stop: when set, nothing more is done to the sale, sending ends, and the outcome so far is
            returned.

    Returns:
        The outcome, and the error that ended it early, if one did.

    Raises:
        NotReadyError: the sale was not whole to begin with.
    """
    replicas = int((await sale.replicaset())["spec"].get("replicas", 1))
    watchers, stop = audience or Observers(), stop or asyncio.Event()
    await _whole(sale, replicas, scenario.timeout, watchers, stop)
    drill = _Drill(sale, place.url, scenario, replicas, watchers, stop)
    error = await drill.run(target, plan)
    return drill.outcome(place, error), error


async def _whole(
    sale: Sale, replicas: int, timeout: float, audience: Observers, stop: asyncio.Event
) -> None:
    """Wait until the sale is whole, or the drill is to stop; say so where that takes a while."""
    waiting = asyncio.create_task(ready(sale, replicas, timeout=timeout))
    stopping = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait({waiting, stopping}, timeout=SOON, return_when=FIRST)
        if not done:
            audience.tell(LogEntry(time.monotonic(), "note", "waiting until the sale is whole"))
            await asyncio.wait({waiting, stopping}, return_when=FIRST)
        if waiting.done():
            await waiting  # raises what kept it from that
    finally:
        for task in (waiting, stopping):
            task.cancel()
        await asyncio.gather(waiting, stopping, return_exceptions=True)


class _Drill:
    """One run: its three tasks, and what they leave behind."""

    def __init__(
        self,
        sale: Sale,
        url: str,
        scenario: Scenario,
        replicas: int,
        audience: Observers,
        stop: asyncio.Event,
    ) -> None:
        self._sale, self._url = sale, url
        self._scenario, self._replicas = scenario, replicas
        self._audience, self._stop = audience, stop
        self._entries: list[LogEntry] = []
        self._report: Report | None = None
        self._looked = asyncio.Event()  # set whenever the crowd reports
        self._figures = Figures()  # its newest
        self._enough = asyncio.Event()  # set when no more are to come
        self._eye = SaleMonitor(sale, self._happened, self._audience.see)
        self._director = StepRunner(sale, scenario, replicas, self._eye, self._tell, time.monotonic)

    async def run(self, target: LoadTarget, plan: Sequence[Step]) -> FlashsaleError | None:
        """Do everything; whatever ends it, the replicas are put back and the buyers waited for."""
        seconds = min(LONGEST, longest(tuple(plan), self._scenario.timeout))
        load = LoadPlan(target, self._scenario.rate, seconds, seed=self._scenario.seed)
        watching = asyncio.create_task(self._eye.watch(), name="watching the sale")
        buying = asyncio.create_task(
            coordinator.run(load, observer=self._look, stop=self._enough), name="buying"
        )
        acting = asyncio.create_task(self._act(plan), name="acting")
        stopped = asyncio.create_task(self._stop.wait(), name="waiting for stop")
        tasks = {watching, buying, acting, stopped}
        try:
            await asyncio.wait(tasks, return_when=FIRST)
            error = await self._ended(acting, watching, buying)
            self._enough.set()
            self._report = await buying
            return error
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._restore()

    def outcome(self, place: Environment, error: FlashsaleError | None) -> DrillResult:
        """Put everything together."""
        assert self._report
        director = self._director
        ended: End = "failed" if error else "interrupted" if self._stop.is_set() else "done"
        return DrillResult(
            self._scenario,
            place,
            self._replicas,
            self._report,
            self._eye.history,
            tuple(director.struck),
            tuple(director.skipped),
            tuple(director.scalings),
            tuple(director.phases),
            tuple(self._entries),
            ended,
            str(error) if error else "",
        )

    async def _act(self, plan: Sequence[Step]) -> None:
        await self._eye.open()
        await self._looked.wait()
        await self._director.direct(plan[:1])  # the first calm
        await self._sells()
        await self._director.direct(plan[1:])

    async def _sells(self) -> None:
        """Return once a purchase was confirmed, or if that cannot be known.

        Raises:
            NotReadyError: none is; it says why.
        """
        calm, known = self._figures, None
        try:
            async with asyncio.timeout(patience(self._scenario.rate, PATIENCE)):
                while (known := sells(calm, self._figures)) is None:
                    self._director.step = WAITING
                    self._looked.clear()
                    await self._looked.wait()
        except TimeoutError:
            return  # this machine sends nothing, which the crowd reports
        if not known:
            pods = self._eye.pods
            raise await why_not(
                self._sale, self._url, pods, self._figures, lambda text: self._say("step", text)
            )

    async def _ended(self, *tasks: asyncio.Task[Any]) -> FlashsaleError | None:
        """Stop acting, and find the error that ended the drill early.

        Raises:
            BaseException: whatever is no failure of the sale's but of ours.
        """
        acting, watching, buying = tasks
        if not acting.done():
            acting.cancel()
            await asyncio.wait({acting})
        if buying.done() and buying.exception():
            buying.result()  # no report without buyers
        for task in (acting, watching):
            if task.done() and not task.cancelled() and (error := task.exception()):
                if isinstance(error, FlashsaleError):
                    return error
                raise error
        return None

    async def _restore(self) -> None:
        try:
            if await self._director.restore(self._replicas):
                self._say("note", f"Back to {self._replicas} replicas, as before")
        except FlashsaleError as error:
            self._say("note", f"The replicas could not be put back: {error}")

    def _look(self, progress: LoadProgress) -> None:
        self._figures = progress.figures
        self._looked.set()
        director = self._director
        kills = len(director.struck)
        self._audience.look(Glance(director.step, progress, kills, self._scenario.kills))

    def _happened(self, happening: Happening) -> None:
        """Write down what the sale did by itself."""
        match happening:
            case state.Died(healing=one) if one.cause == "crashed" and not self._ours(one):
                self._say(
                    "accident", f"{one.victim} crashed; this drill did not kill it", one.victim
                )
            case state.Replaced(healing=one):
                whose = "" if self._ours(one) else f", which was {one.cause}, not by this drill"
                text = f"{one.replacement} replaces {one.victim}{whose}"
                self._say("created" if not whose else "accident", text, one.replacement)
            case state.Healed(healing=one):
                self._say(
                    "ready",
                    f"{one.replacement} is ready, {_after(one.ready, one)}",
                    one.replacement,
                )
            case state.Gone(healing=one):
                self._say("gone", f"{one.victim} is gone, {_after(one.gone, one)}", one.victim)
            case state.Scaled(before=before, after=after) if after != self._director.wanted:
                self._say("accident", f"somebody else scales from {before} to {after}")

    def _ours(self, healing: Healing) -> bool:
        return healing.victim_uid in self._director.aimed

    def _say(self, kind: EntryKind, text: str, pod: str | None = "") -> None:
        self._tell(LogEntry(time.monotonic(), kind, text, pod or ""))

    def _tell(self, entry: LogEntry) -> None:
        self._entries.append(entry)
        self._audience.tell(entry)


def _after(moment: float | None, healing: Healing) -> str:
    return f"{healing.seconds(moment) or 0.0:.2f} s after the death"
