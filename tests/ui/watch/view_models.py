"""Boards to look at: moments of recordings, and many pods."""

from __future__ import annotations

from dataclasses import replace

from flashsale.objects.models import Pod, ReplicaSet
from flashsale.sale.observe.observations import (
    Observation,
    PodSeen,
    ReplicaSetSeen,
    StreamSeen,
    Synced,
)
from flashsale.ui.watch.layout import screen_lines
from flashsale.ui.watch.view_model import Board, Now, Place, add_update
from tests.sale.observe.replay import recorded, updates

PLACE = Place("minikube", "default", "http://192.168.49.2:30080")
BEGAN = {  # unix seconds at which a recording's clock says 0
    "03-delete-pod": 1795404022.5,
    "06-container-crash": 1795404046.0,
}
SOURCES = ("replicasets", "pods", "endpointslices", "events")


def live(board: Board, at: float = 0.0) -> Board:
    """Let all streams of a board be live."""
    return fold(board, [StreamSeen(at, one, "live", heard=at) for one in SOURCES])


def fold(board: Board, observations: list[Observation]) -> Board:
    for update in updates(observations, board.state):
        board = add_update(board, update)
    return board


def moment(scenario: str, at: float) -> tuple[Board, Now]:
    """The board at a moment of a recording."""
    known = [one for one in recorded(scenario) if one.at <= at]
    return fold(live(Board(PLACE)), known), Now(at, BEGAN.get(scenario, 1795404022.5) + at)


def many(count: int) -> Board:
    """A board with so many ready pods."""
    wanted = ReplicaSet("flashsale-rs", "rs", count, count, count, 0.0)
    sights = [sight(0.0, "listed", number) for number in range(count)]
    return fold(live(Board(PLACE)), [ReplicaSetSeen(0.0, wanted, 1), *sights, Synced(0.0)])


def sight(at: float, change: str, number: int, **known: object) -> PodSeen:
    """One sight of a pod that runs and is ready, unless it is said otherwise."""
    name = f"flashsale-rs-{number:05}"
    usual = Pod(name, name, True, "Running", 0, 0.0, "10.244.0.7", "minikube", 1, 1)
    pod = replace(usual, owner_uid="rs", **known)  # type: ignore[arg-type]
    return PodSeen(at, change, pod, pod.ready, True, False, "deleted", 2 + number)  # type: ignore[arg-type]


def text(board: Board, now: Now, size: tuple[int, int] = (80, 24)) -> list[str]:
    """The lines of a view, without their looks and the blanks at their ends."""
    return [line.plain.rstrip() for line in screen_lines(board, size, now)]
