"""The windows in which pods can have cost purchases: see ``attribution`` for why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from flashsale.drill.analysis.attribution import (
    LAG,
    LINGER,
    LISTENING,
    NEWS,
    NOTICE,
    Cause,
    Kind,
    empty_times,
    until_served,
)
from flashsale.drill.history import PodLifetime
from flashsale.drill.result import DrillResult, PodKill, ScalingRecord
from flashsale.sale.observe.state import Healing

SETTLING = 3.0  # seconds after a scaling in which its pods may still be told to leave


def causes(outcome: DrillResult) -> tuple[Cause, ...]:
    """List everything that may have cost purchases, in the order in which it began."""
    found = [*_kills(outcome), *_leavings(outcome), *_accidents(outcome)]
    found += _arrivals(outcome, found)
    serving = [(outcome.second(one.at), bool(one.pods)) for one in outcome.history.routings]
    empty = empty_times(serving, outcome.seconds)
    extended = (_until(cause, until_served(cause.over, empty)) for cause in found)
    return tuple(sorted(extended, key=lambda cause: cause.began))


def _kills(outcome: DrillResult) -> Iterator[Cause]:
    for one in outcome.struck:
        yield Cause(
            "kill",
            f"kill {one.number}",
            one.pod,
            outcome.second(one.asked_at),
            _death_over(outcome, one),
            "it was dying",
        )


def _death_over(outcome: DrillResult, struck: PodKill) -> float:
    """Say when a killed pod can cost nothing more."""
    blow = outcome.scenario.blow
    if blow.process:
        return _crash_over(outcome, struck.struck_at)
    if blow.grace == 0:
        return outcome.second(struck.struck_at) + LINGER + LAG
    return _gone(outcome, outcome.history.lives.get(struck.uid))


def _leavings(outcome: DrillResult) -> Iterator[Cause]:
    """Pods that left without a kill: surplus of a scaling, or deleted by somebody else."""
    killed = set() if outcome.scenario.blow.process else {one.uid for one in outcome.struck}
    for life in outcome.lives:
        if life.leaving is None or life.uid in killed:
            continue
        scaling = scaling_at(outcome, life.leaving)
        kind: Kind = "scaling" if scaling else "accident"
        others = "before the drill" if "leaving" in life.missed else "that was not ours"
        name = scaling_name(scaling) if scaling else f"a deletion {others}"
        began = scaling.asked_at if scaling else life.leaving - NEWS
        over = _gone(outcome, life)
        yield Cause(kind, name, life.name, outcome.second(began), over, "it was leaving")


def _accidents(outcome: DrillResult) -> Iterator[Cause]:
    for one in outcome.healings:
        if one.cause == "crashed" and outcome.kill_of(one) is None:
            began = outcome.second(one.died) - NOTICE
            over = _crash_over(outcome, one.died)
            yield Cause("accident", "a crash", one.victim, began, over, "it had crashed")


def _arrivals(outcome: DrillResult, departures: list[Cause]) -> Iterator[Cause]:
    """Pods that came: from the Service's choice of them to their first purchase."""
    heirs = {one.replacement_uid: one for one in outcome.healings if not one.in_place}
    start = outcome.report.started_monotonic
    for life in outcome.lives:
        chosen = _chosen(outcome, life)
        if chosen is None or chosen <= start:
            continue
        first = outcome.report.firsts.get(life.name)
        over = outcome.second(chosen) + LISTENING if first is None else first
        kind, name = _brought(outcome, life, heirs.get(life.uid), departures)
        began = outcome.second(chosen) - NEWS
        yield Cause(kind, name, life.name, began, over, "it was new, and chosen before it sold")


def _brought(
    outcome: DrillResult, life: PodLifetime, healing: Healing | None, departures: list[Cause]
) -> tuple[Kind, str]:
    """Say what made a pod come: the kill or accident that it replaces, or a scaling."""
    if healing is not None:
        struck = outcome.kill_of(healing)
        if struck:
            return "kill", f"kill {struck.number}"
        lost = next((one for one in departures if one.pod == healing.victim), None)
        return (lost.kind, lost.name) if lost else ("accident", "a replacement")
    scaling = scaling_at(outcome, life.seen)
    return ("scaling", scaling_name(scaling)) if scaling else ("accident", "a new pod")


def scaling_at(outcome: DrillResult, moment: float) -> ScalingRecord | None:
    """Find the scaling that was at work at a moment."""
    for one in reversed(outcome.scalings):
        if one.asked_at <= moment and (one.ended_at is None or moment <= one.ended_at + SETTLING):
            return one
    return None


def scaling_name(scaling: ScalingRecord) -> str:
    """Name a scaling in a sentence."""
    return f"scaling from {scaling.before} to {scaling.after}"


def _chosen(outcome: DrillResult, life: PodLifetime) -> float | None:
    routings = outcome.history.routings
    return next((one.at for one in routings if life.name in one.pods), None)


def _crash_over(outcome: DrillResult, died: float) -> float:
    """Once the crash is noticed the pod is not ready, and nobody is sent to it any more."""
    return outcome.second(died) + NOTICE + LAG


def _gone(outcome: DrillResult, life: PodLifetime | None) -> float:
    if life is None or life.gone is None:
        return outcome.seconds
    return outcome.second(life.gone) + LAG


def _until(cause: Cause, over: float) -> Cause:
    return replace(cause, over=round(over, 3), began=round(max(0.0, cause.began), 3))
