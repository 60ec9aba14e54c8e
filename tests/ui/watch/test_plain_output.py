"""What `watch` writes without a screen: the lines that machines and logs get."""

from __future__ import annotations

from typing import Any

from flashsale.objects.models import ReplicaSet
from flashsale.sale.observe.observations import (
    EventSeen,
    Observation,
    ReplicaSetSeen,
    StreamSeen,
    Synced,
)
from flashsale.ui.watch.plain_output import json_lines, plain_lines, unfinished_lines
from flashsale.ui.watch.view_model import Board, add_update
from tests.sale.observe.replay import recorded, updates
from tests.ui.watch.view_models import PLACE, SOURCES, fold

LIVE: list[Observation] = [StreamSeen(0.0, one, "live") for one in SOURCES]


def written(observations: list[Observation]) -> list[dict[str, Any]]:
    """All JSON lines; the wall clock says 1000 when the recording's says 0."""
    board, out = Board(PLACE), []
    for update in updates(observations):
        before, board = board, add_update(board, update)
        out += json_lines(before, board, update, 1000.0 + update.observation.at)
    return out


def of(kind: str, dicts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in dicts if line["type"] == kind]


def test_each_visible_change_of_a_pod_is_a_line() -> None:
    """With kubectl's word; what nobody could see in `get pods` is left out."""
    pods = of("pod", written([*LIVE, *recorded("03-delete-pod")]))
    victim = [
        (entry["at"], entry["change"], entry["status"])
        for entry in pods
        if "gxj9j" in entry["name"]
    ]
    assert victim == [
        (1000.0, "added", "Running"),
        (1000.533, "changed", "Terminating"),
        (1001.44, "changed", "Completed"),
        (1001.808, "gone", "Completed"),
    ]
    assert pods[-1] == {
        "at": 1008.962,
        "type": "pod",
        "name": "flashsale-rs-2bk89",
        "ready": True,
        "status": "Running",
        "restarts": 0,
        "node": "minikube",
        "change": "changed",
    }


def test_the_replicasets_numbers_are_a_line_when_they_change() -> None:
    """Once for what is there, and then as pods come and go."""
    numbers = of("replicaset", written([*LIVE, *recorded("03-delete-pod")]))
    assert [(row["desired"], row["current"], row["ready"]) for row in numbers] == [
        (5, 5, 5),
        (5, 4, 4),
        (5, 5, 4),
        (5, 5, 5),
    ]


def test_a_healing_is_one_line_with_the_keys_of_kill_pod() -> None:
    """When it is whole: ready, and the victim gone."""
    healed = of("healed", written([*LIVE, *recorded("03-delete-pod")]))
    assert len(healed) == 1
    assert {"at", "victim", "replacement", "cause", "created_seconds", "gone_seconds"} <= set(
        healed[0]
    )
    assert healed[0]["ready_seconds"] == 8.429


def test_the_streams_are_one_state_together() -> None:
    """Reconnecting while any is down; resynced when the last is back; never the same twice."""
    document = written(
        [
            *LIVE,
            StreamSeen(1.0, "pods", "reconnecting", 1),
            StreamSeen(1.1, "events", "reconnecting", 1),
            StreamSeen(2.0, "pods", "resynced"),
            StreamSeen(2.1, "events", "resynced"),
            StreamSeen(3.0, "pods", "resynced"),  # after a 410, which nobody need know
        ]
    )
    assert [row["state"] for row in of("stream", document)] == ["live", "reconnecting", "resynced"]


def test_what_is_healed_but_not_whole_is_written_at_the_end() -> None:
    """`--for` may end before a victim with a long goodbye is gone."""
    observations = [one for one in recorded("03-delete-pod") if one.at != 1.808]
    lines = list(unfinished_lines(fold(Board(PLACE), observations), 1010.0))
    assert [(row["ready_seconds"], row["gone_seconds"]) for row in lines] == [(8.429, None)]


def test_people_get_a_line_with_the_time_of_day() -> None:
    """Deaths, replacements and numbers in words."""
    board, out = Board(PLACE), list[str]()
    for update in updates([*LIVE, *recorded("03-delete-pod")]):
        before, board = board, add_update(board, update)
        out += [line.partition("  ")[2] for line in plain_lines(before, board, update, 0.0)]
    assert out[-7:] == [
        "pod flashsale-rs-2bk89  0/1  ContainerCreating  restarts 0",
        "pod flashsale-rs-gxj9j  0/1  Completed  restarts 0",
        "pod flashsale-rs-gxj9j  0/1  gone  restarts 0",
        "pod flashsale-rs-2bk89  0/1  Running  restarts 0",
        "pod flashsale-rs-2bk89  1/1  Running  restarts 0",
        "healed flashsale-rs-gxj9j after 8.43 s",
        "replicaset  desired 5  current 5  ready 5",
    ]
    assert "died flashsale-rs-gxj9j, deleted" in out
    assert "replaced flashsale-rs-gxj9j by flashsale-rs-2bk89" in out


def test_warnings_are_lines_and_old_ones_are_not() -> None:
    """Only what happens while somebody looks."""
    old = EventSeen(0.0, "Pod", "a", "Warning", "BackOff", "old", old=True)
    new = EventSeen(1.0, "Pod", "a", "Warning", "BackOff", "new")
    board = Board(PLACE)
    lines = [
        line for update in updates([old, new]) for line in plain_lines(board, board, update, 1.0)
    ]
    assert [line.partition("  ")[2] for line in lines] == ["warning a  new"]


def test_nothing_is_counted_before_everything_is_known() -> None:
    """Pods are listed one by one; a ReplicaSet with half of them would be a lie."""
    document = written(
        [synced for synced in recorded("03-delete-pod") if not isinstance(synced, Synced)]
    )
    assert of("replicaset", document) == []


def test_a_closed_sale_is_a_line() -> None:
    """Once, when its ReplicaSet is deleted."""
    replica_set = ReplicaSet("flashsale-rs", "u", 3, 3, 3, 1.0, "app=flashsale")
    seen = [*LIVE, ReplicaSetSeen(1.0, replica_set, 5), ReplicaSetSeen(2.5, None, 6)]
    assert of("closed", written(seen)) == [{"at": 1002.5, "type": "closed"}]
