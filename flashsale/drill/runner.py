"""Running a drill: load, watch and take the steps at once; then restore the replicas and report."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flashsale.base.aio import end_tasks
from flashsale.base.errors import FlashsaleError
from flashsale.base.text import seconds
from flashsale.drill.history import History
from flashsale.drill.preflight import WAITING, WayToSale, is_selling, not_selling_error, patience
from flashsale.drill.result import DrillResult, End, EntryKind, Environment, LogEntry
from flashsale.drill.scenario import DrillStep, Scenario, longest_seconds
from flashsale.drill.steps import StepRunner
from flashsale.load.plan import LONGEST, PATIENCE, LoadPlan
from flashsale.load.results import Figures, LoadProgress, Report
from flashsale.sale.observe import healing as healings
from flashsale.sale.observe.healing import Happening, Healing
from flashsale.sale.observe.monitor import SaleMonitor
from flashsale.sale.observe.state import Update
from flashsale.sale.ready.conditions import Deadline
from flashsale.sale.ready.readiness import wait_until_ready
from flashsale.sale.session import Sale

FIRST = asyncio.FIRST_COMPLETED
SOON = 0.5  # seconds after which waiting deserves a word


@dataclass(frozen=True, slots=True)
class DrillProgress:
    """A drill under way, for a live view."""

    step: str
    load: LoadProgress
    kills: int  # so far
    planned_kills: int


@dataclass(frozen=True, slots=True)
class Observers:
    """Who looks on; each must return quickly."""

    on_progress: Callable[[DrillProgress], None] = lambda progress: None  # four times a second
    on_log: Callable[[LogEntry], None] = lambda entry: None  # with each thing, as it happens
    on_update: Callable[[Update], None] = lambda update: None  # with everything seen


async def run_drill(
    sale: Sale,
    way: WayToSale,
    environment: Environment,
    scenario: Scenario,
    plan: Sequence[DrillStep],
    *,
    observers: Observers | None = None,
    stop: asyncio.Event | None = None,
) -> tuple[DrillResult, FlashsaleError | None]:
    """Carry out a plan, put the replicas back as they were, and report what happened.

    A sale that confirms no purchase in the first seconds is left alone: the drill ends there.

    Args:
        stop: when set, nothing more is done to the sale, sending ends, and the result so far is
            returned.

    Returns:
        The result, and the error that ended it early, if one did.

    Raises:
        NotReadyError: the sale was not whole to begin with.
    """
    replicas = await sale.desired()
    observers, stop = observers or Observers(), stop or asyncio.Event()
    await _wait_until_whole(sale, replicas, scenario.timeout, observers, stop)
    drill = _Drill(sale, way, environment, scenario, replicas, observers, stop)
    error = await drill.run(plan)
    return drill.result(error), error


async def _wait_until_whole(
    sale: Sale, replicas: int, timeout: float, observers: Observers, stop: asyncio.Event
) -> None:
    """Wait until the sale is whole, or the drill is to stop; say so where that takes a while."""
    waiting = asyncio.create_task(_wait_until_ready(sale, replicas, timeout))
    stopping = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait({waiting, stopping}, timeout=SOON, return_when=FIRST)
        if not done:
            observers.on_log(LogEntry(time.monotonic(), "note", "waiting until the sale is whole"))
            await asyncio.wait({waiting, stopping}, return_when=FIRST)
        if waiting.done():
            await waiting  # raises what kept it from that
    finally:
        await end_tasks(waiting, stopping)


async def _wait_until_ready(sale: Sale, replicas: int, timeout: float) -> None:
    async with SaleMonitor.of(sale) as monitor:
        await wait_until_ready(monitor, replicas, Deadline.after(timeout))


class _Drill:
    """One run: its three tasks, and what they leave behind."""

    def __init__(
        self,
        sale: Sale,
        way: WayToSale,
        environment: Environment,
        scenario: Scenario,
        replicas: int,
        observers: Observers,
        stop: asyncio.Event,
    ) -> None:
        self._sale, self._way, self._environment = sale, way, environment
        self._scenario, self._replicas = scenario, replicas
        self._observers, self._stop = observers, stop
        self._entries: list[LogEntry] = []
        self._report: Report | None = None
        self._progressed = asyncio.Event()  # set whenever the load reports
        self._figures = Figures()  # its newest
        self._enough = asyncio.Event()  # set when no more purchases are to start
        self._history = History()
        self._monitor = SaleMonitor.of(
            sale, self._history.see, observers.on_update, self._see, nodes=True
        )
        self._steps = StepRunner(scenario, replicas, self._monitor, self._history, self._log)

    async def run(self, plan: Sequence[DrillStep]) -> FlashsaleError | None:
        """Do everything; whatever ends it, the replicas are put back and the buyers waited for."""
        longest = min(LONGEST, longest_seconds(tuple(plan), self._scenario.timeout))
        load = LoadPlan(self._way.target, self._scenario.rate, longest, seed=self._scenario.seed)
        try:
            async with self._monitor:
                return await self._run_tasks(load, plan)
        finally:
            await self._restore()

    async def _run_tasks(self, load: LoadPlan, plan: Sequence[DrillStep]) -> FlashsaleError | None:
        watching = asyncio.create_task(self._monitor.until_it_ends(), name="watching the sale")
        buying = asyncio.create_task(
            self._way.run_load(load, observer=self._on_load, stop=self._enough), name="buying"
        )
        acting = asyncio.create_task(self._act(plan), name="acting")
        stopped = asyncio.create_task(self._stop.wait(), name="waiting for stop")
        tasks = {watching, buying, acting, stopped}
        try:
            await asyncio.wait(tasks, return_when=FIRST)
            error = await self._early_end(acting, watching, buying)
            self._enough.set()
            self._report = await buying
            return error
        finally:
            await end_tasks(*tasks)

    def result(self, error: FlashsaleError | None) -> DrillResult:
        assert self._report
        steps = self._steps
        ended: End = "failed" if error else "interrupted" if self._stop.is_set() else "done"
        return DrillResult(
            self._scenario,
            self._environment,
            self._replicas,
            self._report,
            self._history,
            tuple(steps.kills),
            tuple(steps.skipped),
            tuple(steps.scalings),
            tuple(steps.phases),
            tuple(self._entries),
            ended,
            str(error) if error else "",
            tuple(steps.node_deaths),
        )

    async def _act(self, plan: Sequence[DrillStep]) -> None:
        await self._monitor.until_synced()
        await self._progressed.wait()
        await self._steps.run(plan[:1])  # the first calm
        await self._require_a_purchase()
        await self._steps.run(plan[1:])

    async def _require_a_purchase(self) -> None:
        """Return once a purchase is confirmed, or nobody can know; NotReadyError if none is."""
        calm, known = self._figures, None
        try:
            async with asyncio.timeout(patience(self._scenario.rate, PATIENCE)):
                while (known := is_selling(calm, self._figures)) is None:
                    self._steps.step = WAITING
                    self._progressed.clear()
                    await self._progressed.wait()
        except TimeoutError:
            return  # this machine sends nothing, which the load reports
        if not known:
            way, pods = self._way, self._monitor.state.own
            raise await not_selling_error(
                self._sale, way, pods, self._figures, lambda text: self._record("step", text)
            )

    async def _early_end(self, *tasks: asyncio.Task[Any]) -> FlashsaleError | None:
        """Stop acting, and find the error that ended the drill early.

        Raises:
            BaseException: whatever is a bug, and no failure of the sale.
        """
        acting, watching, buying = tasks
        if not acting.done():
            acting.cancel()
            await asyncio.wait({acting})
        if buying.done() and buying.exception():
            buying.result()  # no report without purchases
        for task in (acting, watching):
            if task.done() and not task.cancelled() and (error := task.exception()):
                if isinstance(error, FlashsaleError):
                    return error
                raise error
        return None

    async def _restore(self) -> None:
        try:
            if await self._steps.restore(self._replicas):
                self._record("note", f"Back to {self._replicas} replicas, as before")
        except FlashsaleError as error:
            self._record("note", f"The replicas could not be put back: {error}")

    def _on_load(self, progress: LoadProgress) -> None:
        self._figures = progress.figures
        self._progressed.set()
        step, kills, planned = self._steps.step, len(self._steps.kills), self._scenario.kills
        self._observers.on_progress(DrillProgress(step, progress, kills, planned))

    def _see(self, update: Update) -> None:
        for happening in update.happenings if update.state.synced else ():
            self._happened(happening)

    def _happened(self, happening: Happening) -> None:
        """Record what the sale did by itself."""
        match happening:
            case healings.Died(healing=healing) if self._crashed(healing):
                text = f"{healing.victim} crashed; this drill did not kill it"
                self._record("accident", text, healing.victim)
            case healings.Replaced(healing=healing):
                killed = self._killed(healing)
                whose = "" if killed else f", which was {healing.cause}, not by this drill"
                text = f"{healing.replacement} replaces {healing.victim}{whose}"
                self._record("created" if killed else "accident", text, healing.replacement)
            case healings.Healed(healing=healing):
                text = f"{healing.replacement} is ready, {_after(healing.ready, healing)}"
                self._record("ready", text, healing.replacement)
            case healings.Gone(healing=healing):
                text = f"{healing.victim} is gone, {_after(healing.gone, healing)}"
                self._record("gone", text, healing.victim)
            case healings.Scaled(before=before, after=after) if after != self._steps.desired:
                self._record("accident", f"somebody else scales from {before} to {after}")

    def _crashed(self, healing: Healing) -> bool:
        return healing.cause == "crashed" and not self._killed(healing)

    def _killed(self, healing: Healing) -> bool:
        return healing.victim_uid in self._steps.targeted

    def _record(self, kind: EntryKind, text: str, pod: str | None = "") -> None:
        self._log(LogEntry(time.monotonic(), kind, text, pod or ""))

    def _log(self, entry: LogEntry) -> None:
        self._entries.append(entry)
        self._observers.on_log(entry)


def _after(moment: float | None, healing: Healing) -> str:
    return f"{seconds(healing.seconds(moment) or 0.0)} after the death"
