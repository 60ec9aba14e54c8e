"""When buyers come: the open model's schedule, decided before the first of them is sent.

The same plan gives the same purchases at the same moments however many workers share it: of N each
takes every N-th. Of random arrivals each walks the whole plan, for any depends on all before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice
from random import Random
from typing import Literal

Arrivals = Literal["even", "poisson"]
Arrival = tuple[int, float]  # the purchase's number from 0, its planned start in seconds from 0


def even(rate: float, seconds: float, part: int = 0, parts: int = 1) -> Iterator[Arrival]:
    """Plan ``rate`` purchases a second at equal distances, for ``seconds``; or a part of them."""
    for number in count(part, parts):
        at = number / rate
        if at >= seconds:
            return
        yield number, at


def poisson(rate: float, seconds: float, random: Random) -> Iterator[Arrival]:
    """Plan purchases that come independently of each other, ``rate`` a second on average."""
    at = random.expovariate(rate)
    for number in count():
        if at >= seconds:
            return
        yield number, at
        at += random.expovariate(rate)


def schedule(
    arrivals: Arrivals, rate: float, seconds: float, seed: int, part: int = 0, parts: int = 1
) -> Iterator[Arrival]:
    """Plan a run's purchases, or every ``parts``-th of them beginning with number ``part``."""
    if arrivals == "even":
        return even(rate, seconds, part, parts)
    return islice(poisson(rate, seconds, Random(seed)), part, None, parts)
