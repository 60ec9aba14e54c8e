"""What is read from API objects: why a pod leaves, what counts as running, who is served."""

from __future__ import annotations

from typing import Any

import pytest

from flashsale.sale.observe.observations import (
    EventSeen,
    PodSeen,
    ReplicaSetSeen,
    SliceSeen,
    version_of,
)


def pod(*, meta: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "a", "uid": "a", **(meta or {})}, "status": status}


def disrupted(reason: str) -> dict[str, Any]:
    condition = {"type": "DisruptionTarget", "status": "True", "reason": reason}
    return {"conditions": [condition]}


LEAVING = {"deletionTimestamp": "2026-11-23T03:20:53Z"}


@pytest.mark.parametrize(
    ("found", "cause"),
    [
        (pod(meta=LEAVING), "deleted"),
        (pod(phase="Failed"), "failed"),
        (pod(phase="Succeeded"), "failed"),
        (pod(phase="Failed", reason="Evicted"), "evicted"),
        (pod(meta=LEAVING, **disrupted("EvictionByEvictionAPI")), "evicted"),
        (pod(meta=LEAVING, **disrupted("DeletionByTaintManager")), "lost"),
        (pod(meta=LEAVING, reason="NodeLost"), "lost"),
        (pod(phase="Running"), "released"),
    ],
)
def test_the_cause_is_what_the_api_wrote_on_the_pod(found: dict[str, Any], cause: str) -> None:
    """Reasons come before the deletion that they led to."""
    assert PodSeen.from_object(found, "changed", 1.0).cause == cause


def test_a_pod_that_was_gone_after_a_gap_is_lost() -> None:
    """Nobody saw its end; a deletionTimestamp seen before would have told."""
    pod_there = pod(phase="Running")
    assert PodSeen.from_object(pod_there, "gone", 1.0, relisted=True).cause == "lost"
    assert PodSeen.from_object(pod(meta=LEAVING), "gone", 1.0, relisted=True).cause == "deleted"


def test_running_means_every_container() -> None:
    """One that waits is enough not to run; none at all do not run either."""
    running, waiting = {"state": {"running": {}}}, {"state": {"waiting": {}}}

    def runs(*statuses: dict[str, Any]) -> bool:
        return PodSeen.from_object(pod(containerStatuses=list(statuses)), "changed", 1.0).running

    # The Go zero value of a running state would be `{}`; servers always send startedAt.
    running["state"]["running"] = {"startedAt": "2026-11-23T03:20:53Z"}
    assert [runs(running), runs(running, waiting), runs()] == [True, False, False]


def test_a_slice_names_the_pods_that_are_served() -> None:
    """An absent condition means ready, as the API says; a deleted slice serves nobody."""
    endpoints = [
        {"targetRef": {"name": "a"}, "conditions": {"ready": True}},
        {"targetRef": {"name": "b"}, "conditions": {"ready": False}},
        {"targetRef": {"name": "c"}},
        {"addresses": ["10.0.0.1"]},
    ]
    found = {"metadata": {"name": "s"}, "endpoints": endpoints}
    assert SliceSeen.from_object(found, "changed", 1.0).ready == {"a", "c"}
    assert SliceSeen.from_object(found, "gone", 1.0).ready == frozenset()
    assert SliceSeen.from_object({**found, "endpoints": None}, "changed", 1.0).ready == frozenset()


def test_a_replicaset_on_its_way_out_is_none() -> None:
    """Foreground deletion leaves it in sight for a while; it replaces nothing any more."""
    found: dict[str, Any] = {"metadata": {"name": "rs"}, "spec": {}}
    leaving = {**found, "metadata": {"name": "rs", **LEAVING}}
    assert ReplicaSetSeen.from_object(found, "changed", 1.0).replicaset is not None
    assert ReplicaSetSeen.from_object(leaving, "changed", 1.0).replicaset is None


def test_an_event_of_either_form_is_read() -> None:
    """The scheduler's events have no count, and only an eventTime."""
    found = {
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "Pod", "name": "a"},
        "reason": "Scheduled",
        "message": "Successfully assigned",
        "eventTime": "2026-11-23T03:20:53.000001Z",
        "count": None,
    }
    seen = EventSeen.from_object(found, "listed", 1.0)
    assert (seen.name, seen.count, seen.old, int(seen.when)) == ("a", 1, True, 1795404053)


def test_a_version_that_is_no_number_is_none_at_all() -> None:
    """The API promises a string, nothing more."""
    assert version_of({"metadata": {"resourceVersion": "17"}}) == 17
    assert version_of({"metadata": {"resourceVersion": "abc"}}) == 0
