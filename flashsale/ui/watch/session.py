"""Watching, in each of its forms: on a screen with keys, as lines, or once."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TextIO

from rich.console import Group
from rich.text import Text

from flashsale.base.errors import FlashsaleError
from flashsale.sale.observe.observations import Observation, Synced
from flashsale.sale.observe.state import Happening
from flashsale.ui.console import printed, width
from flashsale.ui.watch.key_queue import KeyAction, Typed
from flashsale.ui.watch.layout import left, lines, page
from flashsale.ui.watch.load_status import Buyers
from flashsale.ui.watch.screen import Keyboard, Painter, Screen, signals
from flashsale.ui.watch.view_model import Board, Now, answered, next_change, seen

LOOK = 1.0  # seconds between two looks at what a load announces
QUIT = ("q", "Q", "\x03", "\x04")
GOODBYE = 3.0  # seconds for what was typed before `q`
Told = Callable[[Board, Board, Observation, Sequence[Happening], float], None]


@dataclass(slots=True)
class Clocks:
    """The two clocks, and how they belong together."""

    mono: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time

    def now(self) -> Now:
        """This moment on both."""
        return Now(self.mono(), self.wall())

    def wall_of(self, at: float) -> float:
        """Turn a moment of arrival into unix seconds."""
        return self.wall() - (self.mono() - at)


@dataclass(slots=True)
class WatchSession:
    """The live view on a terminal: tasks that read, paint, look for buyers, and act on keys."""

    observations: AsyncIterator[Observation]
    board: Board
    screen: Screen
    actions: Mapping[str, KeyAction] = field(default_factory=dict)  # by key
    clocks: Clocks = field(default_factory=Clocks)
    stdin: TextIO | None = None
    buyers: Buyers | None = None  # to look for a load that runs meanwhile
    _known: asyncio.Event = field(default_factory=asyncio.Event)  # what there is

    def __post_init__(self) -> None:
        if self.board.synced:
            self._known.set()

    async def run(self, duration: float | None = None) -> Board:
        """Show until `q` is pressed or ``duration`` seconds are over; return what was last seen.

        Raises whatever reading the observations raises; the terminal is given back before.
        """
        painter, keys = Painter(self.screen, self._draw), Typed(self.actions)
        keyboard = Keyboard(lambda key: keys.end() if key in QUIT else keys.add(key), self.stdin)
        with self.screen, keyboard, signals(painter, keyboard), suppress(TimeoutError):
            async with asyncio.timeout(duration), asyncio.TaskGroup() as group:
                acting = group.create_task(self._act(keys, painter), name="watch: act on keys")
                tasks = {
                    acting,
                    group.create_task(self._read(painter), name="watch: read"),
                    group.create_task(painter.run(), name="watch: paint"),
                    group.create_task(self._look(painter), name="watch: look for buyers"),
                }
                await keys.ended.wait()
                await asyncio.wait({acting}, timeout=GOODBYE)
                for task in tasks:
                    task.cancel()
        return self.board

    def _draw(self, size: tuple[int, int]) -> tuple[Sequence[Text], float]:
        now = self.clocks.now()
        return lines(self.board, size, now), next_change(self.board, now)

    async def _read(self, painter: Painter) -> None:
        async for observation in self.observations:
            self.board, _ = seen(self.board, observation)
            if self.board.synced:
                self._known.set()
            painter.changed()

    async def _look(self, painter: Painter) -> None:
        """Look once a second how a load fares."""
        while self.buyers:
            names = [one.pod.name for one in self.board.state.pods.values()]
            found = self.buyers.look(names)
            if found != self.board.purchases:
                self.board = replace(self.board, purchases=found)
                painter.changed()
            await asyncio.sleep(LOOK)

    async def _act(self, keys: Typed, painter: Painter) -> None:
        """Do what keys ask for, one after the other; what goes wrong is an answer like any other.

        Nothing is done before it is known what there is: keys may be typed while we connect.
        """
        while action := await keys.next():
            await self._known.wait()
            try:
                message, known = await action.act(self.board, action.amount)
            except FlashsaleError as error:
                message, known = str(error), ()
            for observation in known:
                self.board, _ = seen(self.board, observation)
            self.board = answered(self.board, message, self.clocks.mono())
            painter.changed()


async def told(
    observations: AsyncIterator[Observation],
    board: Board,
    tell: Told,
    *,
    duration: float | None = None,
    once: bool = False,
    clocks: Clocks | None = None,
) -> Board:
    """Hand each observation on with what it changed; return what was last seen.

    Args:
        tell: gets the boards before and after, the observation, what it meant, and unix seconds.
        duration: seconds after which it ends.
        once: end as soon as everything that is there has been told.
    """
    clocks = clocks or Clocks()
    with suppress(TimeoutError):
        async with asyncio.timeout(duration):
            async for observation in observations:
                before = board
                board, said = seen(before, observation)
                tell(before, board, observation, said, clocks.wall_of(observation.at))
                if once and isinstance(observation, Synced):
                    break
    return board


def farewell(board: Board, *, file: TextIO | None = None, clocks: Clocks | None = None) -> None:
    """Print what the live view leaves behind: the screen it was on is gone."""
    with suppress(OSError):  # the terminal may be gone as well
        printed(Group(*left(board, (clocks or Clocks()).now())), file or sys.stdout)


def snapshot(board: Board, *, file: TextIO | None = None, clocks: Clocks | None = None) -> None:
    """Print the view once, as long as it has to be."""
    stream, now = file or sys.stdout, (clocks or Clocks()).now()
    columns = width(stream)
    size = (columns or 0, len(board.rows) + 30)
    printed(Group(*(lines(board, size, now, keys="") if columns else page(board, now))), stream)
