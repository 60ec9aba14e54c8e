"""The verdict: pass, fail or inconclusive, with its reason and all that speaks for it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from flashsale.base.text import counted, joined
from flashsale.drill.analysis.attribution import Attribution, attribute, coverage
from flashsale.drill.analysis.baseline import learn_baseline
from flashsale.drill.analysis.fairness import Fairness, MembersFrom, judge_stable_seconds
from flashsale.drill.analysis.phases import PhaseFigures, measure_phases
from flashsale.drill.analysis.windows import find_causes
from flashsale.drill.result import DrillResult
from flashsale.load.results import failure_counts
from flashsale.sale.observe.healing import Healing

Verdict = Literal["pass", "fail", "inconclusive"]


@dataclass(frozen=True, slots=True)
class HealingTimes:
    """From a death to the replacement's readiness, over all that healed; seconds."""

    median: float
    worst: float
    count: int


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything that is concluded from a drill's result, in figures."""

    verdict: Verdict
    reason: str  # a sentence
    attributions: tuple[Attribution, ...]  # one a listed loss
    covered: float  # share of the run in which a loss would have a cause, 0 to 1
    phases: tuple[PhaseFigures, ...]
    fairness: Fairness
    healing: HealingTimes | None  # None if nothing healed

    @property
    def explained(self) -> int:
        """Listed losses with a cause."""
        return sum(attribution.cause is not None for attribution in self.attributions)

    @property
    def baseline(self) -> int:
        """Listed losses of which the sale has as many when nothing is done to it."""
        return sum(attribution.baseline for attribution in self.attributions)

    @property
    def unexplained(self) -> int:
        """Listed losses that are neither."""
        return len(self.attributions) - self.explained - self.baseline

    @property
    def costs(self) -> Counter[str]:
        """Losses by the name of their cause."""
        return Counter(each.cause.name for each in self.attributions if each.cause)

    @property
    def blames_pods(self) -> bool:
        """Whether some loss has a cause, and that is not the cluster's silence."""
        return any(each.cause and each.cause.kind != "outage" for each in self.attributions)


def analyse(result: DrillResult) -> Analysis:
    windows = find_causes(result)
    verdict, reason = judge(result)
    return Analysis(
        verdict,
        reason,
        attribute(result.report.losses, windows, learn_baseline(result, windows)),
        coverage(windows, result.seconds),
        measure_phases(result),
        judge_stable_seconds(result.report.answers, answering_pods(result), result.seconds),
        healing_times(result.healings),
    )


def answering_pods(result: DrillResult) -> list[MembersFrom]:
    """Say from when on which pods are chosen and can answer.

    A dead node's pods get buyers until it is not ready, and answer none of them.
    """
    changes = [(result.second(each.at), each.pods) for each in result.history.routings]
    for death in result.node_deaths:
        began, dead = result.second(death.asked_at), {name for name, _ in death.pods}
        ended = death.not_ready_at or death.back_at
        over = result.second(ended) if ended else result.seconds
        chosen = [pods for at, pods in changes if at <= began]
        left = [(began, chosen[-1])] if chosen else []
        changes = sorted([*changes, *left], key=lambda change: change[0])
        changes = [(at, pods - dead if began <= at < over else pods) for at, pods in changes]
    return changes


def judge(result: DrillResult) -> tuple[Verdict, str]:
    """Decide, and say why: a drill that did not do what it was asked has shown nothing."""
    why = _inconclusive(result)
    if why:
        return "inconclusive", why
    lost, sent = result.report.figures.lost, result.report.figures.sent
    deaths = len(result.node_deaths)
    done = (
        (len(result.kills), "kill"),
        (deaths, "node's death" if deaths == 1 else "nodes' deaths"),
        (len(result.scalings), "scaling"),
    )
    deeds = joined([counted(count, noun) for count, noun in done if count] or [""])
    text = f"{lost:,} of {sent:,} purchases lost{f' in {deeds}' if deeds else ', without a kill'}"
    most = result.scenario.max_lost
    allowed = f"; {most:,} may be" if most else ""
    return ("fail" if lost > most else "pass"), f"{text}{allowed}."


def _inconclusive(result: DrillResult) -> str:
    """Say why the drill shows nothing; empty if it shows something."""
    figures, skipped = result.report.figures, result.skipped
    if result.ended == "failed":
        return f"The drill ended early: {result.error}"
    if result.ended == "interrupted":
        return f"The drill was stopped before its {'end' if figures.sent else 'first purchase'}."
    if skipped and not result.kills:
        kills = "The only kill was" if len(skipped) == 1 else f"All {len(skipped)} kills were"
        return f"{kills} skipped: {skipped[0].reason}."
    if not figures.sent:
        return "No purchase was sent."
    if not figures.confirmed:
        return f"None of {figures.sent:,} purchases was confirmed: {failure_counts(figures)}."
    return ""


def healing_times(healings: Sequence[Healing]) -> HealingTimes | None:
    took = [t for healing in healings if (t := healing.seconds(healing.ready)) is not None]
    return HealingTimes(round(median(took), 3), max(took), len(took)) if took else None
