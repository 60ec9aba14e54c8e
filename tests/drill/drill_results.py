"""Results of drills as tests want them: every moment in seconds of the run, the rest usual."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from flashsale.drill.cpu import Reading
from flashsale.drill.history import History, Outage, PodLifetime, ReplicaCount, Routing, healing_key
from flashsale.drill.result import (
    DrillResult,
    Environment,
    LogEntry,
    Phase,
    PhaseName,
    PodKill,
    ScalingRecord,
    SkippedKill,
)
from flashsale.drill.scenario import Scenario
from flashsale.load.results import Figures, Loss, Quantiles, Report, Second
from flashsale.sale.kill.kill_method import KillMethod
from flashsale.sale.observe.healing import Healing

START = 1000.0  # of the run, on the monotonic clock
PLACE = Environment(
    kind="embedded",
    context="flashsale-embedded",
    namespace="default",
    url="http://127.0.0.1:30080",
    replicaset="flashsale-rs",
    server="v1.36.0+flashsale",
    flashsale="0.1.0",
    python="3.11.7",
    system="Linux x86_64",
    cores=2,
    manifest="kind: ReplicaSet\n",
)


def loss(at: float, ended: float | None = None, kind: str = "reset", pod: str = "") -> Loss:
    """One lost purchase; it failed a moment after its start, unless another moment is given."""
    return Loss(at, at + 0.01 if ended is None else ended, kind, pod)


def life(name: str, **moments: float) -> PodLifetime:
    """One pod; its uid is its name."""
    known = {"seen": -1.0, **moments}
    return PodLifetime(name, name, **{word: START + moment for word, moment in known.items()})


def healing(victim: str, replacement: str, died: float, ready: float, **more: Any) -> Healing:
    """One death that healed."""
    gone = more.pop("gone", died + 0.5)
    cause = more.pop("cause", "deleted")
    return Healing(
        victim,
        victim,
        cause,
        START + died,
        replacement,
        replacement,
        created=START + died + 0.01,
        scheduled=START + died + 0.01,
        started=START + died + 0.1,
        ready=START + ready,
        gone=None if gone is None else START + gone,
        marked=True,
    )


def pod_kill(number: int, pod: str, at: float) -> PodKill:
    """One kill, accepted 20 ms after it was asked for."""
    return PodKill(number, pod, pod, START + at, START + at + 0.02)


def scaled(before: int, after: int, at: float, seconds: float | None) -> ScalingRecord:
    """One scaling."""
    return ScalingRecord(
        before, after, START + at, None if seconds is None else START + at + seconds
    )


def phase(
    name: PhaseName, pods: int, began: float, ended: float, busy: float | None = None
) -> Phase:
    """A part of the run, with the machine so busy in it."""
    readings = (None, None) if busy is None else (Reading(0, 0), Reading(int(1000 * busy), 1000))
    return Phase(name, pods, START + began, START + ended, readings)


def drill_result(
    *,
    seconds: int = 60,
    answers: Mapping[int, Mapping[str, int]] | None = None,
    losses: Sequence[Loss] = (),
    firsts: Mapping[str, float] | None = None,
    pods: Iterable[PodLifetime] = (),
    routings: Iterable[tuple[float, Iterable[str]]] = ((-1.0, ("a", "b", "c")),),
    healings: Iterable[Healing] = (),
    kills: Iterable[PodKill] = (),
    skipped: Iterable[SkippedKill] = (),
    scalings: Iterable[ScalingRecord] = (),
    phases: Iterable[Phase] = (),
    log: Iterable[LogEntry] = (),
    replica_counts: Iterable[ReplicaCount] = (),
    outages: Iterable[Outage] = (),
    kill_method: KillMethod | None = None,
    figures: Figures | None = None,
    rejected: int = 0,
    unlisted: int = 0,
    **more: Any,
) -> DrillResult:
    """Put a drill together; by default three pods sell 30 purchases each in every second."""
    sold = answers or {at: dict.fromkeys("abc", 30) for at in range(seconds)}
    scenario = more.pop("scenario", None) or Scenario(
        rate=90.0, kill_method=kill_method or KillMethod()
    )
    report = Report(
        figures=figures or totals(sold, losses, rejected, unlisted, float(seconds)),
        timeline=tuple(second(at, sold, losses) for at in range(seconds)),
        answers=sold,
        firsts=firsts or dict.fromkeys("abc", 0.01),
        losses=tuple(losses),
        losses_unlisted=unlisted,
        started_monotonic=START,
        started_unix=1_700_000_000.0,
        interrupted=True,
    )
    history = History(
        lifetimes={pod.uid: pod for pod in pods},
        routings=[Routing(START + at, frozenset(pods)) for at, pods in routings],
        replicas=list(replica_counts),
        outages=list(outages),
        healings={healing_key(healing): healing for healing in healings},
    )
    made = DrillResult(
        scenario,
        PLACE,
        3,
        report,
        history,
        tuple(kills),
        tuple(skipped),
        tuple(scalings),
        tuple(phases),
        tuple(log),
    )
    return replace(made, **more)


def totals(
    sold: Mapping[int, Mapping[str, int]],
    losses: Sequence[Loss],
    rejected: int,
    unlisted: int,
    seconds: float,
) -> Figures:
    """Add everything up."""
    pods: dict[str, int] = {}
    for counts in sold.values():
        for pod, count in counts.items():
            pods[pod] = pods.get(pod, 0) + count
    errors: dict[str, int] = {"other": unlisted} if unlisted else {}
    for loss in losses:
        errors[loss.loss_class] = errors.get(loss.loss_class, 0) + 1
    confirmed = sum(pods.values())
    sent = confirmed + rejected + sum(errors.values())
    return Figures(
        sent=sent,
        confirmed=confirmed,
        rejected=rejected,
        seconds=seconds,
        rate=sent / (seconds or 1.0),
        latency_ms=Quantiles(1.0, 2.0, 9.0, 20.0),
        pods=pods,
        errors=errors,
    )


def second(at: int, sold: Mapping[int, Mapping[str, int]], losses: Sequence[Loss]) -> Second:
    """One second of the timeline."""
    lost = sum(int(loss.at_seconds) == at for loss in losses)
    return Second(at, sum(sold.get(at, {}).values()), 0, lost, Quantiles(1.0, 2.0, 5.0 + at, 20.0))
