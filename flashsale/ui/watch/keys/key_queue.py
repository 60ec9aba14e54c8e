"""Keys that wait to be acted on: none is lost, and those that add up are acted on together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Union

from flashsale.ui.watch.view_model import Board, Panel

Answer = Union[str, Panel, "Question"]  # what to say or to show, or to ask before anything is done
Act = Callable[[Board, int], Awaitable[Answer]]  # what the board shows, and how much is wanted


@dataclass(frozen=True, slots=True)
class Question:
    """Something to be asked first; ``act`` is done after a yes."""

    text: str
    act: Act


@dataclass(frozen=True, slots=True)
class KeyAction:
    """What a key does. Keys that do the same add their amounts up."""

    act: Act
    amount: int = 1


class KeyQueue:
    """The keys that were typed and not acted on yet, in their order."""

    def __init__(self, actions: Mapping[str, KeyAction]) -> None:
        self._actions = actions
        self._waiting: list[KeyAction] = []
        self._news = asyncio.Event()
        self.ended = asyncio.Event()  # no more are to come

    def add(self, key: str) -> None:
        """Take in a key; one that does nothing is none."""
        if key in self._actions and not self.ended.is_set():
            self._waiting.append(self._actions[key])
            self._news.set()

    def put(self, action: KeyAction) -> None:
        """Take in something to do that no key stands for, such as the yes to a question."""
        self._waiting.append(action)
        self._news.set()

    def end(self) -> None:
        """Say that no more keys are to come."""
        self.ended.set()
        self._news.set()

    async def next(self) -> KeyAction | None:
        """Wait for the next thing to do, all keys in a row that do it added up; None at the end."""
        while True:
            if self._waiting:
                action = self._taken()
                if action.amount:
                    return action
            elif self.ended.is_set():
                return None
            else:
                self._news.clear()
                await self._news.wait()

    def _taken(self) -> KeyAction:
        act = self._waiting[0].act
        amount = 0
        while self._waiting and self._waiting[0].act is act:
            amount += self._waiting.pop(0).amount
        return KeyAction(act, amount)
