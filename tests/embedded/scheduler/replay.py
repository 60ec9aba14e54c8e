"""Replays recorded placements of the real kube-scheduler on ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flashsale.embedded.scheduler.placement import Placement, place
from flashsale.embedded.scheduler.preemption import find_preemption
from flashsale.embedded.scheduler.snapshot import Snapshot, pods_by_node

Object = dict[str, Any]


def placements(world: Object) -> Iterator[tuple[Object, Answer, Object]]:
    """Give each pod of a world with our placement and the real answer, which then holds."""
    leaving = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    there = [
        pod | {"metadata": pod["metadata"] | leaving}
        if pod["metadata"]["name"] in world["leaving"]
        else pod
        for pod in world["running"]
    ]
    namespaces = {obj["metadata"]["name"]: obj["metadata"]["labels"] for obj in world["namespaces"]}
    for pod, answer in zip(world["pods"], world["placements"], strict=True):
        here = pod["metadata"]["namespace"] == "default"
        services, replicasets = (world["services"], world["replicasets"]) if here else ([], [])
        snapshot = Snapshot(world["nodes"], pods_by_node(there), namespaces, services, replicasets)
        yield pod, _answer(pod, snapshot), answer
        if "node" in answer:
            there.append(pod | {"spec": pod["spec"] | {"nodeName": answer["node"]}})


@dataclass(frozen=True)
class Answer:
    """Where a pod goes, or why nowhere."""

    placement: Placement
    message: str


def _answer(pod: Object, snapshot: Snapshot) -> Answer:
    placed = place(pod, snapshot)
    made_way = find_preemption(pod, snapshot, placed.rejections, [])
    return Answer(placed, placed.message(made_way.outlook()))


def difference(answer: Answer, real: Object) -> str:
    """Say in what our placement differs from the real answer; empty if in nothing."""
    ours = answer.placement
    if "message" in real:
        same = not ours.scores and answer.message == real["message"]
        return "" if same else f"{ours.scores or answer.message}, not {real['message']}"
    if real["node"] not in ours.best():
        return f"{ours.best()} of {ours.scores}, not {real}"
    known = real.get("scores")
    if known and {n: _nonzero(s) for n, s in ours.scores.items()} != {
        n: _nonzero(s) for n, s in known.items()
    }:
        return f"scores {ours.scores}, not {known}"
    return ""


def _nonzero(scores: Object) -> Object:
    return {plugin: score for plugin, score in scores.items() if score}
