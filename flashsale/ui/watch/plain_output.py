"""What `watch` writes where there is no screen: plain lines for people, JSON for machines. Pure."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from flashsale.base.text import printable
from flashsale.objects.models import Pod
from flashsale.sale.observe.healing import (
    Closed,
    Died,
    Happening,
    Healed,
    NotReplaced,
    Replaced,
    Scaled,
)
from flashsale.sale.observe.observations import EventSeen, NodeSeen, PodSeen, StreamSeen
from flashsale.sale.observe.state import Update
from flashsale.ui.watch.view_model import Board

Json = dict[str, Any]
NUMBERS = ("desired", "current", "ready")


def json_lines(before: Board, after: Board, update: Update, wall: float) -> Iterator[Json]:
    """Write what one update changed as objects of `watch -o json`; ``wall`` in unix seconds."""
    observation = update.observation
    at = {"at": round(wall, 3)}
    if isinstance(observation, PodSeen) and (change := _pod_change(before, observation)):
        yield at | {"type": "pod", **_pod_json(observation.pod), "change": change}
    numbers = counts(after)
    if numbers and numbers != counts(before):
        yield at | {"type": "replicaset", **dict(zip(NUMBERS, numbers, strict=True))}
    for happening in update.happenings:
        if isinstance(happening, Closed):
            yield at | {"type": "healed", **happening.healing.as_json()}
    if after.closed is not None and before.closed is None:
        yield at | {"type": "closed"}
    if isinstance(observation, StreamSeen) and (state := stream_state(before, after)):
        yield at | {"type": "stream", "state": state}


def unfinished_lines(board: Board, wall: float) -> Iterator[Json]:
    """Write what is healed though its victim is not gone yet: nobody will be there to see it."""
    for healing in board.state.open:
        if healing.ready is not None:
            yield {"at": round(wall, 3), "type": "healed", **healing.as_json()}


def plain_lines(before: Board, after: Board, update: Update, wall: float) -> Iterator[str]:
    """Write what one update changed as lines for people, with the time of day."""
    clock = f"{time.strftime('%H:%M:%S', time.localtime(wall))}.{int(wall % 1 * 1000):03}"
    for text in _plain(before, after, update):
        yield f"{clock}  {printable(text)}"


def counts(board: Board) -> tuple[int, int, int] | None:
    """DESIRED, CURRENT and READY as the ReplicaSet counts; nothing before all pods are known."""
    state = board.state
    if state.replicaset is None or not board.state.synced:
        return None
    return state.desired or 0, state.count, state.ready


def stream_state(before: Board, after: Board) -> str:
    """Return the state of all streams together if it changed, else nothing.

    They are live once everything has been listed, and live again when the last one is back.
    """
    states = [_overall(before), _overall(after)]
    if states[0] == states[1]:
        return ""
    back = states == ["reconnecting", "live"] and any(after.resyncs.values())
    return "resynced" if back else states[1]


def _overall(board: Board) -> str:
    if board.down:
        return "reconnecting"
    return "live" if board.streams else ""


def _plain(before: Board, after: Board, update: Update) -> Iterator[str]:
    match update.observation:
        case PodSeen(pod=pod) as seen if change := _pod_change(before, seen):
            ready = f"{pod.containers_ready}/{pod.containers}"
            status = "gone" if change == "gone" else pod.status
            yield f"pod {pod.name}  {ready}  {status}  restarts {pod.restarts}"
        case EventSeen(type="Warning", old=False, name=name, message=message):
            yield f"warning {name}  {message}"
        case NodeSeen(node=node, change=word) if (
            after.by_node and before.state.nodes.get(node.name) != node
        ):
            yield f"node {node.name}  {'gone' if word == 'gone' else node.state}"
        case StreamSeen(why=reason) if state := stream_state(before, after):
            why = f": {reason}" if reason else ""
            yield f"stream {state}{why}"
    for happening in update.happenings:
        yield from _happening_line(happening)
    if after.closed is not None and before.closed is None:
        yield "closed  the ReplicaSet was deleted"
    numbers = counts(after)
    if numbers and numbers != counts(before):
        yield "replicaset  " + "  ".join(map("{} {}".format, NUMBERS, numbers))


def _happening_line(happening: Happening) -> Iterator[str]:
    match happening:
        case Died(healing=healing):
            yield f"died {healing.victim}, {healing.cause}"
        case Replaced(healing=healing):
            yield f"replaced {healing.victim} by {healing.replacement}"
        case Healed(healing=healing):
            yield f"healed {healing.victim} after {healing.seconds(healing.ready):.2f} s"
        case NotReplaced(healing=healing, why=why):
            yield f"not replaced {healing.victim}: {why}"
        case Scaled():
            yield f"scaled from {happening.before} to {happening.after}"


def _pod_change(before: Board, seen: PodSeen) -> str:
    """Return added, changed or gone, or nothing if people would see no difference."""
    row = before.rows.get(seen.pod.uid)
    if seen.change == "gone":
        return "gone" if row is not None and row.gone is None else ""
    if row is None:
        return "added"
    return "changed" if _looks(row.seen.pod) != _looks(seen.pod) else ""


def _looks(pod: Pod) -> tuple[Any, ...]:
    return pod.containers_ready, pod.ready, pod.status, pod.restarts


def _pod_json(pod: Pod) -> Json:
    return {
        "name": pod.name,
        "ready": pod.ready,
        "status": pod.status,
        "restarts": pod.restarts,
        "node": pod.node,
    }
