"""The story told of a real cluster's recordings, to the millisecond of their arrival."""

from __future__ import annotations

import pytest

from flashsale.sale.observe.healing import Closed
from flashsale.sale.observe.observations import ReplicaSetSeen, SliceSeen
from tests.sale.observe.replay import recorded, replay_all, words

STORIES = {
    "01-create-3": [],
    "02-scale-5": ["0.470 scaled 3 to 5"],
    "03-delete-pod": [
        "0.533 gxj9j deleted",
        "0.554 gxj9j replaced by 2bk89",
        "1.808 gxj9j gone",
        "8.962 gxj9j healed by 2bk89",
        "8.962 gxj9j closed by 2bk89",
    ],
    "04-delete-pod-now": [
        "0.508 2bk89 deleted",
        "0.614 2bk89 replaced by vhmqw",
        "1.808 2bk89 gone",
        "7.972 2bk89 healed by vhmqw",
        "7.972 2bk89 closed by vhmqw",
    ],
    "06-container-crash": [
        "1.361 dxwrx crashed",
        "6.590 dxwrx healed by dxwrx",
        "6.590 dxwrx closed by dxwrx",
        "11.460 dxwrx crashed",
        "27.605 dxwrx healed by dxwrx",
        "27.605 dxwrx closed by dxwrx",
        "31.724 dxwrx crashed",
    ],
    "07-relabel-release": [
        "0.570 dxwrx released",
        "0.647 dxwrx replaced by s98sk",
        "8.816 dxwrx healed by s98sk",
        "8.816 dxwrx closed by s98sk",
    ],
    "10-scale-0": [
        "0.465 scaled 2 to 0",
        "0.505 vhmqw not replaced: scaled down",
        "0.529 zwhjl not replaced: scaled down",
    ],
    "14-delete-all": [],
}


@pytest.mark.parametrize("scenario", STORIES)
def test_each_recording_is_told_as_it_happened(scenario: str) -> None:
    """Deaths, replacements and scaling, each with the moment at which it could be known."""
    _, happenings = replay_all(recorded(scenario))
    assert words(happenings) == STORIES[scenario]


def test_a_liveness_failure_is_a_restart_in_place() -> None:
    """Two restarts heal; the third backs off until the ReplicaSet is deleted."""
    _, happenings = replay_all(recorded("13-liveness-fails", "sick-rs"))
    assert words(happenings) == [
        "7.648 wk2lz crashed",
        "8.668 wk2lz healed by wk2lz",
        "8.668 wk2lz closed by wk2lz",
        "14.963 wk2lz crashed",
        "15.002 wk2lz healed by wk2lz",
        "15.002 wk2lz closed by wk2lz",
        "20.096 wk2lz crashed",
        "30.849 wk2lz not replaced: the ReplicaSet was deleted",
    ]


@pytest.mark.parametrize("replicaset", ["ghost-rs", "never-rs"])
def test_a_pod_that_never_started_is_no_victim(replicaset: str) -> None:
    """A missing image is trouble, but nothing died."""
    _, happenings = replay_all(recorded("11-image-missing", replicaset))
    assert happenings == []


def test_the_figures_of_a_deleted_pod_are_those_of_the_arrivals() -> None:
    """Every step of the replacement, counted from the first sight of the deletionTimestamp."""
    _, happenings = replay_all(recorded("03-delete-pod"))
    assert [closed.healing.as_json() for closed in happenings if isinstance(closed, Closed)] == [
        {
            "victim": "flashsale-rs-gxj9j",
            "replacement": "flashsale-rs-2bk89",
            "cause": "deleted",
            "created_seconds": 0.021,  # 0.554 - 0.533
            "scheduled_seconds": 0.062,  # 0.595
            "started_seconds": 1.417,  # 1.950
            "ready_seconds": 8.429,  # 8.962
            "gone_seconds": 1.275,  # 1.808
            "routed_seconds": 8.417,  # 8.950, in the EndpointSlice
            "served_seconds": None,  # no load ran
        }
    ]


def test_a_restart_in_place_creates_nothing_and_nobody_goes() -> None:
    """The pod is its own replacement; only started and ready have a time."""
    _, happenings = replay_all(recorded("06-container-crash"))
    first = next(closed.healing for closed in happenings if isinstance(closed, Closed)).as_json()
    assert first["victim"] == first["replacement"] == "flashsale-rs-dxwrx"
    assert (first["started_seconds"], first["ready_seconds"]) == (0.216, 5.229)
    assert first["created_seconds"] is first["gone_seconds"] is None


@pytest.mark.parametrize("scenario", STORIES)
def test_ready_does_not_wait_for_the_service(scenario: str) -> None:
    """Without any EndpointSlice the same story is told, at the same moments."""
    without = [
        slice_seen for slice_seen in recorded(scenario) if not isinstance(slice_seen, SliceSeen)
    ]
    assert words(replay_all(without)[1]) == STORIES[scenario]


@pytest.mark.parametrize("scenario", STORIES)
def test_the_replicaset_is_counted_as_it_counts_itself(scenario: str) -> None:
    """At the end of each recording our counts are those of its status."""
    observations = recorded(scenario)
    state, _ = replay_all(observations)
    last = [
        replica_set_seen.replicaset
        for replica_set_seen in observations
        if isinstance(replica_set_seen, ReplicaSetSeen)
    ][-1]
    if last is None:
        assert state.replicaset is None
    else:
        assert (state.desired, state.count, state.ready) == (last.desired, last.current, last.ready)
