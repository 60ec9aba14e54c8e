"""The windows in which pods can have cost purchases: see ``attribution`` for why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import inf

from flashsale.drill.analysis.attribution import (
    CLUSTER,
    LAG,
    LINGER,
    LISTENING,
    NEWS,
    NOTICE,
    CauseKind,
    LossCause,
    empty_times,
    until_served,
)
from flashsale.drill.history import PodLifetime
from flashsale.drill.result import DrillResult, PodKill, ScalingRecord
from flashsale.sale.observe.healing import Healing

SETTLING = 3.0  # seconds after a scaling in which its pods may still begin to leave
BLIP = 2.0  # seconds without the API server that stop no pod


def find_causes(result: DrillResult) -> tuple[LossCause, ...]:
    """List everything that may have cost purchases, in the order in which it began."""
    causes = [
        *_kills(result),
        *_node_deaths(result),
        *_departures(result),
        *_crashes(result),
        *_outages(result),
    ]
    causes += _arrivals(result, causes)
    serving = [(result.second(each.at), bool(each.pods)) for each in result.history.routings]
    empty = empty_times(serving, result.seconds)
    extended = (_until(cause, until_served(cause.over, empty)) for cause in causes)
    return tuple(sorted(extended, key=lambda cause: cause.began))


def _kills(result: DrillResult) -> Iterator[LossCause]:
    for kill in result.kills:
        began, over = result.second(kill.asked_at), _kill_over(result, kill)
        yield LossCause("kill", f"kill {kill.number}", kill.pod, began, over, "it was dying")


def _kill_over(result: DrillResult, kill: PodKill) -> float:
    """Say when a killed pod can cost nothing more."""
    method = result.scenario.kill_method
    if method.process:
        return _crash_over(result, kill.accepted_at)
    if method.grace == 0:
        return result.second(kill.accepted_at) + LINGER + LAG
    return _gone(result, result.history.lifetimes.get(kill.uid))


def _node_deaths(result: DrillResult) -> Iterator[LossCause]:
    """Pods of a dead node: purchases sent there get no answer until the node is not ready."""
    for death in result.node_deaths:
        ended = death.back_at if death.not_ready_at is None else death.not_ready_at
        over = result.seconds if ended is None else result.second(ended) + LAG
        pods = tuple(name for name, _ in death.pods)
        began = result.second(death.asked_at)
        yield LossCause("kill", death.cause, death.node, began, over, "it had no power", pods)


def _departures(result: DrillResult) -> Iterator[LossCause]:
    """Pods that left without a kill: surplus of a scaling, or deleted by somebody else."""
    killed = set() if result.scenario.kill_method.process else {kill.uid for kill in result.kills}
    on_dead = {uid for death in result.node_deaths for _, uid in death.pods}
    for pod in result.pods:
        if pod.leaving is None or pod.uid in killed | on_dead:
            continue
        scaling = scaling_at(result, pod.leaving)
        kind: CauseKind = "scaling" if scaling else "accident"
        when = "before the drill" if "leaving" in pod.missed else "by somebody else"
        name = scaling_name(scaling) if scaling else f"a deletion {when}"
        began = scaling.asked_at if scaling else pod.leaving - NEWS
        over = _gone(result, pod)
        yield LossCause(kind, name, pod.name, result.second(began), over, "it was leaving")


def _crashes(result: DrillResult) -> Iterator[LossCause]:
    for healing in result.healings:
        if healing.cause == "crashed" and result.kill_of(healing) is None:
            began = result.second(healing.died) - NOTICE
            over = _crash_over(result, healing.died)
            yield LossCause("accident", "a crash", healing.victim, began, over, "it had crashed")


def _outages(result: DrillResult) -> Iterator[LossCause]:
    """Times in which the cluster did not answer, and its pods may have been dead with it.

    A stream may be silent for long before its end is noticed; as long as purchases are confirmed
    the pods are there.
    """
    for outage in result.history.outages:
        noticed = result.second(outage.noticed)
        over = result.seconds if outage.ended is None else result.second(outage.ended) + LAG
        if over - noticed < BLIP and outage.ended is not None:
            continue
        sold = max((at for at in result.report.answers if at <= noticed), default=0)
        began = min(noticed - NEWS, max(result.second(outage.heard), float(sold)))
        yield LossCause("outage", "the cluster", CLUSTER, began, over, "it did not answer")


def _arrivals(result: DrillResult, departures: list[LossCause]) -> Iterator[LossCause]:
    """Pods that came: from the Service's choice of them to their first purchase."""
    heals = {each.replacement_uid: each for each in result.healings if not each.in_place}
    start = result.report.started_monotonic
    for pod in result.pods:
        chosen = _chosen(result, pod)
        if chosen is None or chosen <= start:
            continue
        first = result.report.firsts.get(pod.name)
        over = result.second(chosen) + LISTENING if first is None else first
        kind, name = _brought(result, pod, heals.get(pod.uid), departures)
        began = result.second(chosen) - NEWS
        yield LossCause(kind, name, pod.name, began, over, "it was new, and chosen before it sold")


def _brought(
    result: DrillResult, pod: PodLifetime, healing: Healing | None, departures: list[LossCause]
) -> tuple[CauseKind, str]:
    """Say what made a pod come: the kill or accident that it replaces, or a scaling."""
    if healing is not None:
        kill = result.kill_of(healing)
        if kill:
            return "kill", f"kill {kill.number}"
        fitting = (cause for cause in departures if healing.victim in (cause.pod, *cause.pods))
        lost = next(fitting, None)
        return (lost.kind, lost.name) if lost else ("accident", "a replacement")
    scaling = scaling_at(result, pod.seen)
    return ("scaling", scaling_name(scaling)) if scaling else ("accident", "a new pod")


def scaling_at(result: DrillResult, moment: float) -> ScalingRecord | None:
    """Find the scaling that was at work at a moment."""
    for scaling in reversed(result.scalings):
        over = inf if scaling.ended_at is None else scaling.ended_at + SETTLING
        if scaling.asked_at <= moment <= over:
            return scaling
    return None


def scaling_name(scaling: ScalingRecord) -> str:
    return f"scaling from {scaling.before} to {scaling.after}"


def _chosen(result: DrillResult, pod: PodLifetime) -> float | None:
    routings = result.history.routings
    return next((routing.at for routing in routings if pod.name in routing.pods), None)


def _crash_over(result: DrillResult, died: float) -> float:
    """Once the crash is noticed the pod is not ready, and nobody is sent to it any more."""
    return result.second(died) + NOTICE + LAG


def _gone(result: DrillResult, pod: PodLifetime | None) -> float:
    if pod is None or pod.gone is None:
        return result.seconds
    return result.second(pod.gone) + LAG


def _until(cause: LossCause, over: float) -> LossCause:
    return replace(cause, over=round(over, 3), began=round(max(0.0, cause.began), 3))
