"""Watching, in each of its forms: on a screen with keys, as lines, or once."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TextIO

from rich.console import Group
from rich.text import Text

from flashsale.base.errors import FlashsaleError
from flashsale.sale.observe.monitor import SaleMonitor
from flashsale.sale.observe.state import Update
from flashsale.ui.console import printed, width
from flashsale.ui.watch.keys.key_queue import Answer, KeyAction, KeyQueue, Question
from flashsale.ui.watch.keys.navigation import navigate
from flashsale.ui.watch.layout import WIDE, lasting_lines, screen_lines, whole_page
from flashsale.ui.watch.load_status import Buyers
from flashsale.ui.watch.screen import Keyboard, Painter, Screen, signals
from flashsale.ui.watch.view_model import Board, Now, Panel, add_update, next_change, with_message

LOOK = 1.0  # seconds between two looks at what a load announces
QUIT = ("q", "Q", "\x03", "\x04")
LAST_KEYS = 3.0  # seconds for what was typed before `q`
WriteLines = Callable[[Board, Board, Update, float], None]


@dataclass(slots=True)
class WatchSession:
    """The live view on a terminal: tasks that paint, look for buyers, and act on keys."""

    monitor: SaleMonitor
    board: Board
    screen: Screen
    actions: Mapping[str, KeyAction] = field(default_factory=dict)  # by key
    stdin: TextIO | None = None
    buyers: Buyers | None = None  # to look for a load that runs meanwhile
    _asked: Question | None = None
    _painter: Painter = field(init=False)
    _keys: KeyQueue = field(init=False)

    def __post_init__(self) -> None:
        self._painter = Painter(self.screen, self._draw)
        self._keys = KeyQueue(self.actions)
        self.monitor.add_observer(self.see)

    def see(self, update: Update) -> None:
        self._show(add_update(self.board, update))

    def set_url(self, url: str) -> None:
        self._show(replace(self.board, place=replace(self.board.place, url=url)))

    async def run(self, duration: float | None = None) -> Board:
        """Show until `q` is pressed or ``duration`` seconds are over; return what was last seen.

        Raises whatever ends the monitor; the terminal is given back before.
        """
        keyboard = Keyboard(self.press, self.stdin)
        with self.screen, keyboard, signals(self._painter, keyboard), suppress(TimeoutError):
            async with asyncio.timeout(duration), asyncio.TaskGroup() as group:
                acting = group.create_task(self._act(), name="watch: act on keys")
                tasks = {
                    acting,
                    group.create_task(self.monitor.until_it_ends(), name="watch: monitor"),
                    group.create_task(self._painter.run(), name="watch: paint"),
                    group.create_task(self._look(), name="watch: look for buyers"),
                }
                await self._keys.ended.wait()
                await asyncio.wait({acting}, timeout=LAST_KEYS)
                for task in tasks:
                    task.cancel()
        return self.board

    def press(self, key: str) -> None:
        """Take in one key: for the question, for what is shown, to quit, or to be acted on."""
        if self._asked:
            self._reply(self._asked, key)
            return
        if key in QUIT and not (self.board.panel and key in "qQ"):
            self._keys.end()
            return
        shown = navigate(self.board, key, Now.read(), self.screen.size)
        if shown is not None:
            self._show(shown, hurry=True)
        else:
            self._keys.add(key)

    def _reply(self, question: Question, key: str) -> None:
        self._asked = None
        self._show(replace(self.board, question=""))
        if key in ("y", "Y"):
            self._keys.put(KeyAction(question.act))
        elif key in QUIT:
            self._keys.end()

    def _show(self, board: Board, *, hurry: bool = False) -> None:
        self.board = board
        self._painter.changed(hurry=hurry)

    def _draw(self, size: tuple[int, int]) -> tuple[Sequence[Text], float]:
        now = Now.read()
        return screen_lines(self.board, size, now), next_change(self.board, now)

    async def _look(self) -> None:
        """Look once a second how a load fares."""
        while self.buyers:
            names = [pod.pod.name for pod in self.board.state.pods.values()]
            buyers = self.buyers.look(names)
            if buyers != self.board.purchases:
                self._show(replace(self.board, purchases=buyers))
            await asyncio.sleep(LOOK)

    async def _act(self) -> None:
        """Do what keys ask for, one after the other; what goes wrong is an answer like any other.

        Nothing is done before it is known what there is: keys may be typed while we connect.
        """
        while action := await self._keys.next():
            await self.monitor.until(lambda _: True)
            try:
                answer = await action.act(self.board, action.amount)
            except FlashsaleError as error:
                answer = str(error)
            self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        match answer:
            case Question(text=text):
                self._asked = answer
                self._show(replace(self.board, question=text), hurry=True)
            case Panel():
                self._show(replace(self.board, panel=answer), hurry=True)
            case str():
                self._show(with_message(self.board, answer, time.monotonic()), hurry=True)


class LineWriter:
    """Writes what each update changed; an observer of the monitor where there is no screen."""

    def __init__(self, board: Board, write: WriteLines) -> None:
        self.board = board
        self._write = write

    def see(self, update: Update) -> None:
        """Take in one update, and hand on the boards before and after it."""
        before, self.board = self.board, add_update(self.board, update)
        self._write(before, self.board, update, Now.read().unix_time(update.observation.at))


def print_last(board: Board) -> None:
    """Print what the live view leaves behind: the screen it was on is gone."""
    with suppress(OSError):  # the terminal may be gone as well
        columns = width(sys.stdout) or WIDE
        printed(Group(*lasting_lines(board, Now.read(), columns)), sys.stdout)


def print_once(board: Board) -> None:
    """Print the view once, as long as it has to be."""
    now = Now.read()
    if columns := width(sys.stdout):
        lines = screen_lines(board, (columns, len(board.rows) + 30), now, keys="")
    else:
        lines = whole_page(board, now)
    printed(Group(*lines), sys.stdout)
