"""A drill as one JSON document: what `-o json` prints, `--report` keeps and `--compare` reads.

Moments are seconds of the run. The first five keys are the command line's contract; the rest is
everything that the page shows, so that the page can be made from the document alone.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flashsale.base.errors import BadInputError
from flashsale.drill.analysis.attribution import Blamed
from flashsale.drill.analysis.verdict import Analysis
from flashsale.drill.history import PodLifetime, seats
from flashsale.drill.result import DrillResult
from flashsale.load.results import Quantiles, Second
from flashsale.sale.observe.state import Healing

FORMAT = 1
USUAL = "it loses about as many in the calm"  # why a loss that is the sale's own has no cause
Document = dict[str, Any]


def document(outcome: DrillResult, judged: Analysis) -> Document:
    """Write down everything."""
    return {
        "load": outcome.report.figures.to_json(),
        "healings": [_healing(outcome, one) for one in outcome.healings],
        "scalings": _scalings(outcome),
        "losses": [_loss(one) for one in judged.blamed],
        "verdict": judged.verdict,
        "format": FORMAT,
        "headline": judged.headline,
        "sentences": list(judged.sentences),
        "ended": outcome.ended,
        "why": outcome.why,
        "started": datetime.fromtimestamp(outcome.report.started_unix, UTC).isoformat(
            timespec="seconds"
        ),
        "seconds": round(outcome.seconds, 3),
        "sending_seconds": round(_sending(outcome), 3),
        "scenario": _scenario(outcome),
        "place": _place(outcome),
        "kills": _kills(outcome, judged),
        "blame": _blame(outcome, judged),
        "healing_seconds": _healing_seconds(judged),
        "phases": [part.to_json() for part in judged.parts],
        "shares": _shares(judged),
        "pods": _pods(outcome, judged),
        "timeline": _timeline(outcome),
        "routing": [
            {"at_seconds": max(0.0, outcome.second(one.at)), "pods": sorted(one.pods)}
            for one in outcome.history.routings
        ],
        "story": [
            {"at_seconds": outcome.second(one.at), "kind": one.kind, "pod": one.pod}
            | {"text": one.text}
            for one in outcome.entries
        ],
    }


def read(file: Path) -> Document:
    """Read a report back.

    Raises:
        BadInputError: it is missing, or no report of a drill.
    """
    hint = f"flashsale drill --report {shlex.quote(str(file.with_suffix('.json')))}"
    try:
        found = json.loads(file.read_text())
    except FileNotFoundError:
        raise BadInputError(f"There is no file {file}.", hint=hint) from None
    except OSError as error:
        raise BadInputError(f"{file} cannot be read: {error.strerror}.", hint=hint) from error
    except ValueError:
        raise BadInputError(f"{file} is not JSON.", hint=hint) from None
    if not isinstance(found, dict) or found.get("format") != FORMAT or "phases" not in found:
        raise BadInputError(f"{file} is not the report of a drill.", hint=hint)
    return found


def _healing(outcome: DrillResult, one: Healing) -> Document:
    kill = outcome.kill_of(one)
    return {
        **one.as_json(),
        "at_seconds": outcome.second(one.died),
        "kill": kill.number if kill else None,
    }


def _scalings(outcome: DrillResult) -> list[Document]:
    return [
        {
            "from": one.before,
            "to": one.after,
            "seconds": None if one.ended_at is None else round(one.ended_at - one.asked_at, 3),
            "at_seconds": outcome.second(one.asked_at),
        }
        for one in outcome.scalings
    ]


def _loss(one: Blamed) -> Document:
    loss, cause = one.loss, one.cause
    return {
        "at_seconds": round(loss.at_seconds, 3),
        "class": loss.loss_class,
        "blamed_on": cause.pod if cause else None,
        "cause": cause.name if cause else None,
        "why": cause.why if cause else USUAL if one.usual else None,
        "ended_seconds": round(loss.ended_seconds, 3),
    }


def _scenario(outcome: DrillResult) -> Document:
    scenario = outcome.scenario
    return {
        "rate": scenario.rate,
        "kills": scenario.kills,
        "every": scenario.every,
        "replicas": outcome.replicas,
        "scale": scenario.scale_to,
        "grace": scenario.blow.grace,
        "process": scenario.blow.process,
        "keep_ready": scenario.keep_ready,
        "calm": scenario.calm,
        "seed": scenario.seed,
        "max_lost": scenario.max_lost,
        "how": scenario.how,
    }


def _place(outcome: DrillResult) -> Document:
    place = outcome.place
    return {name: getattr(place, name) for name in place.__slots__}


def _kills(outcome: DrillResult, judged: Analysis) -> list[Document]:
    """Tell every kill with what it cost."""
    cost = judged.costs
    done = [
        {
            "number": one.number,
            "pod": one.pod,
            "at_seconds": outcome.second(one.asked_at),
            "lost": cost[f"kill {one.number}"],
            "skipped": None,
        }
        for one in outcome.struck
    ]
    left_out = [
        {
            "number": one.number,
            "pod": None,
            "at_seconds": outcome.second(one.at),
            "lost": 0,
            "skipped": one.why,
        }
        for one in outcome.skipped
    ]
    return sorted([*done, *left_out], key=lambda one: one["number"])


def _blame(outcome: DrillResult, judged: Analysis) -> Document:
    return {
        "explained": sum(one.cause is not None for one in judged.blamed),
        "usual": judged.usual,
        "unexplained": judged.unexplained,
        "unlisted": outcome.report.losses_unlisted,
        "covered": round(judged.covered, 4),
    }


def _healing_seconds(judged: Analysis) -> Document | None:
    found = judged.healing
    return asdict(found) if found else None


def _shares(judged: Analysis) -> Document:
    fair = judged.fairness
    return {**fair.shares.to_json(), "quiet_seconds": fair.seconds}


def _pods(outcome: DrillResult, judged: Analysis) -> list[Document]:
    """Tell each pod's life and share, in the order in which they came."""
    places = seats(outcome.history.lives, outcome.healings)
    fair, confirmed = judged.fairness, outcome.report.figures.pods
    told = []
    for life in outcome.lives:
        seat, turn = places[life.uid]
        told.append(
            {
                "name": life.name,
                "seat": seat,
                "turn": turn,
                "confirmed": confirmed.get(life.name, 0),
                "quiet": fair.got.get(life.name, 0),
                "due": round(fair.due.get(life.name, 0.0), 1),
                "first_sale_seconds": _rounded(outcome.report.firsts.get(life.name)),
                "leaving_before": "leaving" in life.missed,
                **_moments(outcome, life),
            }
        )
    return told


def _rounded(second: float | None) -> float | None:
    return None if second is None else round(second, 3)


def _moments(outcome: DrillResult, life: PodLifetime) -> Document:
    return {
        f"{name}_seconds": None if moment is None else outcome.second(moment)
        for name in ("seen", "ready", "leaving", "gone")
        for moment in (life.known(name),)
    }


def _sending(outcome: DrillResult) -> float:
    """Say for how many seconds buyers came; the last of them were waited for afterwards."""
    figures = outcome.report.figures
    return figures.sent / figures.rate if figures.rate else outcome.seconds


def _timeline(outcome: DrillResult) -> list[Document]:
    """Tell every second: what was planned in it and became of it, and what each pod answered.

    The last one in which buyers came is seldom whole, and answers may come in those after it:
    ``buyers_seconds`` is how long, of that second, buyers came.
    """
    report, sending = outcome.report, round(_sending(outcome), 3)
    planned = {one.at: one for one in report.timeline}
    return [
        _second(planned.get(at) or Second(at, 0, 0, 0, Quantiles()))
        | {"buyers_seconds": round(min(1.0, max(0.0, sending - at)), 3)}
        | {"pods": dict(report.answers.get(at, {}))}
        for at in range(1 + max([*planned, *report.answers], default=-1))
    ]


def _second(one: Second) -> Document:
    return {
        "at": one.at,
        "confirmed": one.confirmed,
        "rejected": one.rejected,
        "lost": one.lost,
        "p50_ms": round(one.latency_ms.p50, 3),
        "p99_ms": round(one.latency_ms.p99, 3),
        "max_ms": round(one.latency_ms.max, 3),
    }
