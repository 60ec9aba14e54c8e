"""What a sale loses by itself: as many as in its calm, when nothing is done to it. Pure.

A sale that is overloaded, or broken, loses purchases all the time. In the window of a kill it loses
them, too, and not because of the kill: only what exceeds the calm can be the kill's. So each class
of loss is counted for itself, second by second, and a second may lose :data:`SLACK` times as many
as the worst second of calm before anything in it is blamed: a queue that overflows swings, and
grows, and a few seconds of calm do not show its crest. Where the calm loses none, nothing changes.

The calm to compare with is that with as many pods. While a scaling is under way that is the smaller
number: pods that are still coming, or going already, carry nothing. Calm seconds that a window
touches do not count, unless there are no others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from math import ceil

from flashsale.drill.analysis.attribution import Cause, moment
from flashsale.drill.result import DrillResult, Phase
from flashsale.load.results import Loss

CALM = ("before", "scaled", "after")
SLACK = 2  # times the worst calm second that may be lost before anything is blamed

Tally = Counter[str]  # losses by class
Usual = Callable[[float, str], int]  # how many of a class are usual around a second of the run


def usual(outcome: DrillResult, windows: Sequence[Cause]) -> Usual:
    """Learn from the calm phases how many losses of each class are nobody's, a second."""
    worst = {
        pods: _worst(outcome, windows, [one for one in _calm(outcome) if one.pods == pods])
        for pods in {one.pods for one in _calm(outcome)}
    }
    anywhere = _worst(outcome, windows, _calm(outcome))
    carrying = list(_carrying(outcome))

    def at(second: float, loss_class: str) -> int:
        pods = next((pods for ended, pods in carrying if second < ended), outcome.replicas)
        return SLACK * worst.get(pods, anywhere)[loss_class]

    return at


def _calm(outcome: DrillResult) -> list[Phase]:
    return [phase for phase in outcome.phases if phase.name in CALM]


def _worst(outcome: DrillResult, windows: Sequence[Cause], phases: Sequence[Phase]) -> Tally:
    """Find the most that one second of these phases lost of each class."""
    pieces = [piece for phase in phases for piece in _pieces(outcome, phase)]
    clear = [(a, b) for a, b in pieces if not any(w.began < b and a < w.over for w in windows)]
    worst: Tally = Counter()
    for began, ended in clear or pieces:
        worst |= _lost(outcome.report.losses, began, ended)
    return worst


def _lost(losses: Sequence[Loss], began: float, ended: float) -> Tally:
    """Count what a piece of calm lost, as if it were a whole second."""
    found = Counter(one.loss_class for one in losses if began <= moment(one) < ended)
    return Counter({name: ceil(count / (ended - began)) for name, count in found.items()})


def _pieces(outcome: DrillResult, phase: Phase) -> Iterator[tuple[float, float]]:
    """Cut a phase into seconds from its beginning; a rest counts only where there is no other."""
    began, ended = outcome.second(phase.began_at), outcome.second(phase.ended_at)
    whole = int(ended - began + 0.01)  # a pause of 1 s is sometimes over a moment early
    if whole:
        yield from ((began + n, began + n + 1) for n in range(whole))
    elif ended > began:
        yield began, ended


def _carrying(outcome: DrillResult) -> Iterator[tuple[float, int]]:
    """Tell how many pods carried the load until which second."""
    before = outcome.replicas
    for phase in outcome.phases:
        scaling = phase.name in ("scaling", "scaling back")
        yield outcome.second(phase.ended_at), min(before, phase.pods) if scaling else phase.pods
        before = phase.pods
