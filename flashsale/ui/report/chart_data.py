"""What the charts of the page draw, as plain JSON: columns by second, and marks between them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flashsale.base.text import counted, seconds
from flashsale.ui.drill.sentences import pods_of_dead_nodes

Document = dict[str, Any]


def chart_data(drill: Document) -> Document:
    """Turn a drill's document into columns.

    Pods come in the order in which they are stacked: by their place in the ReplicaSet, and in one
    place by their turn, so that a replacement continues its victim's band. Purchases a second are
    known of whole seconds only: of ``whole`` ones at the beginning, as the last is seldom one.
    """
    timeline = drill["timeline"]
    marks = sorted(_marks(drill), key=lambda mark: mark["at"])
    pods = sorted(drill["pods"], key=lambda pod: (pod["seat"], pod["turn"]))
    sold = [pod for pod in pods if pod["confirmed"]]
    return {
        "seconds": [row["at"] for row in timeline],
        "pods": [
            {
                "name": pod["name"],
                "seat": pod["seat"],
                "turn": pod["turn"],
                "counts": [row["pods"].get(pod["name"], 0) for row in timeline],
            }
            for pod in sold
        ],
        "confirmed": [sum(row["pods"].values()) for row in timeline],
        "lost": [row["lost"] for row in timeline],
        "p50": [row["p50_ms"] or None for row in timeline],
        "p99": [row["p99_ms"] or None for row in timeline],
        "buyers": [row["buyers_seconds"] for row in timeline],
        "whole": sum(row["buyers_seconds"] == 1 for row in timeline),
        "end": max([drill["sending_seconds"], *(mark["at"] for mark in marks)]),
        "rate": drill["scenario"]["rate"],
        "marks": marks,
        "replicas": _replicas(drill),
        "phases": [
            {"name": _phase(part), "from": part["began_seconds"], "to": part["ended_seconds"]}
            for part in drill["phases"]
        ],
    }


def _replicas(drill: Document) -> Document:
    """Turn changes into columns, each value lasting until the next one."""
    changes = drill["replicas"]
    return {
        "at": [change["at_seconds"] for change in changes],
        "desired": [change["desired"] for change in changes],
        "ready": [change["ready"] for change in changes],
    }


def _marks(drill: Document) -> Iterator[Document]:
    """Mark kills of pods and nodes, the readiness of replacements, and the ends of scalings."""
    for kill in drill["kills"]:
        if kill["skipped"] is None:
            text = f"kill {kill['number']}: {kill['pod']}"
            yield {"at": kill["at_seconds"], "kind": "kill", "label": str(kill["number"])} | {
                "text": text
            }
    for death in drill.get("node_deaths") or []:
        yield from _death_marks(death)
    on_dead = pods_of_dead_nodes(drill)
    for healing in drill["healings"]:
        if healing["ready_seconds"] is not None:
            at = healing["at_seconds"] + healing["ready_seconds"]
            took = seconds(healing["ready_seconds"])
            text = f"{healing['replacement']} is ready, {took} after the death"
            yield {"at": round(at, 3), "kind": "ready", "label": "", "text": text}
        if healing["kill"] is None and healing["victim"] not in on_dead:
            text = f"{healing['victim']} {healing['cause']}; this drill did not kill it"
            yield {"at": healing["at_seconds"], "kind": "accident", "label": "", "text": text}
    for scaling in drill["scalings"]:
        change = f"{scaling['from']}→{scaling['to']}"
        yield {"at": scaling["at_seconds"], "kind": "scaling", "label": change} | {
            "text": f"scaling {change}"
        }
        if scaling["seconds"] is not None:
            at = round(scaling["at_seconds"] + scaling["seconds"], 3)
            text = (
                f"{scaling['to']} pods ready, {seconds(scaling['seconds'])} after the scaling began"
            )
            yield {"at": at, "kind": "ready", "label": "", "text": text}


def _death_marks(death: Document) -> Iterator[Document]:
    """Mark a node's death, and what became of the node; its pods' replacements have own marks."""
    node, at = death["node"], death["at_seconds"]
    text = f"the node {node} loses its power, with {counted(len(death['pods']), 'pod')}"
    yield {"at": at, "kind": "node", "label": "", "text": text}
    for key, what in (("not_ready_seconds", "is not ready"), ("back_seconds", "is back")):
        if (after := death[key]) is not None:
            text = f"{node} {what}, {seconds(after)} after its death"
            yield {"at": round(at + after, 3), "kind": "node-state", "label": "", "text": text}


def _phase(part: Document) -> str:
    pods = counted(part["pods"], "pod")
    return pods if part["name"] in ("before", "scaled", "after") else str(part["name"])
