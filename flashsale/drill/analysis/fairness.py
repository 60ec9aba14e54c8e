"""Whether each pod got its share although pods came and went: judged in the stable seconds only.

A second is stable if the Service chose among the same pods all through it and ``MARGIN`` around it.
Pods share a stretch of such seconds evenly but for chance; the test of
:mod:`flashsale.load.shares` takes all stretches together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from flashsale.load.shares import FEWEST, Shares, uniformity

MARGIN = 0.5  # seconds

MembersFrom = tuple[float, frozenset[str]]  # second of the run, and who is chosen from there on
Answers = Mapping[int, Mapping[str, int]]  # confirmed purchases by second and pod


@dataclass(frozen=True, slots=True)
class Fairness:
    """The verdict on the shares, and what each pod got and should have got in stable seconds."""

    shares: Shares
    seconds: int = 0  # stable ones
    got: Mapping[str, int] = field(default_factory=dict)
    fair: Mapping[str, float] = field(default_factory=dict)


def judge_stable_seconds(
    answers: Answers, changes: Sequence[MembersFrom], seconds: float
) -> Fairness:
    """Judge the shares of a run that lasted so long."""
    got: dict[str, int] = {}
    fair: dict[str, float] = {}
    groups: list[dict[str, int]] = []
    stable = 0
    for pods, stretch in stretches(changes, seconds):
        counts = {pod: sum(answers.get(at, {}).get(pod, 0) for at in stretch) for pod in pods}
        groups.append(counts)
        stable += len(stretch)
        for pod, count in counts.items():
            got[pod] = got.get(pod, 0) + count
            fair[pod] = fair.get(pod, 0.0) + sum(counts.values()) / len(pods)
    shares = uniformity(groups) or _unjudged(answers, changes)
    return Fairness(shares, stable, got, fair)


def stretches(
    changes: Sequence[MembersFrom], seconds: float
) -> Iterator[tuple[frozenset[str], list[int]]]:
    """Group the stable seconds of a run by the pods that were chosen in them."""
    choices = [(at, stable_pods(changes, at)) for at in range(int(seconds))]
    for pods, group in groupby(choices, key=lambda choice: choice[1]):
        if pods:
            yield pods, [at for at, _ in group]


def stable_pods(changes: Sequence[MembersFrom], second: int) -> frozenset[str] | None:
    """Return the pods chosen all through a second and around it; None if they changed."""
    begin, end = second - MARGIN, second + 1 + MARGIN
    before: frozenset[str] | None = None
    for at, pods in changes:
        if at <= begin:
            before = pods
        elif at < end:
            return None
    return before


def _unjudged(answers: Answers, changes: Sequence[MembersFrom]) -> Shares:
    """Say why there is no verdict: nobody bought, nobody could choose, or too few did."""
    confirmed = sum(sum(counts.values()) for counts in answers.values())
    most = max((len(pods) for _, pods in changes), default=0)
    if not confirmed:
        return Shares("none", "No purchase was confirmed, so no pod has a share.")
    if most == 1:
        return Shares("one", "There was never more than one pod to choose.")
    if confirmed < FEWEST * most:
        return Shares("few", "Too few purchases were confirmed to judge the pods' shares.")
    return Shares("few", "Pods came and went too often to judge their shares.")
