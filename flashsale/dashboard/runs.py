"""The crowd and the drill that were started from the page: one at a time, ended with the server.

Each connects to the sale by itself, as `flashsale load` and `flashsale drill` do, and is told to
whoever watches the sale in another window.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from flashsale.base.aio import end_tasks
from flashsale.base.errors import BadInputError, FlashsaleError, Hint, RefusedError
from flashsale.base.text import counted
from flashsale.dashboard import dashboard_state as states
from flashsale.dashboard.dashboard_state import Crowd, DrillView, Trouble
from flashsale.dashboard.follow import Connect, SaleFollower
from flashsale.drill import past_drills
from flashsale.drill.analysis.verdict import analyse
from flashsale.drill.environment import read_environment
from flashsale.drill.preflight import WayToSale, nothing_confirmed_error
from flashsale.drill.report.drill_document import Document, build_drill_document
from flashsale.drill.result import LogEntry
from flashsale.drill.runner import DrillProgress, Observers, run_drill
from flashsale.drill.scenario import Scenario, plan_steps
from flashsale.load.coordinator import run_load
from flashsale.load.plan import LONGEST, LoadPlan
from flashsale.load.results import Figures, LoadProgress
from flashsale.load.status_file import StatusFile
from flashsale.load.target import find_target
from flashsale.sale.kill.kill_method import KillMethod
from flashsale.sale.kill.kill_node import check_node_death
from flashsale.sale.observe.observations import Mark, ReplicaSetSeen
from flashsale.sale.observe.state import Update
from flashsale.sale.session import Sale
from flashsale.sale.url import open_url

ActionArguments = Mapping[str, Any]
RunKind = Literal["crowd", "drill"]
STOP_FIRST = Hint(words="stop it first")
KILL_METHODS = {  # by the names of the page's buttons
    "graceful": KillMethod(),
    "hard": KillMethod(grace=0),
    "process": KillMethod(process=True),
}


class Runs:
    """Starts and stops them; a context manager that leaves none behind."""

    def __init__(
        self, follower: SaleFollower, connect: Connect, home: Path, *, allow_remote: bool = False
    ) -> None:
        """Prepare.

        Args:
            connect: finds the sale as every command does.
            home: the state folder, where a load announces itself.
            allow_remote: let buyers go to addresses that are neither loopback nor private.
        """
        self.last_drill: Document | None = None
        self._follower, self._connect, self._home = follower, connect, home
        self._allow_remote = allow_remote
        self._kind: RunKind = "crowd"
        self._task: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()

    async def __aenter__(self) -> Runs:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task:
            await end_tasks(self._task)

    async def start_load(self, arguments: ActionArguments) -> str:
        """Send buyers until they are stopped: `flashsale load`."""
        rate = _number(arguments.get("rate", 100), "flashsale load --rate 100")
        begun = asyncio.get_running_loop().create_future()
        await self._begin("crowd", self._send_crowd(rate, begun), begun)
        return f"{rate:g} buyers a second."

    async def start_drill(self, arguments: ActionArguments) -> str:
        """Run a drill: `flashsale drill`."""
        again = "flashsale drill --rate 100 --kills 3 --scale 5"
        scenario = Scenario(
            rate=_number(arguments.get("rate", 100), again),
            kills=_whole(arguments.get("kills", 3), again),
            scale_to=_whole(arguments.get("scale", 5), again),
            kill_method=asked_kill_method(arguments),
            kill_node=arguments.get("node") is True,
            seed=random.randrange(1_000_000),
        )
        begun = asyncio.get_running_loop().create_future()
        await self._begin("drill", self._run_drill(scenario, begun), begun)
        then = " Then a node dies." if scenario.kill_node else ""
        each = "Each" if scenario.kills > 1 else "It"
        kills = f"{counted(scenario.kills, 'kill')}. {each} {scenario.kill_description}"
        return f"The drill began: {kills if scenario.kills else 'no kills'}.{then}"

    async def stop_load(self, arguments: ActionArguments) -> str:
        """Send no more buyers; those under way are waited for."""
        return await self._end("crowd", "No buyers come any more.")

    async def stop_drill(self, arguments: ActionArguments) -> str:
        """Do nothing more to the sale, and put the replicas back."""
        return await self._end("drill", "The drill was stopped.")

    async def _begin(
        self, kind: RunKind, work: Coroutine[Any, Any, None], begun: asyncio.Future[None]
    ) -> None:
        """Start work, and return once it is under way; what fails before that is raised."""
        if self._task and not self._task.done():
            work.close()
            what = {"crowd": "Buyers are coming already", "drill": "A drill is running already"}
            raise RefusedError(f"{what[self._kind]}.", hint=STOP_FIRST)
        self._kind, self._stop = kind, asyncio.Event()
        self._task = asyncio.create_task(work, name=f"dashboard: {kind}")
        await asyncio.wait({self._task, begun}, return_when=asyncio.FIRST_COMPLETED)
        if not begun.done():
            await self._task

    async def _end(self, kind: RunKind, done: str) -> str:
        if self._task is None or self._task.done() or self._kind != kind:
            raise FlashsaleError(
                "Nothing is running that could be stopped.", hint=Hint(words="start it first")
            )
        self._stop.set()
        with suppress(FlashsaleError):
            await asyncio.shield(self._task)
        return done

    async def _send_crowd(self, rate: float, begun: asyncio.Future[None]) -> None:
        follower = self._follower
        async with self._connect() as sale, open_url(sale) as url:
            target = find_target(url, allow_remote=self._allow_remote)
            plan = LoadPlan(target, rate, LONGEST)
            follower.show(replace(follower.state, crowd=Crowd(rate)))
            begun.set_result(None)
            ended = ""
            try:
                with StatusFile(self._home, self._on_load) as status:
                    report = await run_load(plan, observer=status, stop=self._stop)
                ended = await _crowd_line(sale, target.url, report.figures)
                self._on_load(_last_word(report.figures))
            except FlashsaleError as error:
                ended = str(error)
            finally:
                self._crowd_ended(ended)

    async def _run_drill(self, scenario: Scenario, begun: asyncio.Future[None]) -> None:
        follower = self._follower
        async with self._connect() as sale, open_url(sale) as url:
            wait = await check_node_death(sale) if scenario.kill_node else 0.0
            plan = plan_steps(scenario, await sale.desired(), wait)
            target = find_target(url, allow_remote=self._allow_remote)
            way = WayToSale(url, target, run_load)
            environment = await read_environment(sale, url)
            view = DrillView(planned_kills=scenario.kills)
            follower.show(replace(follower.state, drill=view, crowd=Crowd(scenario.rate)))
            begun.set_result(None)
            try:
                with StatusFile(self._home, self._on_load) as status:
                    observers = self._drill_observers(status)
                    result, error = await run_drill(
                        *(sale, way, environment, scenario, plan),
                        observers=observers,
                        stop=self._stop,
                    )
                self.last_drill = build_drill_document(result, analyse(result))
                self._on_load(_last_word(result.report.figures))
                past_drills.remember(self._home, self.last_drill)
                self._judged(self.last_drill, error)
            except FlashsaleError as error:
                self._change_drill(failure=Trouble.of(error))
            finally:
                self._change_drill(running=False)
                self._crowd_ended("")

    def _drill_observers(self, status: StatusFile) -> Observers:
        def on_progress(progress: DrillProgress) -> None:
            self._change_drill(step=progress.step, kills=progress.kills)
            status(progress.load)

        def on_log(entry: LogEntry) -> None:
            if entry.kind in ("step", "note", "skipped", "accident"):
                self._change_drill(step=entry.text)

        def on_update(update: Update) -> None:  # what it does is known before the news of it
            ours = isinstance(update.observation, Mark | ReplicaSetSeen)
            if ours and self._follower.monitor:
                self._follower.monitor.add(update.observation)

        return Observers(on_progress=on_progress, on_log=on_log, on_update=on_update)

    def _on_load(self, progress: LoadProgress) -> None:
        follower = self._follower
        follower.show(states.with_progress(follower.state, progress, time.monotonic()))

    def _crowd_ended(self, ended: str) -> None:
        state = self._follower.state
        if state.crowd:
            crowd = replace(state.crowd, running=False, ended=ended)
            self._follower.show(replace(state, crowd=crowd))

    def _judged(self, drill: Document, error: FlashsaleError | None) -> None:
        self._change_drill(
            verdict=drill["verdict"],
            reason=drill["reason"],
            summary=tuple(drill["summary"]),
            failure=Trouble.of(error) if error else None,
        )

    def _change_drill(self, **known: Any) -> None:
        state = self._follower.state
        if state.drill:
            self._follower.show(replace(state, drill=replace(state.drill, **known)))


def _last_word(figures: Figures) -> LoadProgress:
    """Say what all became of; the last report under way was a little earlier."""
    return LoadProgress(figures.seconds, figures.seconds, 0.0, figures)


async def _crowd_line(sale: Sale, url: str, figures: Figures) -> str:
    if figures.sent and not figures.confirmed:
        return str(await nothing_confirmed_error(sale, url, figures))
    return f"{figures.sent:,} sent, {figures.confirmed:,} confirmed, {figures.lost:,} lost"


def _number(typed: Any, again: str) -> float:
    try:
        return float(str(typed))
    except ValueError:
        raise BadInputError(f"'{typed}' is not a number.", hint=again) from None


def _whole(typed: Any, again: str) -> int:
    try:
        return int(str(typed))
    except ValueError:
        raise BadInputError(f"'{typed}' is not a whole number.", hint=again) from None


def asked_kill_method(arguments: ActionArguments) -> KillMethod:
    """Read how to kill; BadInputError if there is no such way."""
    how = arguments.get("how", "graceful")
    if how not in KILL_METHODS:
        raise BadInputError(f"'{how}' is no way to kill a pod.", hint="flashsale kill-pod --help")
    return KILL_METHODS[how]
