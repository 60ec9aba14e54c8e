"""Playing the course on a terminal: keys, the look at the sale, and commands that it types."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.text import Text

from flashsale.base.aio import end_tasks
from flashsale.base.errors import ClusterUnreachableError, FlashsaleError, NoSaleError
from flashsale.learn import course_state
from flashsale.learn.course_progress import read_progress, write_progress
from flashsale.learn.course_state import Tour
from flashsale.learn.evidence import Counts, Evidence
from flashsale.learn.facts import Facts
from flashsale.learn.look import LookOptions, hold_sale, look, nothing_open
from flashsale.learn.step import Step
from flashsale.learn.views.course_view import closing_lines, course_lines
from flashsale.sale.observe.healing import (
    SCALED,
    Adopted,
    Died,
    Healed,
    Healing,
    NotReplaced,
    Replaced,
)
from flashsale.sale.observe.monitor import SaleMonitor
from flashsale.sale.observe.state import DOUBT, Update
from flashsale.ui.watch.screen import Keyboard, Painter, Screen, signals

SHORTEST, LONGEST = 0.3, 1.5  # seconds between two looks
AGAIN = 1.0  # seconds until the next try, where nothing answers
STALE = 3600.0  # seconds for which a picture may stay: something always changes before
KEPT = 200  # lines of a command's output
LONG = ("created", "scheduled", "started", "ready", "gone", "routed", "died")


async def play(
    steps: tuple[Step, ...],
    chosen: Step | None,
    place: LookOptions,
    home: Path,
    at_place: Callable[[str], str],
) -> Sequence[str]:
    """Play until the learner quits; return what to say then.

    Args:
        at_place: adds to a command of ours what was typed of the cluster.

    Raises:
        BadInputError, FlashsaleError: the state folder cannot be written.
    """
    tour = course_state.begin(steps, read_progress(home), chosen, time.time())
    write_progress(home, tour.progress)  # what cannot be kept is said before the screen opens
    course = CourseRunner(tour, place, home, at_place, Screen(sys.stdout))
    await course.run()
    return closing_lines(course.tour)


@dataclass(slots=True)
class CourseRunner:
    tour: Tour
    place: LookOptions
    home: Path
    at_place: Callable[[str], str]
    screen: Screen
    _painter: Painter = field(init=False)
    _ended: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _typing: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self._painter = Painter(self.screen, self._draw)

    async def run(self) -> None:
        """Show until somebody quits; the terminal is given back as it was."""
        keyboard = Keyboard(self.press)
        self._prepare()
        with self.screen, keyboard, signals(self._painter, keyboard):
            tasks = [
                asyncio.create_task(self._painter.run(), name="learn: paint"),
                asyncio.create_task(self._follow(), name="learn: look at the sale"),
            ]
            ended = asyncio.create_task(self._ended.wait())
            try:
                done, _ = await asyncio.wait([*tasks, ended], return_when="FIRST_COMPLETED")
                for task in done:
                    task.result()
            finally:
                await end_tasks(*tasks, ended, *filter(None, [self._typing]))
                self._save()

    def press(self, key: str) -> None:
        tour, effect = course_state.press(self.tour, key, time.time())
        self._show(tour)
        self._prepare()
        if effect == "quit":
            self._ended.set()
        elif effect == "show":
            self._typing = asyncio.create_task(self._type(tour.commands), name="learn: type")
        self._news.set()

    def _show(self, tour: Tour) -> None:
        changed = tour.progress != self.tour.progress
        self.tour = tour
        if changed:
            self._save()
        self._painter.changed()

    def _save(self) -> None:
        try:
            write_progress(self.home, self.tour.progress)
        except FlashsaleError as error:
            self.tour = replace(self.tour, message=str(error))

    def _draw(self, size: tuple[int, int]) -> tuple[Sequence[Text], float]:
        return course_lines(self.tour, size, self.at_place), STALE

    def _prepare(self) -> None:
        """Hand out the folder of a step that has one, once."""
        tour = self.tour
        make = tour.step.prepare
        if make is None or tour.part not in ("ask", "do") or tour.record.prepared:
            return
        here = Path.cwd()
        where = here if os.access(here, os.W_OK) else self.home
        try:
            folder = make(where)
        except (OSError, FlashsaleError) as error:
            self._show(replace(tour, message=f"The folder cannot be written: {error}"))
            return
        self._show(tour.noting(prepared=str(folder.absolute())))

    async def _follow(self) -> None:
        """Look at the sale again and again: before it is there, while it is, and after it."""
        while True:
            try:
                async with hold_sale(self.place) as (sale, folder):
                    seen = Watched()
                    monitor = SaleMonitor.of(
                        sale, seen.see, self._hear, needs_cluster=False, needs_replicaset=False
                    )
                    async with monitor:
                        while True:
                            busy = self.tour.part in ("ask", "do")
                            extras = self.tour.step.extras if busy else ()
                            facts = await look(sale, folder, extras)
                            self._see(facts, seen.evidence())
                            await self._next_look()
                            if facts.state == "closed":
                                break
            except NoSaleError as error:
                self._see(nothing_open(str(error)))
            except FlashsaleError as error:
                known = self.tour.facts if isinstance(error, ClusterUnreachableError) else Facts()
                command = error.hint.command
                self._see(replace(known, state="silent", why=str(error), command=command))
            await asyncio.sleep(AGAIN)

    def _hear(self, update: Update) -> None:
        self._news.set()

    async def _next_look(self) -> None:
        self._news.clear()
        await asyncio.sleep(SHORTEST)
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST - SHORTEST):
                await self._news.wait()

    def _see(self, facts: Facts, watched: Evidence | None = None) -> None:
        if facts.state == "silent":  # nothing is known now; what was known stays
            self._show(replace(self.tour, facts=replace(facts, evidence=self.tour.facts.evidence)))
            return
        tour = self.tour
        if watched is not None:
            tour = replace(tour, watched=tour.watched.plus(watched))
        self._show(course_state.see(tour, facts, time.time()))

    async def _type(self, commands: Sequence[str]) -> None:
        """Type commands for the learner, one after the other, and show what they print."""
        try:
            for command in map(self.at_place, commands):
                self._show(replace(self.tour, running=command))
                self._print(f"$ {command}")
                await self._run(command)
                self._news.set()
        finally:
            self._show(course_state.command_ended(self.tour, time.time()))
        self._prepare()  # the learner may have gone on to a step that hands out a folder

    async def _run(self, command: str) -> None:
        programs = os.path.dirname(sys.executable)  # ours lies there
        path = os.pathsep.join([programs, os.environ.get("PATH", os.defpath)])
        process = await asyncio.create_subprocess_shell(
            command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "PATH": path, "NO_COLOR": "1"},
        )
        assert process.stdout is not None
        try:
            async for line in process.stdout:
                self._print(line.decode(errors="replace").rstrip("\n"))
            await process.wait()
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
                await process.wait()

    def _print(self, line: str) -> None:
        self._show(replace(self.tour, output=(*self.tour.output, line)[-KEPT:]))


class Watched:
    """Notes what the monitor sees, with its exact moments; an observer."""

    def __init__(self) -> None:
        self._shift = time.time() - time.monotonic()
        self._healings: dict[str, Healing] = {}
        self._adopted: set[str] = set()
        self._surplus: dict[str, float] = {}  # what scaling removed, and when that was seen
        self._counts: list[Counts] = []

    def see(self, update: Update) -> None:
        for happening in update.happenings:
            if isinstance(happening, Died | Replaced | Healed) and not happening.healing.in_place:
                self._healings[happening.healing.victim] = happening.healing
                self._surplus.pop(happening.healing.victim, None)
            elif isinstance(happening, NotReplaced):
                self._healings.pop(happening.healing.victim, None)
                if happening.why == SCALED and happening.healing.cause == "deleted":
                    self._surplus[happening.healing.victim] = happening.at
            elif isinstance(happening, Adopted):
                self._adopted.add(happening.pod)
        replicaset = update.state.replicaset
        if replicaset is None:
            return
        now = Counts(
            update.observation.at, replicaset.desired, replicaset.current, replicaset.ready
        )
        if not self._counts or replace(self._counts[-1], at=now.at) != now:
            self._counts.append(now)

    def evidence(self, now: Callable[[], float] = time.monotonic) -> Evidence:
        """Give what was seen; moments of healings in unix seconds, as the API's are.

        Surplus pods come without their events: Kubernetes writes few of those about one ReplicaSet
        (25, then one in five minutes). They come late, for the monitor may think better of it.
        """
        sure = now() - DOUBT
        surplus = frozenset(name for name, at in self._surplus.items() if at < sure)
        shifted = {name: self._on_the_wall(healing) for name, healing in self._healings.items()}
        return Evidence(
            healings=shifted,
            adopted=frozenset(self._adopted),
            surplus=surplus,
            counts=tuple(self._counts),
        )

    def _on_the_wall(self, healing: Healing) -> Healing:
        moments = {name: getattr(healing, name) for name in LONG}
        return replace(
            healing, **{name: at + self._shift for name, at in moments.items() if at is not None}
        )
