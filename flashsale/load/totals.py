"""The run's one ledger: what all workers counted, merged, and read out as figures.

Latencies are kept a second apart until nobody can add to that second any more; then only its
percentiles stay and its histogram joins the total. So memory grows with a run's seconds, by a few
numbers each, and never with its purchases; single losses are listed up to a bound.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flashsale.load.results import (
    Figures,
    Generator,
    LoadProgress,
    Loss,
    Quantiles,
    Report,
    Second,
    WorkerFigures,
)
from flashsale.load.worker.classify import LOSS_CLASSES
from flashsale.load.worker.histogram import percentiles

UNTOLD = 0.35  # seconds of which workers may still have to tell: they do so every 0.25 s
LISTED = 100_000  # losses listed one by one; more are counted only
SHARES = (0.5, 0.9, 0.99)


@dataclass(slots=True)
class _Cell:
    """One planned second that may still change."""

    confirmed: int = 0
    rejected: int = 0
    lost: int = 0
    latency: Counter[int] = field(default_factory=Counter)

    def row(self, at: int) -> Second:
        return Second(at, self.confirmed, self.rejected, self.lost, quantiles(self.latency))


@dataclass(slots=True)
class Ledger:
    """Everything known of a run; workers' messages go in, figures come out."""

    workers: int = 1
    sent: int = 0
    connections: int = 0
    late: int = 0
    slowest: int = 0  # microseconds, exact
    slowest_lag: int = 0  # microseconds, exact
    busy: float = 0.0
    waiting: float = 0.0
    ended: float = 0.0  # the run's second at which the last worker had its last answer
    sending_ended: float = 0.0  # the run's second at which the last purchase was due
    statuses: Counter[int] = field(default_factory=Counter)
    rejections: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    other_errors: Counter[str] = field(default_factory=Counter)
    unsent: Counter[str] = field(default_factory=Counter)
    pods: Counter[str] = field(default_factory=Counter)
    answers: dict[int, Counter[str]] = field(default_factory=dict)
    firsts: dict[str, float] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)
    parts: list[WorkerFigures] = field(init=False)
    _confirmed: int = 0
    _rejected: int = 0
    _latency: Counter[int] = field(default_factory=Counter)  # of closed seconds
    _lag: Counter[int] = field(default_factory=Counter)
    _open: dict[int, _Cell] = field(default_factory=dict)
    _closed: dict[int, Second] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.parts = [WorkerFigures(f"worker-{part}") for part in range(self.workers)]

    def add(self, message: Mapping[str, Any], part: int = 0) -> None:
        """Merge what a worker counted: a :meth:`Tally.take`, straight or through JSON."""
        self._add_part(self.parts[part], message)
        self.sent += message["sent"]
        self.connections += message["connections"]
        self.late += message["late"]
        self.slowest = max(self.slowest, message["slowest"])
        self.slowest_lag = max(self.slowest_lag, message["slowest_lag"])
        self.statuses.update(whole(message["statuses"]))
        self._lag.update(whole(message["lag"]))
        self.rejections.update(message["rejections"])
        self.errors.update(message["errors"])
        self.other_errors.update(message["other_errors"])
        self.unsent.update(message["unsent"])
        for pod, moment in message["firsts"].items():
            self.firsts[pod] = min(moment, self.firsts.get(pod, moment))
        for second, pods in whole(message["answers"]).items():
            self.answers.setdefault(second, Counter()).update(pods)
            self.pods.update(pods)
        for second, cell in whole(message["cells"]).items():
            self._add_cell(second, cell)
        for loss in message["losses"][: LISTED - len(self.losses)]:
            self.losses.append(Loss(*loss))

    def give_up(self, part: int, planned: int) -> None:
        """Book a worker's purchases of which nothing is heard any more as not sent.

        Those that it had started are among them: what became of them is known to nobody.

        Args:
            planned: how many were its part of the run.
        """
        worker = self.parts[part]
        unknown = max(0, planned - worker.ended - worker.not_sent)
        self.sent += worker.ended - worker.sent
        worker.sent = worker.ended
        worker.not_sent += unknown
        if unknown:
            self.unsent["worker"] += unknown

    def close(self, before: int) -> None:
        """Close all planned seconds before this one: nobody can add to them any more."""
        for second in [second for second in self._open if second < before]:
            cell = self._open.pop(second)
            self._closed[second] = add_late(self._closed.get(second), cell.row(second))
            self._latency.update(cell.latency)

    def figures(self) -> Figures:
        latency = self._latency.copy()
        for cell in self._open.values():
            latency.update(cell.latency)
        return Figures(
            sent=self.sent,
            confirmed=self._confirmed,
            rejected=self._rejected,
            seconds=self.ended,
            rate=self.sent / self.sending_ended if self.sending_ended else 0.0,
            late=self.late,
            connections=self.connections,
            latency_ms=quantiles(latency, self.slowest),
            pods=dict(self.pods),
            errors={kind: self.errors[kind] for kind in LOSS_CLASSES if kind in self.errors},
            statuses=dict(self.statuses),
            rejections=dict(self.rejections.most_common()),
            other_errors=dict(self.other_errors.most_common()),
            generator=Generator(
                self.workers,
                self.busy,
                self.waiting,
                quantiles(self._lag, self.slowest_lag),
                dict(self.unsent),
            ),
            workers=tuple(map(replace, self.parts)),
        )

    def progress(self, elapsed: float, planned_seconds: float) -> LoadProgress:
        """Read out what a live view shows."""
        newest = int(elapsed - UNTOLD) - 1
        rate = float(sum(self.answers.get(newest, {}).values()))
        return LoadProgress(elapsed, planned_seconds, rate, self.figures())

    def report(
        self,
        *,
        started_monotonic: float,
        started_unix: float,
        keepalive: bool = False,
        interrupted: bool = False,
    ) -> Report:
        """Close the ledger and read out all of it."""
        self.close(before=max(self._open, default=0) + 1)
        figures = self.figures()
        return Report(
            figures=figures,
            timeline=tuple(self._timeline()),
            answers={second: dict(self.answers[second]) for second in sorted(self.answers)},
            firsts=dict(self.firsts),
            losses=tuple(sorted(self.losses, key=lambda loss: loss.at_seconds)),
            losses_unlisted=figures.lost - len(self.losses),
            started_monotonic=started_monotonic,
            started_unix=started_unix,
            keepalive=keepalive,
            interrupted=interrupted,
        )

    def _add_part(self, worker: WorkerFigures, message: Mapping[str, Any]) -> None:
        worker.sent += message["sent"]
        worker.not_sent += sum(message["unsent"].values())
        for confirmed, rejected, lost, _ in message["cells"].values():
            worker.confirmed += confirmed
            worker.rejected += rejected
            worker.lost += lost

    def _add_cell(self, second: int, counts: list[Any]) -> None:
        confirmed, rejected, lost, latency = counts
        cell = self._open.setdefault(second, _Cell())
        cell.confirmed += confirmed
        cell.rejected += rejected
        cell.lost += lost
        cell.latency.update(whole(latency))
        self._confirmed += confirmed
        self._rejected += rejected

    def _timeline(self) -> Iterable[Second]:
        for at in range(max(self._closed, default=-1) + 1):
            yield self._closed.get(at) or _Cell().row(at)


def add_late(closed: Second | None, late: Second) -> Second:
    """Add a straggler to a closed second: the counts stay exact, the percentiles the worse ones."""
    if closed is None:
        return late
    before, more = closed.latency_ms, late.latency_ms
    return Second(
        closed.at,
        closed.confirmed + late.confirmed,
        closed.rejected + late.rejected,
        closed.lost + late.lost,
        max(before, more, key=lambda latency: latency.max),
    )


def quantiles(counts: Mapping[int, int], slowest: int | None = None) -> Quantiles:
    """Read a histogram of microseconds out in milliseconds, bounded by the exact slowest."""
    if not counts:
        return Quantiles()
    *percents, longest = percentiles(counts, (*SHARES, 1.0))
    most = longest if slowest is None else slowest
    p50, p90, p99 = (min(micros, most) / 1000 for micros in percents)
    return Quantiles(p50, p90, p99, most / 1000)


def whole(counts: Mapping[Any, Any]) -> dict[int, Any]:
    """Give whole numbers back to keys that JSON made text."""
    return {int(key): value for key, value in counts.items()}
