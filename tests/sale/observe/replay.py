"""Recorded watch events as observations, in the order of their arrival."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from flashsale.sale.observe.healing import (
    Adopted,
    Closed,
    Died,
    Gone,
    Happening,
    Healed,
    NotReplaced,
    Replaced,
    Scaled,
)
from flashsale.sale.observe.healing_tracker import step
from flashsale.sale.observe.observations import (
    EventSeen,
    Observation,
    PodChange,
    PodSeen,
    ReplicaSetSeen,
    SliceSeen,
    Synced,
)
from flashsale.sale.observe.state import SaleState, Update

RECORDINGS = Path(__file__).parents[2] / "recordings" / "watch"
CHANGES: dict[str, PodChange] = {"ADDED": "added", "MODIFIED": "changed", "DELETED": "gone"}


def recorded(scenario: str, replicaset: str = "flashsale-rs") -> list[Observation]:
    """Read a scenario as somebody following one ReplicaSet sees it."""
    return [*_before(scenario, replicaset), Synced(0.0), *_lines(scenario, replicaset)]


def _before(scenario: str, replicaset: str) -> Iterator[Observation]:
    before = json.loads((RECORDINGS / scenario / "before.json").read_text())
    for found in before["replicasets"]:
        if found["metadata"]["name"] == replicaset:
            yield ReplicaSetSeen.from_object(found, "listed", 0.0)
    for found in before["pods"]:
        yield PodSeen.from_object(found, "listed", 0.0)


def _lines(scenario: str, replicaset: str) -> list[Observation]:
    seen: list[Observation] = []
    for path in sorted((RECORDINGS / scenario).glob("*.jsonl")):
        for line in path.read_text().splitlines():
            news = json.loads(line)
            at, change, found = news["at"], CHANGES[news["type"]], news["object"]
            match path.stem:
                case "pods" if found["metadata"]["name"].startswith(f"{replicaset}-"):
                    seen.append(PodSeen.from_object(found, change, at))
                case "replicasets" if found["metadata"]["name"] == replicaset:
                    seen.append(ReplicaSetSeen.from_object(found, change, at))
                case "endpointslices":
                    seen.append(SliceSeen.from_object(found, change, at))
                case "events":
                    seen.append(EventSeen.from_object(found, change, at))
    return sorted(seen, key=lambda one: one.at)


def updates(observations: list[Observation], state: SaleState | None = None) -> Iterator[Update]:
    """What a monitor tells its observers of these observations."""
    state = state or SaleState()
    for observation in observations:
        state, happenings = step(state, observation)
        yield Update(observation, state, happenings)


def replay_all(observations: list[Observation]) -> tuple[SaleState, list[Happening]]:
    """Fold observations, and return what is known at the end and all that was said."""
    state, said = SaleState(), []
    for observation in observations:
        state, more = step(state, observation)
        said += more
    return state, said


def words(happenings: list[Happening]) -> list[str]:
    """Write what was told in one line each; of a pod's name only the part that tells it apart."""
    return [_line(one) for one in happenings]


def _line(happening: Happening) -> str:
    match happening:
        case Scaled():
            return f"{happening.at:.3f} scaled {happening.before} to {happening.after}"
        case Adopted():
            return f"{happening.at:.3f} adopted {_short(happening.pod)}"
        case Died():
            return (
                f"{happening.at:.3f} {_short(happening.healing.victim)} {happening.healing.cause}"
            )
        case Gone():
            return f"{happening.at:.3f} {_short(happening.healing.victim)} gone"
        case NotReplaced():
            victim = _short(happening.healing.victim)
            return f"{happening.at:.3f} {victim} not replaced: {happening.why}"
        case Replaced() | Healed() | Closed():
            word = type(happening).__name__.lower()
            by = _short(happening.healing.replacement or "")
            return f"{happening.at:.3f} {_short(happening.healing.victim)} {word} by {by}"


def _short(name: str) -> str:
    return name.rpartition("-")[2]
