"""What a run of load is to do. A plan is checked once, here, and then travels to every worker."""

from __future__ import annotations

import math
from dataclasses import dataclass

from flashsale.base.errors import BadInputError
from flashsale.base.text import plain_number
from flashsale.load.worker.orders import LoadTarget, Orders
from flashsale.load.worker.schedule import Arrivals, schedule

FASTEST = 200_000  # purchases a second; more is a typing mistake
LONGEST = 24 * 3600  # seconds
PATIENCE = 5.0  # seconds a buyer waits for the answer


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """An open model: so many purchases a second, whatever comes; BadInputError for odd figures."""

    target: LoadTarget
    rate: float  # purchases a second
    seconds: float  # how long new buyers come; those under way are then waited for
    arrivals: Arrivals = "even"
    seed: int = 0  # of poisson arrivals
    keepalive: bool = False  # buyers share kept connections instead of each opening one
    timeout: float = PATIENCE  # seconds from a purchase's start until it counts as lost
    workers: int = 0  # processes that send; 0 lets the rate decide

    def __post_init__(self) -> None:
        _within("rate", self.rate, FASTEST, "purchases a second")
        _within("for", self.seconds, LONGEST, "seconds")
        _within("timeout", self.timeout, LONGEST, "seconds")

    def orders(self, part: int, parts: int) -> Orders:
        """Say what one of ``parts`` workers is to do."""
        return Orders(
            self.target,
            self.rate,
            self.seconds,
            self.arrivals,
            self.seed,
            self.keepalive,
            self.timeout,
            part,
            parts,
        )

    def planned(self, until: float, part: int, parts: int) -> int:
        """Count the purchases of one of ``parts`` workers that are due before a second."""
        seconds = min(until, self.seconds)
        plan = schedule(self.arrivals, self.rate, seconds, self.seed, part, parts)
        return sum(1 for _ in plan)


def _within(name: str, figure: float, most: float, unit: str) -> None:
    if not (math.isfinite(figure) and 0 < figure <= most):
        raise BadInputError(
            f"--{name} must be above 0 and at most {most:,} {unit}, not {plain_number(figure)}.",
            hint="flashsale load --rate 100 --for 30s",
        )
