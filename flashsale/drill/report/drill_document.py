"""A drill as one JSON document: what `-o json` prints, `--report` keeps and `--compare` reads.

The terminal, the page, the comparison and the Markdown report are all made from it alone. Moments
are seconds of the run. `docs/json/drill.schema.json` describes every key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flashsale.base.errors import BadInputError
from flashsale.base.text import quoted
from flashsale.drill.analysis.attribution import Attribution
from flashsale.drill.analysis.findings import list_findings, summarize
from flashsale.drill.analysis.verdict import Analysis
from flashsale.drill.history import PodLifetime, ReplicaCount, assign_seats
from flashsale.drill.result import DrillResult
from flashsale.load.results import Quantiles, Second
from flashsale.sale.observe.healing import Healing

FORMAT = 2
BASELINE = "it loses about as many when nothing is done to it"  # why such a loss has no cause
Document = dict[str, Any]


def build_drill_document(result: DrillResult, analysis: Analysis) -> Document:
    started = datetime.fromtimestamp(result.report.started_unix, UTC)
    return {
        "format": FORMAT,
        "verdict": analysis.verdict,
        "reason": analysis.reason,
        "summary": summarize(result, analysis),
        "findings": list_findings(result, analysis),
        "load": result.report.figures.to_json(),
        "healings": [_healing(result, healing) for healing in result.healings],
        "scalings": _scalings(result),
        "losses": [_loss(attribution) for attribution in analysis.attributions],
        "kills": _kills(result, analysis),
        "node_deaths": _node_deaths(result, analysis),
        "ended": result.ended,
        "error": result.error,
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(result.seconds, 3),
        "sending_seconds": round(result.sending_seconds, 3),
        "scenario": _scenario(result),
        "environment": asdict(result.environment),
        "attribution": _attribution(result, analysis),
        "healing_seconds": asdict(analysis.healing) if analysis.healing else None,
        "phases": [phase.to_json() for phase in analysis.phases],
        "shares": {
            **analysis.fairness.shares.to_json(),
            "stable_seconds": analysis.fairness.seconds,
        },
        "pods": _pods(result, analysis),
        "timeline": _timeline(result),
        "routing": [
            {"at_seconds": max(0.0, result.second(routing.at)), "pods": sorted(routing.pods)}
            for routing in result.history.routings
        ],
        "replicas": list(_replicas(result)),
        "log": [
            {"at_seconds": result.second(entry.at), "kind": entry.kind, "pod": entry.pod}
            | {"text": entry.text}
            for entry in result.log
        ],
    }


def read_document(file: Path) -> Document:
    """Read a report back; BadInputError if it is missing, or no report of a drill."""
    hint = f"flashsale drill --report {quoted(file.with_suffix('.json'))}"
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInputError(f"There is no file {file}.", hint=hint) from None
    except OSError as error:
        raise BadInputError(f"{file} cannot be read: {error.strerror}.", hint=hint) from error
    except ValueError:
        raise BadInputError(f"{file} is not JSON.", hint=hint) from None
    if not isinstance(document, dict) or "phases" not in document or "format" not in document:
        raise BadInputError(f"{file} is not the report of a drill.", hint=hint)
    if document["format"] != FORMAT:
        raise BadInputError(
            f"{file} has format {document['format']}; this version reads {FORMAT}.", hint=hint
        )
    return document


def _healing(result: DrillResult, healing: Healing) -> Document:
    kill = result.kill_of(healing)
    return {
        **healing.as_json(),
        "at_seconds": result.second(healing.died),
        "kill": kill.number if kill else None,
    }


def _scalings(result: DrillResult) -> list[Document]:
    return [
        {
            "from": scaling.before,
            "to": scaling.after,
            "seconds": _after(scaling.asked_at, scaling.ended_at),
            "at_seconds": result.second(scaling.asked_at),
        }
        for scaling in result.scalings
    ]


def _after(began: float, moment: float | None) -> float | None:
    return None if moment is None else round(moment - began, 3)


def _loss(attribution: Attribution) -> Document:
    loss, cause = attribution.loss, attribution.cause
    return {
        "at_seconds": round(loss.at_seconds, 3),
        "class": loss.loss_class,
        "blamed_on": cause.pod if cause else None,
        "cause": cause.name if cause else None,
        "why": cause.why if cause else BASELINE if attribution.baseline else None,
        "ended_seconds": round(loss.ended_seconds, 3),
    }


def _scenario(result: DrillResult) -> Document:
    scenario = result.scenario
    return {
        "rate": scenario.rate,
        "kills": scenario.kills,
        "every": scenario.every,
        "replicas": result.replicas,
        "scale": scenario.scale_to,
        "grace": scenario.kill_method.grace,
        "process": scenario.kill_method.process,
        "keep_ready": scenario.keep_ready,
        "calm": scenario.calm,
        "seed": scenario.seed,
        "max_lost": scenario.max_lost,
        "kill_description": scenario.kill_description,
        "kill_node": scenario.kill_node,
    }


def _node_deaths(result: DrillResult, analysis: Analysis) -> list[Document]:
    """List every node that was killed with what it cost; seconds after its death."""
    return [
        {
            "node": death.node,
            "pods": [name for name, _ in death.pods],
            "at_seconds": result.second(death.asked_at),
            "not_ready_seconds": _after(death.asked_at, death.not_ready_at),
            "replaced_seconds": _after(death.asked_at, death.replaced_at),
            "back_seconds": _after(death.asked_at, death.back_at),
            "lost": analysis.costs[death.cause],
        }
        for death in result.node_deaths
    ]


def _kills(result: DrillResult, analysis: Analysis) -> list[Document]:
    def row(number: int, pod: str | None, at: float, lost: int, skipped: str | None) -> Document:
        at = result.second(at)
        return {"number": number, "pod": pod, "at_seconds": at, "lost": lost, "skipped": skipped}

    cost = analysis.costs
    rows = [
        row(kill.number, kill.pod, kill.asked_at, cost[f"kill {kill.number}"], None)
        for kill in result.kills
    ]
    rows += [row(skip.number, None, skip.at, 0, skip.reason) for skip in result.skipped]
    return sorted(rows, key=lambda row: row["number"])


def _attribution(result: DrillResult, analysis: Analysis) -> Document:
    return {
        "explained": analysis.explained,
        "baseline": analysis.baseline,
        "unexplained": analysis.unexplained,
        "unlisted": result.report.losses_unlisted,
        "covered": round(analysis.covered, 4),
    }


def _pods(result: DrillResult, analysis: Analysis) -> list[Document]:
    """List each pod's life and share, in the order in which they came."""
    places = assign_seats(result.history.lifetimes, result.healings)
    fairness, confirmed = analysis.fairness, result.report.figures.pods
    return [
        {
            "name": pod.name,
            "seat": places[pod.uid][0],
            "turn": places[pod.uid][1],
            "confirmed": confirmed.get(pod.name, 0),
            "stable": fairness.got.get(pod.name, 0),
            "fair": round(fairness.fair.get(pod.name, 0.0), 1),
            "first_sale_seconds": _rounded(result.report.firsts.get(pod.name)),
            "leaving_before": "leaving" in pod.missed,
            **_moments(result, pod),
        }
        for pod in result.pods
    ]


def _replicas(result: DrillResult) -> Iterator[Document]:
    """List the changes of desired and ready pods; what was before second 0 is one entry."""
    before: ReplicaCount | None = None
    for replica in result.history.replicas:
        if before is not None and result.second(replica.at) > 0:
            yield _count(result, before)
        before = replica
    if before is not None:
        yield _count(result, before)


def _count(result: DrillResult, replica_count: ReplicaCount) -> Document:
    at = max(0.0, result.second(replica_count.at))
    return {"at_seconds": at, "desired": replica_count.desired, "ready": replica_count.ready}


def _rounded(second: float | None) -> float | None:
    return None if second is None else round(second, 3)


def _moments(result: DrillResult, pod: PodLifetime) -> Document:
    return {
        f"{name}_seconds": None if moment is None else result.second(moment)
        for name in ("seen", "ready", "leaving", "gone")
        for moment in (pod.known(name),)
    }


def _timeline(result: DrillResult) -> list[Document]:
    """List every second: what was planned in it and became of it, and what each pod answered.

    The last one in which buyers came is seldom whole, and answers may come in those after it:
    ``buyers_seconds`` is how long, of that second, buyers came.
    """
    report, sending = result.report, round(result.sending_seconds, 3)
    planned = {second.at: second for second in report.timeline}
    return [
        _second(planned.get(at) or Second(at, 0, 0, 0, Quantiles()))
        | {"buyers_seconds": round(min(1.0, max(0.0, sending - at)), 3)}
        | {"pods": dict(report.answers.get(at, {}))}
        for at in range(1 + max([*planned, *report.answers], default=-1))
    ]


def _second(second: Second) -> Document:
    return {
        "at": second.at,
        "confirmed": second.confirmed,
        "rejected": second.rejected,
        "lost": second.lost,
        "p50_ms": round(second.latency_ms.p50, 3),
        "p99_ms": round(second.latency_ms.p99, 3),
        "max_ms": round(second.latency_ms.max, 3),
    }
