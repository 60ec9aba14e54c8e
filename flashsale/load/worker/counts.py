"""What one worker counted since its last message. Cheap to add to, for it is added to every time.

All moments are seconds of the run. A tally is emptied into a message four times a second, so its
size depends on neither the rate nor the length of the run.
"""

from __future__ import annotations

from typing import Any

from flashsale.load.worker.classify import UNNAMED, Limit, LossClass
from flashsale.load.worker.histogram import bucket

LATE = 0.010  # seconds after its planned start from which a purchase counts as started late
MOST_PODS = 1000  # names a run tells apart; a server that invents a name an answer is no pod
MOST_REASONS = 20  # of rejections, or of losses, a run tells apart: each answer may name another
OTHER_REASONS, OTHER_CAUSES = "other answers", "other causes"
MOST_LOSSES = 100_000  # listed a worker; the rest is counted only

Cell = list[Any]  # of one planned second: confirmed, rejected, lost, histogram of latencies


class Tally:
    """Counts of one worker; :meth:`take` hands them over and begins anew."""

    __slots__ = (
        "_causes",
        "_known",
        "_listed",
        "_reasons",
        "answers",
        "cells",
        "connections",
        "errors",
        "firsts",
        "lag",
        "late",
        "losses",
        "other_errors",
        "rejections",
        "sent",
        "slowest",
        "slowest_lag",
        "statuses",
        "unsent",
    )

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._listed = 0
        self._reasons: set[str] = set()
        self._causes: set[str] = set()
        self._begin()

    def _begin(self) -> None:
        self.sent = self.connections = self.late = self.slowest = self.slowest_lag = 0
        self.cells: dict[int, Cell] = {}
        self.answers: dict[int, dict[str, int]] = {}
        self.firsts: dict[str, float] = {}
        self.statuses: dict[int, int] = {}
        self.rejections: dict[str, int] = {}
        self.errors: dict[str, int] = {}
        self.other_errors: dict[str, int] = {}
        self.losses: list[list[Any]] = []
        self.unsent: dict[str, int] = {}
        self.lag: dict[int, int] = {}

    def started(self, planned: float, now: float, *, reused: bool = False) -> None:
        """Count a purchase that was sent, on a kept connection or on one of its own."""
        lag = now - planned
        micros = int(lag * 1e6)
        self.sent += 1
        self.connections += not reused
        self.late += lag > LATE
        self.slowest_lag = max(self.slowest_lag, micros)
        index = bucket(micros)
        self.lag[index] = self.lag.get(index, 0) + 1

    def not_sent(self, limit: Limit) -> None:
        """Count a purchase that this machine could not send."""
        self.unsent[limit] = self.unsent.get(limit, 0) + 1

    def answered(
        self, planned: float, now: float, status: int, *, rejection: str, pod: str
    ) -> None:
        """Count a complete answer; it confirms where there is no reason for a rejection."""
        micros = int((now - planned) * 1e6)
        self.slowest = max(self.slowest, micros)
        self.statuses[status] = self.statuses.get(status, 0) + 1
        cell = self._cell(planned)
        histogram, index = cell[3], bucket(micros)
        histogram[index] = histogram.get(index, 0) + 1
        if rejection:
            cell[1] += 1
            self._reject(rejection)
            return
        cell[0] += 1
        pods = self.answers.setdefault(int(now), {})
        if pod not in self._known:
            pod = self._new(pod, now)
        pods[pod] = pods.get(pod, 0) + 1

    def lost(
        self,
        planned: float,
        now: float,
        kind: LossClass,
        *,
        pod: str = "",
        reused: bool = False,
        why: str = "",
    ) -> None:
        """Count a purchase that got no complete answer; of the class "other" say why."""
        self._cell(planned)[2] += 1
        self.errors[kind] = self.errors.get(kind, 0) + 1
        if kind == "other":
            why = bounded(why, self._causes, OTHER_CAUSES)
            self.other_errors[why] = self.other_errors.get(why, 0) + 1
        self._listed += 1
        if self._listed <= MOST_LOSSES:
            self.losses.append([round(planned, 6), round(now, 6), kind, pod, reused])

    def take(self) -> dict[str, Any]:
        """Hand over everything counted since the last time, as JSON, and begin anew."""
        message = {name: getattr(self, name) for name in self.__slots__ if not name.startswith("_")}
        self._begin()
        return message

    def _cell(self, planned: float) -> Cell:
        second = int(planned)
        cell = self.cells.get(second)
        if cell is None:
            cell = self.cells[second] = [0, 0, 0, {}]
        return cell

    def _reject(self, reason: str) -> None:
        reason = bounded(reason, self._reasons, OTHER_REASONS)
        self.rejections[reason] = self.rejections.get(reason, 0) + 1

    def _new(self, pod: str, now: float) -> str:
        """Remember a pod's first purchase; past the bound all new names count as one."""
        if not pod or len(self._known) >= MOST_PODS:
            return UNNAMED
        self._known.add(pod)
        self.firsts[pod] = now
        return pod


def bounded(reason: str, known: set[str], rest: str) -> str:
    """Give a reason to count by, and remember it; past the bound all new ones count as one."""
    if reason not in known:
        if len(known) >= MOST_REASONS:
            return rest
        known.add(reason)
    return reason
