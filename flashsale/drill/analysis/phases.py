"""Throughput and waiting in each part of a drill, in whole seconds that lie inside it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import ceil, floor
from statistics import mean, median
from typing import Any

from flashsale.drill.cpu import share
from flashsale.drill.result import DrillResult, Phase, PhaseName
from flashsale.load.results import Report, Second


@dataclass(frozen=True, slots=True)
class Part:
    """One phase in figures; None where it holds no whole second, or the machine tells nothing."""

    name: PhaseName
    pods: int
    began_seconds: float
    ended_seconds: float
    confirmed_rate: float | None = None  # a second
    p50_ms: float | None = None  # medians over the seconds of each second's percentile
    p99_ms: float | None = None
    lost: int = 0  # planned in it
    machine: float | None = None  # share of all its cores in use, 0 to 1

    def to_json(self) -> dict[str, Any]:
        """Write the figures, rounded to what they are worth."""
        return {
            name: round(figure, 3) if isinstance(figure, float) else figure
            for name, figure in asdict(self).items()
        }


def parts(outcome: DrillResult) -> tuple[Part, ...]:
    """Measure every phase."""
    return tuple(_part(outcome, phase) for phase in outcome.phases)


def _part(outcome: DrillResult, phase: Phase) -> Part:
    began, ended = outcome.second(phase.began_at), outcome.second(phase.ended_at)
    inside = [s for s in outcome.report.timeline if ceil(began) <= s.at < floor(ended)]
    lost = sum(began <= loss.at_seconds < ended for loss in outcome.report.losses)
    part = Part(phase.name, phase.pods, began, ended, lost=lost, machine=share(*phase.machine))
    return _measured(part, inside, outcome.report) if inside else part


def _measured(part: Part, inside: list[Second], report: Report) -> Part:
    rates = [sum(report.answers.get(second.at, {}).values()) for second in inside]
    waits = [second.latency_ms for second in inside if second.latency_ms.max]
    return Part(
        part.name,
        part.pods,
        part.began_seconds,
        part.ended_seconds,
        mean(rates),
        median(wait.p50 for wait in waits) if waits else None,
        median(wait.p99 for wait in waits) if waits else None,
        part.lost,
        part.machine,
    )
