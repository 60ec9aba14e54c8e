"""Whether the pods' shares are what chance allows, in a figure and in words.

A Service picks a ready pod at random for every connection, so equal pods get roughly equal shares.
How roughly is what Pearson's chi-square test says: the chance that fair picks come out at least as
unevenly as these did. Below one in a thousand we call the shares uneven, and not before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import erfc, exp, lgamma, log, sqrt
from typing import Any, Literal

from flashsale.base.text import counted
from flashsale.load.results import Report
from flashsale.load.worker.classify import UNNAMED

UNEVEN = 0.001  # chance below which the shares are called uneven
FEWEST = 5  # purchases a pod that the test needs
ABSENT = 12  # a gap this many times a pod's usual one is no accident (e to the -12)

Verdict = Literal["even", "uneven", "kept", "changed", "few", "one", "none"]


@dataclass(frozen=True, slots=True)
class Shares:
    """The verdict on the pods' shares."""

    verdict: Verdict
    text: str  # one sentence for people
    chance: float | None = None  # of fair picks being at least this uneven; None without a test

    def to_json(self) -> dict[str, Any]:
        """Write what the documents hold."""
        chance = None if self.chance is None else round(self.chance, 6)
        return {"verdict": self.verdict, "chance": chance, "text": self.text}


def shares(report: Report) -> Shares:
    """Judge a finished run's shares."""
    pods = {pod: count for pod, count in report.figures.pods.items() if pod != UNNAMED}
    if pods and report.keepalive:
        return Shares("kept", _kept(report.figures.connections, report.figures.sent))
    if len(pods) < 2:
        return _one(pods, report.figures.confirmed)
    if sum(pods.values()) < FEWEST * len(pods):
        return Shares("few", "Too few purchases were confirmed to judge the pods' shares.")
    if came_and_went(report.answers):
        return Shares("changed", "Pods came or went meanwhile, so their shares do not compare.")
    return judged(chance_of(list(pods.values())))


def judged(chance: float) -> Shares:
    """Say what a chance means."""
    if chance < UNEVEN:
        text = (
            "The pods' shares are more uneven than chance allows: fair picks would come out like"
            " this in fewer than 1 of 1,000 runs."
        )
        return Shares("uneven", text, chance)
    text = (
        "The pods' shares are what chance allows: fair picks come out at least this uneven in"
        f" {chance:.0%} of runs."
    )
    return Shares("even", text, chance)


def chance_of(counts: Sequence[int]) -> float:
    """Return the chance that fair picks among so many pods come out at least this unevenly."""
    fair = sum(counts) / len(counts)
    statistic = sum((count - fair) ** 2 / fair for count in counts)
    return chi_square_tail(statistic, len(counts) - 1)


def chi_square_tail(statistic: float, freedom: int) -> float:
    """Return the chance that a chi-square variable exceeds a value (Abramowitz-Stegun 26.4.4, .5).

    Args:
        freedom: degrees of freedom, at least 1.
    """
    half = statistic / 2
    if half <= 0:
        return 1.0
    odd = freedom % 2
    steps = (index + odd / 2 for index in range(freedom // 2))
    total = sum(exp(step * log(half) - half - lgamma(step + 1)) for step in steps)
    return min(1.0, total + (erfc(sqrt(half)) if odd else 0.0))


def came_and_went(answers: Mapping[int, Mapping[str, int]]) -> bool:
    """Whether some pod was surely absent at the run's beginning or end, its answers by second."""
    seen: dict[str, tuple[int, int, int]] = {}  # first and last second, purchases
    for second in sorted(answers):
        for pod, count in answers[second].items():
            first, _, before = seen.get(pod, (second, second, 0))
            seen[pod] = (first, second, before + count)
    begin, end = min(answers), max(answers)
    return any(
        max(first - begin, end - last) > 1 + ABSENT * (last - first + 1) / count
        for first, last, count in seen.values()
    )


def _one(pods: Mapping[str, int], confirmed: int) -> Shares:
    if not confirmed:
        return Shares("none", "No purchase was confirmed, so no pod has a share.")
    if not pods:
        return Shares("none", "No answer named its pod.")
    return Shares("one", "One pod served every purchase.")


def _kept(connections: int, sent: int) -> str:
    return (
        f"{counted(sent, 'purchase')} went over {counted(connections, 'kept connection')}: a"
        " Service picks a pod for each connection, not for each purchase, so the shares are skewed."
    )
