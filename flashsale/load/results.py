"""What load measured, in plain figures: shared by what counts and what shows them.

Everything here is pure. Moments are seconds from the run's start unless a name says
otherwise; durations that people read are milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from flashsale.base.errors import Hint, PurchasesLostError
from flashsale.base.text import counted


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Durations in milliseconds; the percentiles within 0.4 % of the exact ones."""

    p50: float = 0.0
    p90: float = 0.0
    p99: float = 0.0
    max: float = 0.0

    def to_json(self) -> dict[str, float]:
        """Write the figures to three decimals: whole microseconds."""
        return {name: round(figure, 3) for name, figure in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Loss:
    """One purchase without a complete answer."""

    at_seconds: float  # its planned start
    ended_seconds: float  # when the connection failed or patience ended
    loss_class: str  # refused, reset, timeout or other
    pod: str = ""  # known on kept connections only: the pod of the answer before
    reused: bool = False  # it went out on a kept connection


@dataclass(frozen=True, slots=True)
class Second:
    """What became of the purchases planned within one second."""

    at: int
    confirmed: int
    rejected: int
    lost: int
    latency_ms: Quantiles


@dataclass(frozen=True, slots=True)
class Generator:
    """How well this machine did at sending: what it could not do is not the sale's fault."""

    workers: int = 1  # processes that sent
    busy: float = 0.0  # share of one core that the busiest of them used, 0 to 1
    waiting: float = 0.0  # share of the time in which one could have sent and had no core, 0 to 1
    lag_ms: Quantiles = field(default_factory=Quantiles)  # start after planned start
    # ports, files, memory, behind, worker: count
    unsent: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "workers": self.workers,
            "busy": round(self.busy, 3),
            "waiting": round(self.waiting, 3),
            "lag_ms": self.lag_ms.to_json(),
        }


@dataclass(slots=True)
class WorkerFigures:
    """One worker's part of the totals; only the ledger counts on in it."""

    name: str
    node: str = ""  # of the cluster; empty for a process on this machine
    sent: int = 0
    confirmed: int = 0
    rejected: int = 0
    lost: int = 0
    not_sent: int = 0
    clock_offset_ms: float = 0.0  # its clock before this machine's

    @property
    def ended(self) -> int:
        """Purchases that were answered or lost."""
        return self.confirmed + self.rejected + self.lost


@dataclass(frozen=True, slots=True)
class Figures:
    """The totals: planned = sent + unsent, and at the end sent = confirmed + rejected + lost."""

    sent: int = 0
    confirmed: int = 0
    rejected: int = 0
    seconds: float = 0.0  # from the first planned start to the last answer
    rate: float = 0.0  # purchases sent a second, while there were any to send
    late: int = 0  # started over 10 ms after their planned start
    connections: int = 0  # opened for them; fewer than sent where they were kept
    latency_ms: Quantiles = field(default_factory=Quantiles)  # of complete answers, from planned
    pods: Mapping[str, int] = field(default_factory=dict)  # confirmed purchases by pod
    errors: Mapping[str, int] = field(default_factory=dict)  # lost purchases by class
    other_errors: Mapping[str, int] = field(default_factory=dict)  # class "other" by its cause
    statuses: Mapping[int, int] = field(default_factory=dict)  # complete answers by HTTP status
    rejections: Mapping[str, int] = field(default_factory=dict)  # by reason, most first
    generator: Generator = field(default_factory=Generator)
    workers: tuple[WorkerFigures, ...] = ()

    @property
    def lost(self) -> int:
        """Purchases without a complete answer."""
        return sum(self.errors.values())

    @property
    def unsent(self) -> int:
        """Planned purchases that this machine could not send."""
        return sum(self.generator.unsent.values())

    @property
    def planned(self) -> int:
        """Purchases whose moment came."""
        return self.sent + self.unsent

    @property
    def in_flight(self) -> int:
        """Purchases that were sent and have not ended: 0 in a report."""
        return self.sent - self.confirmed - self.rejected - self.lost

    def to_json(self) -> dict[str, Any]:
        """Write the `load` document of the command line's contract, and a few keys more."""
        return {
            "sent": self.sent,
            "confirmed": self.confirmed,
            "rejected": self.rejected,
            "lost": self.lost,
            "seconds": round(self.seconds, 3),
            "rate": round(self.rate, 3),
            "late": self.late,
            "latency_ms": self.latency_ms.to_json(),
            "pods": dict(sorted(self.pods.items())),
            "errors": dict(self.errors),
            "other_errors": dict(self.other_errors),
            "rejections": dict(self.rejections),
            "statuses": {str(status): n for status, n in sorted(self.statuses.items())},
            "planned": self.planned,
            "unsent": dict(self.generator.unsent),
            "not_sent": self.unsent,
            "connections": self.connections,
            "generator": self.generator.to_json(),
            "workers": [asdict(worker) for worker in self.workers],
        }


LOSS_WORDS = {
    "refused": "connection refused",
    "reset": "connection reset",
    "timeout": "no answer in time",
}


def loss_counts(errors: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """Count losses by what people read: those of the class "other" by their causes."""
    named = {LOSS_WORDS[name]: count for name, count in errors.items() if name in LOSS_WORDS}
    return {**named, **other}


def failure_counts(figures: Figures) -> str:
    """Say how purchases failed, and how often: `HTTP 404 (120), connection reset (3)`."""
    losses = loss_counts(figures.errors, figures.other_errors)
    failures = {**figures.rejections, **losses}
    return ", ".join(f"{name} ({count:,})" for name, count in failures.items() if count)


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """A run under way, for a live view."""

    elapsed: float  # seconds
    planned_seconds: float  # how long buyers are to come
    rate_now: float  # answers in the newest whole second
    figures: Figures


@dataclass(frozen=True, slots=True)
class Report:
    """A finished run, to the single loss."""

    figures: Figures
    timeline: tuple[Second, ...]  # by planned second, without gaps
    answers: Mapping[int, Mapping[str, int]]  # confirmed by the second of the answer, and pod
    firsts: Mapping[str, float]  # when each pod first confirmed a purchase
    losses: tuple[Loss, ...]  # in order of their planned start
    losses_unlisted: int  # counted in the figures, too many to list
    started_monotonic: float  # `time.monotonic()` of second 0: the clock of healings
    started_unix: float  # the same moment in unix seconds
    keepalive: bool = False
    interrupted: bool = False  # stopped before the plan's end


def purchases_lost_error(lost: int, allowed: int, hint: Hint | str) -> PurchasesLostError:
    """Make the error of a run that lost more purchases than `--max-lost` allows."""
    were = f"{counted(lost, 'purchase')} {'was' if lost == 1 else 'were'} lost"
    return PurchasesLostError(f"{were}; {allowed:,} may be.", hint=hint)
