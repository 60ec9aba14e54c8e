"""What a step of the course is: text, a prediction, commands to type, checks, and what they showed.

Texts may have words in braces, such as `{desired}`: see :meth:`flashsale.learn.facts.Facts.words`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flashsale.learn.facts import Facts

log = logging.getLogger(__name__)
GOAL_LINES = 4


@dataclass(frozen=True, slots=True)
class Seen:
    """What a check saw: whether its fact holds, and what there is, in a few words."""

    holds: bool
    text: str


@dataclass(frozen=True, slots=True)
class Check:
    """A fact that is not there before the step's deed, and is there after it."""

    fact: str
    look: Callable[[Facts], Seen]


@dataclass(frozen=True, slots=True)
class Prediction:
    """A question before the deed."""

    text: str
    choices: tuple[str, str, str]
    right: int  # 1 to 3


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    title: str
    goal: str  # lines as they are shown, four at most
    prediction: Prediction
    task: tuple[str, ...]  # what to do; commands are lines that begin with `$ `
    checks: tuple[Check, ...]
    hints: tuple[str, str]  # the third hint is the commands
    commands: tuple[str, ...]  # what `a` types, each a line of a shell
    reveal: Callable[[Facts], Sequence[str]]
    extras: frozenset[str] = frozenset()  # what to look at besides: "purchases", "answer"
    prepare: Callable[[Path], Path] | None = None  # makes a folder in this one, and names it
    needs_sale: bool = True  # it makes no sense before one is open
    before: str = "close"  # a teacher's own step stands before this one

    def look(self, facts: Facts) -> list[Seen]:
        """Look at all its checks; one of a teacher's that fails has seen nothing."""
        return [_looked(check, facts) for check in self.checks]


def _looked(check: Check, facts: Facts) -> Seen:
    try:
        return check.look(facts)
    except Exception as error:  # a teacher's code may raise anything
        log.warning("the check '%s' failed", check.fact, exc_info=error)
        return Seen(False, f"the check itself failed: {type(error).__name__}: {error}")


def filled_in(text: str, words: Mapping[str, str]) -> str:
    """Put words in the place of their names in braces; other braces stay."""
    return re.sub(r"\{(\w+)\}", lambda match: words.get(match[1], match[0]), text)
