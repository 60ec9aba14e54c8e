"""One line of why: what Kubernetes did, and where the seconds went."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flashsale.objects.models import Pod
from flashsale.sale.observe.healing import Healing
from flashsale.sale.observe.observations import EventSeen, Observation, PodSeen, ReplicaSetSeen
from flashsale.sale.observe.state import SaleState, Update
from flashsale.sale.ready.explanation import (
    NewPods,
    WarningNotes,
    created_line,
    deleted_line,
    healing_line,
    node_line,
    time_spent,
    warning_line,
)
from tests.sale.api_objects import known, pod_object, replicaset_object
from tests.sale.observe.replay import updates

READY_POD = pod_object("rs-7fmc8", ready=True)
POD = Pod.from_object(READY_POD)
PODS = {"b": PodSeen.from_object(READY_POD, "changed", 0.0)}
NO_ROOM = (
    "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate,"
    " preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
)


def warning(reason: str, message: str, *, old: bool = False) -> EventSeen:
    return EventSeen(1.0, "Pod", "rs-7fmc8", "Warning", reason, message, old=old)


def test_a_replaced_pod() -> None:
    """What the ReplicaSet counted, whom it created, and how long the probe took."""
    healing = Healing("rs-a", "a", "deleted", 10.0, "rs-7fmc8", "b", 10.02, 10.1, 10.5, 15.0)
    healing = replace(healing, wanted=3, left=2)
    assert healing_line(healing, PODS) == (
        "The ReplicaSet wanted 3, counted 2, created rs-7fmc8; ready after 5.0 s:"
        " 0.5 s until its container ran and 4.5 s for its readiness probe,"
        " which begins after 3 s and runs every 10 s."
    )


def test_a_container_that_is_restarted_in_its_pod() -> None:
    """No ReplicaSet has a part in it."""
    healing = Healing("rs-a", "a", "crashed", 10.0, "rs-a", "a", started=10.3, ready=11.0)
    line = healing_line(healing, {})
    assert line.startswith("The kubelet restarted the container of rs-a in place; ready after 1.0")
    assert "0.7 s until it was ready" in line


def test_a_healing_under_way_has_no_line() -> None:
    """Where the seconds went is known at the end."""
    assert healing_line(Healing("rs-a", "a", "deleted", 10.0, "rs-b", "b"), PODS) == ""


def test_new_pods_and_the_last_of_them() -> None:
    """Those that were there before do not count."""
    pods = NewPods({"uid-old"})
    state = known(replicaset_object())
    running = {"running": {"startedAt": "2026-11-23T03:20:05Z"}}
    first = pod_object("a", ready=True, state=running)
    old = pod_object("old", ready=True, state=running)
    news: list[Observation] = [
        PodSeen.from_object(old, "listed", 1.0),
        PodSeen.from_object(pod_object("a", state={"waiting": {}}), "added", 2.0),
        PodSeen.from_object(pod_object("b", state={"waiting": {}}), "added", 2.0),
        PodSeen.from_object(first, "changed", 5.0),
        PodSeen.from_object(pod_object("b", state=running), "changed", 3.0),
        PodSeen.from_object(pod_object("b", ready=True, state=running), "changed", 6.5),
    ]
    for update in updates(news, state):
        pods.see(update)
    line = created_line(pods.ready, began=1.5)
    assert line.startswith(
        "The ReplicaSet created 2 pods; the last of them, b, was ready after 5.0"
    )
    assert "1.5 s until its container ran and 3.5 s for its readiness probe" in line
    assert created_line([], 0.0) == ""


def test_deleted_pods_are_named() -> None:
    """In the order of their names."""
    assert deleted_line(["b", "a"]) == "The ReplicaSet deleted a and b."
    assert deleted_line([]) == ""


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            warning("FailedScheduling", NO_ROOM),
            "The scheduler finds no node for a pod: 0/1 nodes are available: 1 Insufficient cpu.",
        ),
        (
            warning("FailedCreate", 'Error creating: pods "x" is forbidden: exceeded quota'),
            'The ReplicaSet cannot create a pod: pods "x" is forbidden: exceeded quota.',
        ),
        (warning("FailedScheduling", NO_ROOM, old=True), ""),
        (warning("Unhealthy", "Readiness probe failed"), ""),
    ],
)
def test_why_a_pod_cannot_be_placed_or_made_is_said_at_once(event: EventSeen, line: str) -> None:
    """In the scheduler's own words, without what preemption tried."""
    assert warning_line(Update(event, SaleState())) == line


def test_each_warning_is_noted_once_and_not_while_room_is_being_made() -> None:
    """Ten pods without room are one line; a pod on its way out may make room."""
    notes: list[str] = []
    see, event = WarningNotes(notes.append).see, warning("FailedScheduling", NO_ROOM)
    leaving = pod_object("old", terminating=True)
    see(Update(event, known(replicaset_object(), leaving)))
    assert notes == []
    for _ in range(2):
        see(Update(event, known(replicaset_object())))
    assert len(notes) == 1
    for name in ("rs-1", "rs-2"):
        failure = warning("FailedCreate", f'Error creating: pods "{name}" is forbidden: quota')
        see(Update(failure, known(replicaset_object())))
    assert len(notes) == 2


def test_replicaset_is_needed_to_know_its_pods() -> None:
    """Pods of nobody are not its work."""
    pods = NewPods(())
    stranger = PodSeen.from_object(pod_object("x", ready=True, owner="other"), "added", 1.0)
    for update in updates([ReplicaSetSeen(0.0, None), stranger]):
        pods.see(update)
    assert pods.ready == []


def test_a_lost_node_says_where_the_seconds_went() -> None:
    """The lease, the toleration, the replacement; and its turn, where several were lost."""
    line = node_line(1, (5.0, 10.0, 10.1, 15.2), 5.0)
    assert "noticed after 5.0 s" in line
    assert "1 pod then stayed 5.0 s more, its tolerationSeconds, and was replaced 0.1 s" in line
    late = node_line(2, (5.0, 20.0, 20.1, 25.0), 5.0)
    assert "stayed 15.0 s more, their tolerationSeconds (5) after the node's turn" in late
    assert node_line(0, (5.0, None, None, None), None).endswith("No pod of the sale was there.")
    assert "came back before" in node_line(0, (None,) * 4, None)


def test_the_parts_of_a_time_add_up_as_printed() -> None:
    """5.07 s are 0.23 s and 4.84 s: 5.1 s must not be 0.2 s and 4.8 s, nor 0.3 s only 0.2 s."""
    parts = "{} s until its container ran and {} s until it was ready"
    assert time_spent(None, 0.0, 0.23, 5.07) == parts.format(0.2, 4.9)
    assert time_spent(None, 0.0, 0.2, 0.3) == parts.format(0.2, 0.1)
