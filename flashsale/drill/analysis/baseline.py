"""Baseline: losses per second and class outside any kill or scaling. Pure.

A sale that is overloaded, or broken, loses purchases all the time. In the window of a kill it loses
them, too, and not because of the kill: only what exceeds the baseline can be the kill's. So each
class of loss is counted for itself, second by second, and a second may lose :data:`SLACK` times as
many as the baseline's worst second before anything in it gets a cause: a queue that overflows
swings, and grows, and a few seconds do not show its crest. Where the baseline loses none, nothing
changes.

The baseline comes from the phases of load alone, those with as many pods. While a scaling is under
way that is the smaller number: pods that are still coming, or going already, carry nothing. Seconds
that a window touches do not count, unless there are no others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from math import ceil

from flashsale.drill.analysis.attribution import LossCause, lost_at
from flashsale.drill.result import DrillResult, Phase
from flashsale.load.results import Loss

CALM = ("before", "scaled", "after")
SLACK = 2  # times the worst baseline second that may be lost before anything has a cause

LossCounts = Counter[str]  # losses by class
UsualLosses = Callable[[float, str], int]  # usual losses of a class around a second of the run


def learn_baseline(result: DrillResult, windows: Sequence[LossCause]) -> UsualLosses:
    """Learn from the phases of load alone how many losses of each class are usual, a second."""
    worst = {
        pods: _worst(result, windows, [phase for phase in _calm(result) if phase.pods == pods])
        for pods in {phase.pods for phase in _calm(result)}
    }
    anywhere = _worst(result, windows, _calm(result))
    carrying = list(_carrying(result))

    def usual(second: float, loss_class: str) -> int:
        pods = next((pods for ended, pods in carrying if second < ended), result.replicas)
        return SLACK * worst.get(pods, anywhere)[loss_class]

    return usual


def _calm(result: DrillResult) -> list[Phase]:
    return [phase for phase in result.phases if phase.name in CALM]


def _worst(
    result: DrillResult, windows: Sequence[LossCause], phases: Sequence[Phase]
) -> LossCounts:
    """Find the most that one second of these phases lost of each class."""
    pieces = [piece for phase in phases for piece in _pieces(result, phase)]
    clear = [(a, b) for a, b in pieces if not any(w.began < b and a < w.over for w in windows)]
    worst: LossCounts = Counter()
    for began, ended in clear or pieces:
        worst |= _lost(result.report.losses, began, ended)
    return worst


def _lost(losses: Sequence[Loss], began: float, ended: float) -> LossCounts:
    """Count what a piece of calm lost, as if it were a whole second."""
    counts = Counter(loss.loss_class for loss in losses if began <= lost_at(loss) < ended)
    return Counter({name: ceil(count / (ended - began)) for name, count in counts.items()})


def _pieces(result: DrillResult, phase: Phase) -> Iterator[tuple[float, float]]:
    """Cut a phase into seconds from its beginning; a rest counts only where there is no other."""
    began, ended = result.second(phase.began_at), result.second(phase.ended_at)
    whole = int(ended - began + 0.01)  # a pause of 1 s is sometimes over a moment early
    if whole:
        yield from ((began + n, began + n + 1) for n in range(whole))
    elif ended > began:
        yield began, ended


def _carrying(result: DrillResult) -> Iterator[tuple[float, int]]:
    """Tell how many pods carried the load until which second."""
    before = result.replicas
    for phase in result.phases:
        scaling = phase.name in ("scaling", "scaling back")
        yield result.second(phase.ended_at), min(before, phase.pods) if scaling else phase.pods
        before = phase.pods
