"""Throughput and waiting in each part of a drill, in whole seconds that lie inside it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from math import ceil, floor
from statistics import mean, median
from typing import Any

from flashsale.drill.cpu import busy_share
from flashsale.drill.result import DrillResult, Phase, PhaseName
from flashsale.load.results import Report, Second


@dataclass(frozen=True, slots=True)
class PhaseFigures:
    """One phase in figures; None where it holds no whole second, or the machine tells nothing."""

    name: PhaseName
    pods: int
    began_seconds: float
    ended_seconds: float
    confirmed_rate: float | None = None  # a second
    p50_ms: float | None = None  # medians over the seconds of each second's percentile
    p99_ms: float | None = None
    lost: int = 0  # planned in it
    cpu: float | None = None  # share of all the machine's cores in use, 0 to 1

    def to_json(self) -> dict[str, Any]:
        """Write the figures, rounded to what they are worth."""
        return {
            name: round(figure, 3) if isinstance(figure, float) else figure
            for name, figure in asdict(self).items()
        }


def measure_phases(result: DrillResult) -> tuple[PhaseFigures, ...]:
    return tuple(_measure(result, phase) for phase in result.phases)


def _measure(result: DrillResult, phase: Phase) -> PhaseFigures:
    began, ended = result.second(phase.began_at), result.second(phase.ended_at)
    lost = sum(began <= loss.at_seconds < ended for loss in result.report.losses)
    figures = PhaseFigures(
        phase.name, phase.pods, began, ended, lost=lost, cpu=busy_share(*phase.machine)
    )
    inside = [s for s in result.report.timeline if ceil(began) <= s.at < floor(ended)]
    return _with_rates(figures, inside, result.report) if inside else figures


def _with_rates(figures: PhaseFigures, inside: list[Second], report: Report) -> PhaseFigures:
    rates = [sum(report.answers.get(second.at, {}).values()) for second in inside]
    waits = [second.latency_ms for second in inside if second.latency_ms.max]
    return replace(
        figures,
        confirmed_rate=mean(rates),
        p50_ms=median(wait.p50 for wait in waits) if waits else None,
        p99_ms=median(wait.p99 for wait in waits) if waits else None,
    )
