"""The verdict: pass or fail, and why, in sentences and the figures behind them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from flashsale.base.text import counted
from flashsale.drill.analysis.attribution import Blamed, blame, coverage, doubt
from flashsale.drill.analysis.baseline import usual
from flashsale.drill.analysis.fairness import Fairness, fairness
from flashsale.drill.analysis.phases import Part, parts
from flashsale.drill.analysis.throughput import KEPT_UP, gain
from flashsale.drill.analysis.windows import causes
from flashsale.drill.result import DrillResult
from flashsale.load.machine_limits import own_limits
from flashsale.load.results import Figures
from flashsale.sale.observe.state import Healing

MOST = (
    0.99  # share of purchases that are confirmed, from which pods' shares are the Service's choice
)


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something took, over all times that it happened; seconds."""

    median: float
    worst: float
    count: int


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything that is concluded from an outcome."""

    verdict: Literal["pass", "fail"]
    headline: str
    sentences: tuple[str, ...]  # each one a finding of its own
    blamed: tuple[Blamed, ...]
    covered: float  # share of the run in which a loss would have been blamed, 0 to 1
    parts: tuple[Part, ...]
    fairness: Fairness
    healing: Spread | None  # from a death to the replacement's readiness; None if nothing healed

    @property
    def unexplained(self) -> int:
        """Listed losses without a cause that are not the sale's own either."""
        return sum(one.cause is None and not one.usual for one in self.blamed)

    @property
    def usual(self) -> int:
        """Listed losses that are the sale's own: it loses as many in the calm."""
        return sum(one.usual for one in self.blamed)

    @property
    def costs(self) -> Counter[str]:
        """Losses by the name of their cause, the costliest first."""
        return Counter(one.cause.name for one in self.blamed if one.cause)


def judge(outcome: DrillResult) -> Analysis:
    """Conclude what there is to conclude."""
    windows = causes(outcome)
    blamed = blame(outcome.report.losses, windows, usual(outcome, windows))
    covered = coverage(windows, outcome.seconds)
    changes = [(outcome.second(one.at), one.pods) for one in outcome.history.routings]
    fair = fairness(outcome.report.answers, changes, outcome.seconds)
    measured, healing = parts(outcome), spread(outcome.healings)
    figures = outcome.report.figures
    enough = figures.lost <= outcome.scenario.max_lost and figures.confirmed > 0
    passed = enough and outcome.ended == "done"  # half a drill has shown nothing
    sentences = (
        *_ends(outcome),
        *_overload(outcome, measured),
        *_losses(outcome, blamed, covered),
        *_lesson(outcome, blamed),
        *_healings(outcome, healing),
        *gain(measured, outcome.scenario.rate, figures.generator, outcome.place.cores),
        fair.shares.text + _quiet(fair) + _served(fair, figures),
        *own_limits(figures),
    )
    return Analysis(
        "pass" if passed else "fail",
        headline(outcome),
        sentences if figures.sent else tuple(_ends(outcome)),
        blamed,
        covered,
        measured,
        fair,
        healing,
    )


def headline(outcome: DrillResult) -> str:
    """Say in one line what a drill cost."""
    figures, kills = outcome.report.figures, len(outcome.struck)
    if not figures.sent:
        return "No purchase was sent."
    if not figures.confirmed:
        return f"Not one of {figures.sent:,} purchases was confirmed."
    lost = f"{figures.lost:,} of {figures.sent:,} purchases lost"
    done = ((kills, "kill"), (len(outcome.scalings), "scaling"))
    deeds = " and ".join(counted(count, noun) for count, noun in done if count)
    return f"{lost} in {deeds}." if deeds else f"{lost}, without a kill."


def spread(healings: Sequence[Healing]) -> Spread | None:
    """Summarize how long healing took."""
    took = [t for one in healings if (t := one.seconds(one.ready)) is not None]
    return Spread(round(median(took), 3), max(took), len(took)) if took else None


def _ends(outcome: DrillResult) -> Iterator[str]:
    if outcome.ended == "interrupted":
        yield "The drill was stopped before its end."
    elif outcome.ended == "failed":
        yield f"The drill ended early: {outcome.why}"
    for one in outcome.skipped:
        yield f"Kill {one.number} was skipped: {one.why}."
    figures = outcome.report.figures
    if figures.rejected:
        yield (
            f"{figures.rejected:,} purchases were rejected: answered completely, but not with a"
            " success."
        )


def _overload(outcome: DrillResult, measured: Sequence[Part]) -> Iterator[str]:
    """Say so when the sale could not keep up before anything was done to it."""
    before = next((part for part in measured if part.name == "before"), None)
    rate = outcome.scenario.rate
    if not outcome.report.figures.confirmed:
        return  # that is more than overloaded
    if before and before.confirmed_rate is not None and before.confirmed_rate < KEPT_UP * rate:
        yield (
            f"The sale was overloaded before anything was done to it: it confirmed"
            f" {before.confirmed_rate:,.0f} of {rate:,.0f} purchases a second, so losses say"
            " little about kills. Take a lower --rate."
        )


def _losses(outcome: DrillResult, blamed: Sequence[Blamed], covered: float) -> Iterator[str]:
    lost = outcome.report.figures.lost
    if not lost:
        yield "Every purchase got its answer."
        return
    tally = Counter(one.cause.name for one in blamed if one.cause)
    known = sum(tally.values())
    if known:
        yield (
            f"{_part(known, lost)} explained: {listed(tally)}."
            f" Pods were dying, leaving or new for {covered:.0%} of the run."
        )
    own = sum(one.usual for one in blamed)
    if own:
        yield (
            f"{_part(own, lost)} the sale's own: it loses about as many when nothing is done to it."
        )
    if len(blamed) > known + own:
        rest = len(blamed) - known - own
        yield f"{_part(rest, lost)} unexplained: no pod came or went then."
    if outcome.report.losses_unlisted:
        more = outcome.report.losses_unlisted
        yield f"{more:,} more losses were counted, but not kept one by one."
    if doubt(blamed, covered):
        yield "At quiet times losses were almost as frequent: the kills are not the only reason."


def _lesson(outcome: DrillResult, blamed: Sequence[Blamed]) -> Iterator[str]:
    """Say why pods that may say goodbye cost purchases all the same."""
    blow = outcome.scenario.blow
    if outcome.place.lingering or blow.process or blow.grace == 0:
        return
    if any(one.cause for one in blamed):
        yield (
            "The pods have no preStop hook: they stop while some buyers are still sent to them."
            " The sleep in `flashsale manifest` waits until nobody is."
        )


def _part(count: int, lost: int) -> str:
    """Begin a sentence about some of the losses: `1 of 4 losses is`, `All 4 losses are`."""
    if count == lost:
        return "The only loss is" if lost == 1 else f"All {lost:,} losses are"
    return f"{count:,} of {lost:,} losses {'is' if count == 1 else 'are'}"


def listed(tally: Counter[str], most: int = 6) -> str:
    """Write the largest counts with their names, and how many others there are."""
    ranked = tally.most_common()
    told = [f"{name} cost {count:,}" for name, count in ranked[:most]]
    rest = sum(count for _, count in ranked[most:])
    return ", ".join([*told, f"{len(ranked) - most} others {rest:,}"] if rest else told)


def _healings(outcome: DrillResult, healing: Spread | None) -> Iterator[str]:
    accidents = sum(outcome.kill_of(one) is None for one in outcome.healings)
    if healing:
        many = f"half of them within {healing.median:.2f} s, the slowest in"
        how = f"{many} {healing.worst:.2f} s" if healing.count > 1 else f"in {healing.worst:.2f} s"
        were = "was" if healing.count == 1 else "were"
        yield f"{counted(healing.count, 'death')} {were} healed, {how}."
    open_ones = [one for one in outcome.healings if one.ready is None]
    if open_ones:
        yield f"{counted(len(open_ones), 'pod')} had no ready replacement when the drill ended."
    if accidents:
        yield f"{counted(accidents, 'death')} came without any kill of ours."


def _quiet(fair: Fairness) -> str:
    if fair.shares.chance is None:
        return ""
    return f" (Judged over the {counted(fair.seconds, 'second')} in which no pod came or went.)"


def _served(fair: Fairness, figures: Figures) -> str:
    """Say what shares of a sale that fails many buyers are worth."""
    if fair.shares.verdict != "uneven" or figures.confirmed > MOST * figures.sent:
        return ""
    return (
        " Only confirmed purchases count: a pod that is chosen as often as the others, and fails"
        " more buyers, has a smaller share."
    )
