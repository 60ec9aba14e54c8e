"""The terminal: painted sparingly, read key by key, and given back whatever happens."""

from __future__ import annotations

import asyncio
import fcntl
import io
import os
import pty
import re
import select
import signal
import sys
import termios
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count

import pytest
from rich.console import Console
from rich.text import Text

from flashsale.base.errors import ClusterUnreachableError, FlashsaleError
from flashsale.objects.models import ReplicaSet
from flashsale.sale.observe.monitor import SaleMonitor
from flashsale.sale.observe.observations import (
    Mark,
    Observation,
    ReplicaSetSeen,
    StreamSeen,
    Synced,
)
from flashsale.ui.watch.keys.key_queue import Act, Answer, KeyAction, Question
from flashsale.ui.watch.screen import ENTER, FRAME, LEAVE, Painter, Screen
from flashsale.ui.watch.view_model import Board, Panel
from flashsale.ui.watch.watch_session import WatchSession
from tests.ui.watch.view_models import PLACE, many, sight
from tests.virtual_time import in_virtual_time

LIMIT = 500.0  # seconds of virtual time that anything here may take on a busy machine: 10 real ones


class Paper:
    """A screen that is written on and never shown."""

    def __init__(self, width: int = 40, height: int = 5) -> None:
        self.file = io.StringIO()
        console = Console(file=self.file, width=width, height=height, force_terminal=True)
        self.screen = Screen(self.file, console)

    def taken(self) -> str:
        """What was written since the last time."""
        text = self.file.getvalue()
        self.file.seek(0)
        self.file.truncate()
        return text


def test_only_lines_that_differ_are_written() -> None:
    """One changed line of five costs one line; no change costs nothing."""
    paper = Paper()
    paper.screen.paint([Text("one"), Text("two"), Text("three")])
    paper.taken()
    assert paper.screen.paint([Text("one"), Text("TWO"), Text("three")])
    written = paper.taken()
    assert "TWO" in written
    assert "one" not in written
    assert not paper.screen.paint([Text("one"), Text("TWO"), Text("three")])
    assert paper.taken() == ""


def test_a_look_that_changes_is_a_change() -> None:
    """A flash that ends is written too."""
    paper = Paper()
    paper.screen.paint([Text("one", "reverse")])
    assert paper.screen.paint([Text("one")])


def test_after_a_resize_everything_is_written_anew() -> None:
    """Whatever the terminal made of the old lines is wiped."""
    paper = Paper()
    paper.screen.paint([Text("one")])
    paper.taken()
    paper.screen.forget()
    assert paper.screen.paint([Text("one")])
    assert "\x1b[2J" in paper.taken()


@in_virtual_time
async def test_a_storm_of_changes_is_painted_four_times_a_second() -> None:
    """A hundred changes a second, at most four frames."""
    paper, numbers = Paper(), count()

    def draw(size: tuple[int, int]) -> tuple[Sequence[Text], float]:
        return [Text(str(next(numbers)))], 3600.0

    painter = Painter(paper.screen, draw)
    task = asyncio.create_task(painter.run())
    began = asyncio.get_running_loop().time()
    for _ in range(100):
        painter.changed()
        await asyncio.sleep(0.01)
    took = asyncio.get_running_loop().time() - began
    task.cancel()
    assert 2 <= paper.screen.frames <= took / FRAME + 1


@in_virtual_time
async def test_a_change_after_a_calm_time_is_painted_at_once() -> None:
    """Nobody waits for a frame that has room."""
    paper, words = Paper(), "before"
    painter = Painter(paper.screen, lambda size: ([Text(words)], 3600.0))
    task = asyncio.create_task(painter.run())
    await asyncio.sleep(2 * FRAME)
    words = "after"
    painter.changed()
    async with asyncio.timeout(LIMIT):
        began = asyncio.get_running_loop().time()
        while paper.screen.frames < 2:  # noqa: ASYNC110 - the painter has no event to wait for
            await asyncio.sleep(0.001)
    assert asyncio.get_running_loop().time() - began < FRAME
    task.cancel()


@in_virtual_time
async def test_a_key_does_not_wait_for_the_next_frame() -> None:
    """A held arrow is followed, right after a frame too."""
    paper, words = Paper(), count()
    painter = Painter(paper.screen, lambda size: ([Text(str(next(words)))], 3600.0))
    task = asyncio.create_task(painter.run())
    began = asyncio.get_running_loop().time()
    for _ in range(3):
        painter.changed(hurry=True)
        before = paper.screen.frames
        async with asyncio.timeout(LIMIT):
            while paper.screen.frames == before:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.001)
    assert asyncio.get_running_loop().time() - began < 2 * FRAME
    task.cancel()


@in_virtual_time
async def test_nothing_is_painted_when_nothing_changed() -> None:
    """Looking at a clock is not painting."""
    paper = Paper()
    painter = Painter(paper.screen, lambda size: ([Text("same")], 0.0))
    task = asyncio.create_task(painter.run())
    for _ in range(5):
        painter.changed()
        await asyncio.sleep(FRAME / 2)
    task.cancel()
    assert paper.screen.frames == 1


@dataclass(slots=True)
class Terminal:
    """Both ends of a pseudo-terminal."""

    ours: int  # where a person would look and type
    theirs: int

    @asynccontextmanager
    async def show(
        self, news: AsyncGenerator[Observation], board: Board, **acts: Act
    ) -> AsyncIterator[WatchSession]:
        """A live view on it, of 80 by 24."""
        with os.fdopen(os.dup(self.theirs), "w") as out, os.fdopen(os.dup(self.theirs)) as typed:
            console = Console(file=out, width=80, height=24, force_terminal=True)
            keys = {"plus": "+", "minus": "-"}
            named = {
                keys.get(name, name): KeyAction(act, -1 if name == "minus" else 1)
                for name, act in acts.items()
            }
            async with SaleMonitor(news, state=board.state) as monitor:
                yield WatchSession(monitor, board, Screen(out, console), named, stdin=typed)

    @asynccontextmanager
    async def watching(
        self, news: AsyncGenerator[Observation], board: Board, **acts: Act
    ) -> AsyncIterator[WatchSession]:
        """A live view that is up and runs, until `q` ends it."""
        async with self.show(news, board, **acts) as show:
            task = asyncio.create_task(show.run())
            await noticed(self, "q quit")
            yield show
            assert not task.done()
            self.type("q")
            async with asyncio.timeout(LIMIT):
                await task

    def type(self, keys: str) -> None:
        """Type keys; only `select` waits until the kernel has brought them to the other end."""
        os.write(self.ours, keys.encode())
        arrived, _, _ = select.select([self.theirs], [], [], LIMIT / 50)
        assert arrived, "what was typed has not arrived"

    def unread(self) -> int:
        """How much was typed that nobody has read yet, in bytes."""
        return int.from_bytes(fcntl.ioctl(self.theirs, termios.FIONREAD, bytes(4)), sys.byteorder)

    def read(self) -> str:
        """What is there to read by now."""
        text = b""
        while True:
            try:
                text += os.read(self.ours, 65536)
            except BlockingIOError:
                return text.decode(errors="replace")


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """A pseudo-terminal whose near end does not block."""
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    yield Terminal(ours, theirs)
    os.close(ours)
    os.close(theirs)


async def silence() -> AsyncGenerator[Observation]:
    """No news."""
    await asyncio.Event().wait()
    yield StreamSeen(0.0, "pods", "live")


async def trouble() -> AsyncGenerator[Observation]:
    """A cluster that does not let us."""
    yield StreamSeen(0.0, "pods", "live")
    raise ClusterUnreachableError("not allowed")


async def noticed(terminal: Terminal, words: str) -> str:
    """Read until words appear."""
    text = ""
    async with asyncio.timeout(LIMIT):
        while words not in text:
            await asyncio.sleep(0.01)
            text += terminal.read()
    return text


@in_virtual_time
async def test_q_ends_it_and_the_terminal_is_as_before(terminal: Terminal) -> None:
    """Settings, screen and cursor."""
    before = termios.tcgetattr(terminal.theirs)
    async with terminal.show(silence(), many(3)) as view:
        show = asyncio.create_task(view.run())
        seen = await noticed(terminal, "flashsale-rs-00002")
        assert termios.tcgetattr(terminal.theirs) != before
        terminal.type("q")
        async with asyncio.timeout(LIMIT):
            await show
    assert seen.startswith(ENTER)
    assert terminal.read().endswith(LEAVE)
    assert termios.tcgetattr(terminal.theirs) == before


@pytest.mark.parametrize("end", ["failure", "cancellation", "time"])
@in_virtual_time
async def test_the_terminal_is_given_back_however_it_ends(terminal: Terminal, end: str) -> None:
    """A stream that fails, Ctrl-C, the end of `--for`."""
    before = termios.tcgetattr(terminal.theirs)
    news = trouble() if end == "failure" else silence()
    async with terminal.show(news, Board(PLACE)) as show:
        task = asyncio.create_task(show.run(0.3 if end == "time" else None))
        if end == "cancellation":
            await noticed(terminal, "connecting")
            task.cancel()
        async with asyncio.timeout(LIMIT):
            await asyncio.wait({task})
    assert task.cancelled() == (end == "cancellation")
    assert (not task.cancelled() and task.exception() is not None) == (end == "failure")
    assert terminal.read().endswith(LEAVE)
    assert termios.tcgetattr(terminal.theirs) == before


@in_virtual_time
async def test_keys_act_and_what_goes_wrong_is_an_answer(terminal: Terminal) -> None:
    """What a key did is known at once, by its mark; an error is a sentence at the bottom."""

    async def kill(board: Board, count: int) -> Answer:
        show.monitor.add(Mark(1.0, "flashsale-rs-00001"))
        return "flashsale-rs-00001 killed"

    async def scale(board: Board, by: int) -> Answer:
        raise FlashsaleError("Nobody scales here.")

    async with terminal.show(silence(), many(3), k=kill, plus=scale) as show:
        task = asyncio.create_task(show.run())
        await noticed(terminal, "q quit")
        terminal.type("k")
        await noticed(terminal, "flashsale-rs-00001 killed")
        terminal.type("x+")
        await noticed(terminal, "Nobody scales here.")
        terminal.type("q")
        async with asyncio.timeout(LIMIT):
            board = await task
    assert "flashsale-rs-00001" in board.state.marks


@in_virtual_time
async def test_a_question_waits_for_a_yes(terminal: Terminal) -> None:
    """Any other key is a no, and does nothing else."""
    done: list[int] = []

    async def really(board: Board, by: int) -> Answer:
        done.append(by)
        return "scaled to 0"

    async def scale(board: Board, by: int) -> Answer:
        return Question("Scale to 0?", really)

    async with terminal.watching(silence(), many(3), minus=scale):
        terminal.type("-")
        await noticed(terminal, "Scale to 0?")
        terminal.type("-")
        await noticed(terminal, "q quit")
        assert done == []
        terminal.type("-")
        await noticed(terminal, "Scale to 0?")
        terminal.type("y")
        await noticed(terminal, "scaled to 0")
    assert done == [1]


@in_virtual_time
async def test_a_panel_is_shown_and_left_again(terminal: Terminal) -> None:
    """While it is open, `q` closes it and not the view."""

    async def log(board: Board, count: int) -> Answer:
        return Panel("Log of a pod", ("first words",))

    async with terminal.watching(silence(), many(3), l=log):
        terminal.type("l")
        await noticed(terminal, "first words")
        terminal.type("q")
        await noticed(terminal, "q quit")


@in_virtual_time
async def test_every_key_of_a_burst_counts(terminal: Terminal) -> None:
    """In their order; those that add up are one act, and the next act sees what came of it."""
    acts: list[tuple[str, int]] = []

    async def kill(board: Board, count: int) -> Answer:
        acts.append(("kill", count))
        show.monitor.add(Mark(1.0, "flashsale-rs-00001"))
        return "killed"

    async def scale(board: Board, by: int) -> Answer:
        acts.append(("scale", by))
        assert board.state.marks
        return f"scaled by {by}"

    async with terminal.show(silence(), many(3), k=kill, plus=scale, minus=scale) as show:
        task = asyncio.create_task(show.run())
        await noticed(terminal, "q quit")
        terminal.type("kkk-+-----+kq+")
        async with asyncio.timeout(LIMIT):
            await task
    assert acts == [("kill", 3), ("scale", -4), ("kill", 1)]


@in_virtual_time
async def test_keys_that_are_typed_too_early_wait_until_it_is_known_what_is_there(
    terminal: Terminal,
) -> None:
    """Whoever types `+` before the first pod is seen does not scale to one."""
    wanted: list[int | None] = []
    connected = asyncio.Event()

    async def scale(board: Board, by: int) -> Answer:
        wanted.append(board.state.desired)
        return "scaled"

    async def late() -> AsyncGenerator[Observation]:
        await connected.wait()
        for number in range(3):
            yield sight(0.0, "listed", number)
        yield ReplicaSetSeen(0.0, ReplicaSet("flashsale-rs", "rs", 3, 3, 3, 0.0), 1)
        yield Synced(0.0)
        await asyncio.Event().wait()

    async with terminal.watching(late(), Board(PLACE), plus=scale):
        terminal.type("+")
        async with asyncio.timeout(LIMIT):
            while terminal.unread():  # noqa: ASYNC110 - the terminal tells nobody
                await asyncio.sleep(0.01)
        connected.set()
        await noticed(terminal, "scaled")
    assert wanted == [3]


@in_virtual_time
async def test_a_resize_is_followed(terminal: Terminal) -> None:
    """SIGWINCH repaints everything, in the new size."""
    async with terminal.watching(silence(), many(3)) as show:
        console = show.screen.console
        console.size = console.size._replace(width=60, height=10)  # type: ignore[misc]
        os.kill(os.getpid(), signal.SIGWINCH)
        again = await noticed(terminal, "q quit")
    assert "\x1b[2J" in again
    assert max(map(int, re.findall(r"\x1b\[(\d+);1H", again))) == 10


@in_virtual_time
async def test_news_are_on_the_screen_within_the_third_of_a_second() -> None:
    """From the observation to the terminal, after a calm time and in the middle of a storm."""
    news: asyncio.Queue[Observation] = asyncio.Queue()

    async def stream() -> AsyncGenerator[Observation]:
        while True:
            yield await news.get()

    loop, paper, text = asyncio.get_running_loop(), Paper(80, 24), ""
    with open(os.devnull) as nothing:  # noqa: ASYNC230 - there is nothing to wait for
        async with SaleMonitor(stream(), state=many(3).state) as monitor:
            view = WatchSession(monitor, many(3), paper.screen, stdin=nothing)
            task = asyncio.create_task(view.run(60.0))
            await asyncio.sleep(2 * FRAME)
            for status in ("Calm", "Storm"):
                began = loop.time()
                news.put_nowait(sight(began, "changed", 1, status=status))
                while status not in text:
                    await asyncio.sleep(0.01)
                    text += paper.taken()
                    assert loop.time() - began < 0.3
            task.cancel()


@in_virtual_time
async def test_without_a_keyboard_it_shows_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """`flashsale watch < /dev/null` on a terminal has no keys, and works."""
    paper = Paper(80, 24)
    with open(os.devnull) as nothing:  # noqa: ASYNC230 - there is nothing to wait for
        monkeypatch.setattr(sys, "stdin", nothing)
        async with SaleMonitor(silence(), state=many(3).state) as monitor:
            await WatchSession(monitor, many(3), paper.screen).run(0.3)
    assert "flashsale-rs-00002" in paper.taken()
