"""What one worker counted since its last message. Cheap to add to, for it is added to every time.

All moments are seconds of the run. A tally is emptied into a message four times a second, so its
size depends on neither the rate nor the length of the run.
"""

from __future__ import annotations

from collections import Counter, defaultdict
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

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._listed = 0
        self._reasons: set[str] = set()
        self._causes: set[str] = set()
        self._begin()

    def _begin(self) -> None:
        self.sent = self.connections = self.late = self.slowest = self.slowest_lag = 0
        self.cells: defaultdict[int, Cell] = defaultdict(lambda: [0, 0, 0, Counter()])
        self.answers: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self.firsts: dict[str, float] = {}
        self.statuses: Counter[int] = Counter()
        self.rejections: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.other_errors: Counter[str] = Counter()
        self.losses: list[list[Any]] = []
        self.unsent: Counter[str] = Counter()
        self.lag: Counter[int] = Counter()

    def started(self, planned: float, now: float, *, reused: bool = False) -> None:
        """Count a purchase that was sent, on a kept connection or on one of its own."""
        lag = now - planned
        micros = int(lag * 1e6)
        self.sent += 1
        self.connections += not reused
        self.late += lag > LATE
        self.slowest_lag = max(self.slowest_lag, micros)
        self.lag[bucket(micros)] += 1

    def not_sent(self, limit: Limit) -> None:
        """Count a purchase that this machine could not send."""
        self.unsent[limit] += 1

    def answered(
        self, planned: float, now: float, status: int, *, rejection: str, pod: str
    ) -> None:
        """Count a complete answer; it confirms where there is no reason for a rejection."""
        micros = int((now - planned) * 1e6)
        self.slowest = max(self.slowest, micros)
        self.statuses[status] += 1
        cell = self.cells[int(planned)]
        cell[3][bucket(micros)] += 1
        if rejection:
            cell[1] += 1
            self.rejections[bounded(rejection, self._reasons, OTHER_REASONS)] += 1
            return
        cell[0] += 1
        if pod not in self._known:
            pod = self._new(pod, now)
        self.answers[int(now)][pod] += 1

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
        self.cells[int(planned)][2] += 1
        self.errors[kind] += 1
        if kind == "other":
            self.other_errors[bounded(why, self._causes, OTHER_CAUSES)] += 1
        self._listed += 1
        if self._listed <= MOST_LOSSES:
            self.losses.append([round(planned, 6), round(now, 6), kind, pod, reused])

    def take(self) -> dict[str, Any]:
        """Hand over everything counted since the last time, as JSON, and begin anew."""
        message = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        self._begin()
        return message

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
