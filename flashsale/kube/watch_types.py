"""What watching tells, what it needs, and how long it waits: the types of :mod:`.watching`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from flashsale.objects.models import Object

Clock = Callable[[], float]  # seconds


@dataclass(frozen=True, slots=True)
class Resynced:
    """Everything there is: the first thing that is told."""

    at: float  # monotonic seconds, on arrival
    objects: tuple[Object, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    at: float  # monotonic seconds, on arrival
    type: Literal["ADDED", "MODIFIED", "DELETED"]
    object: Object  # for DELETED its last state
    relisted: bool = False  # found by listing again: it happened earlier, perhaps with more between


@dataclass(frozen=True, slots=True)
class Stream:
    """How fresh the news are. `resynced` is live again after a gap, all differences told."""

    at: float  # monotonic seconds
    state: Literal["live", "reconnecting", "resynced"]
    attempt: int = 0  # tries since the last success
    heard: float = 0.0  # when the server last said anything, monotonic seconds
    why: str = ""  # one line, for reconnecting


Change = Resynced | Changed | Stream


@dataclass(frozen=True, slots=True)
class WatchTimeouts:
    """How long to wait for what, in seconds."""

    silence: float = 70.0  # without a line; servers send a bookmark about every minute
    look: float = 2.0  # between looks whether it was silent for too long, or the machine slept
    quiet: float = 4.0  # without news, after which the server is asked whether it is there
    answer: float = 6.0  # for its answer to that
    slept: float = 5.0  # that the wall clock may run ahead of the monotonic one between two looks
    first: float = 0.1  # pause before the second try; doubles from there
    longest: float = 4.0  # pause
    brief: float = 1.0  # a watch that ends sooner, without a word, is a failure
    lease: int = 280  # that one watch is asked to last; servers choose 30-60 minutes otherwise
