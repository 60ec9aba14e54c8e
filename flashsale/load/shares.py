"""Whether the pods' shares are what chance allows, in a figure and in words.

A Service picks a ready pod at random for every connection, so equal pods get roughly equal shares.
How roughly is what Pearson's chi-square test says: the chance that fair picks come out at least as
unevenly as these did. Below one in a thousand we call the shares uneven, and not before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import erfc, exp, lgamma, log, sqrt
from typing import Any, Literal

from flashsale.base.text import counted
from flashsale.load.results import Report
from flashsale.load.worker.classify import UNNAMED

UNEVEN = 0.001  # chance below which the shares are called uneven
SHOWN = 8  # pods whose shares fit in a sentence
FEWEST = 5  # purchases a pod that the test needs
ABSENT = 12  # a gap this many times a pod's usual one is no accident (e to the -12)

SharesVerdict = Literal["even", "uneven", "kept", "changed", "few", "one", "none"]


@dataclass(frozen=True, slots=True)
class Shares:
    """The verdict on the pods' shares."""

    verdict: SharesVerdict
    text: str  # one sentence for people
    chance: float | None = None  # of fair picks being at least this uneven; None without a test

    def to_json(self) -> dict[str, Any]:
        chance = None if self.chance is None else round(self.chance, 6)
        return {"verdict": self.verdict, "chance": chance, "text": self.text}


def judge_shares(report: Report) -> Shares:
    """Judge a finished run's shares."""
    pods = {pod: count for pod, count in report.figures.pods.items() if pod != UNNAMED}
    if pods and report.keepalive:
        return Shares("kept", _kept(report.figures.connections, report.figures.sent))
    if len(pods) < 2:
        return _one(pods, report.figures.confirmed)
    few = Shares("few", "Too few purchases were confirmed to judge the pods' shares.")
    judged = uniformity([pods])
    if judged and came_and_went(report.answers):
        return Shares("changed", "Pods came or went meanwhile, so their shares do not compare.")
    return judged or few


def uniformity(groups: Sequence[Mapping[str, int]]) -> Shares | None:
    """Test whether the pods of each group shared its purchases as fair picks would.

    Pearson's statistic of each group adds up, and so do their degrees of freedom.

    Returns:
        None where no group has two pods and ``FEWEST`` purchases for each.
    """
    statistic, freedom = 0.0, 0
    for counts in groups:
        fair = sum(counts.values()) / len(counts)
        if len(counts) > 1 and fair >= FEWEST:
            statistic += sum((count - fair) ** 2 / fair for count in counts.values())
            freedom += len(counts) - 1
    if not freedom:
        return None
    chance, percents = chi_square_tail(statistic, freedom), _percentages(groups)
    if chance < UNEVEN:
        text = (
            f"Shares are more uneven than chance allows{percents}: fair picks come out"
            " like this in fewer than 1 of 1,000 runs."
        )
        return Shares("uneven", text, chance)
    return Shares("even", f"Shares are as even as chance allows{percents}.", chance)


def _percentages(groups: Sequence[Mapping[str, int]]) -> str:
    """Write the shares, the largest first: ` (34, 33, 31 %)`.

    Nothing where there are many pods, or different ones in different groups.
    """
    totals: Counter[str] = Counter()
    for counts in groups:
        totals.update(counts)
    if len(totals) > SHOWN or any(counts.keys() != totals.keys() for counts in groups):
        return ""
    whole = sum(totals.values())
    shares = sorted((100 * count / whole for count in totals.values()), reverse=True)
    return f" ({', '.join(f'{share:.0f}' for share in shares)} %)"


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
