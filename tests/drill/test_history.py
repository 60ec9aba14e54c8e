"""What is kept of the pods: their lifetimes, and who took whose seat."""

from __future__ import annotations

from flashsale.drill.history import History, Outage, Routing, assign_seats, healing_key
from flashsale.sale.observe.healing_tracker import step
from flashsale.sale.observe.observations import Observation, SliceSeen, StreamSeen, Synced
from flashsale.sale.observe.state import SaleState, Update
from tests.drill.drill_results import healing, life
from tests.sale.observe.replay import recorded
from tests.sale.observe.test_healing_cases import gone, killed, sight


def remembered(observations: list[Observation]) -> History:
    """Fold observations as a drill does."""
    history, state = History(), SaleState()
    for observation in observations:
        state, happened = step(state, observation)
        history.see(Update(observation, state, happened))
    return history


def test_a_recorded_delete_leaves_one_healing_and_two_lives() -> None:
    """A real cluster's events: the victim left and is gone, the replacement became ready."""
    history = remembered(recorded("03-delete-pod"))
    (healed,) = history.healed
    victim, replacement = (
        history.lifetimes[healed.victim_uid],
        history.lifetimes[healed.replacement_uid or ""],
    )
    assert victim.leaving is not None
    assert victim.gone is not None
    assert victim.leaving < victim.gone
    assert replacement.ready == healed.ready


def test_pods_that_a_scaling_removed_need_no_healing() -> None:
    """They leave, and that is all."""
    history = remembered(recorded("10-scale-0"))
    assert history.healed == []
    assert sum(lifetime.leaving is not None for lifetime in history.lifetimes.values()) >= 1


def test_routings_are_kept_when_they_change() -> None:
    """The same pods again are no news."""
    seen = [SliceSeen(at, "s", frozenset(pods)) for at, pods in ((1.0, "a"), (2.0, "a"), (3.0, ""))]
    assert remembered(list(seen)).routings == [
        Routing(1.0, frozenset("a")),
        Routing(3.0, frozenset()),
    ]


def test_nobody_is_said_to_be_chosen_before_that_is_known() -> None:
    """Pods are seen before the Service's choice of them; without any, looking has an end."""
    known = remembered([sight(-0.2, "listed", "a"), SliceSeen(-0.1, "s", frozenset("a"))])
    assert known.routings == [Routing(-0.1, frozenset("a"))]
    assert remembered([sight(-0.2, "listed", "a"), Synced(-0.1)]).routings == [
        Routing(-0.1, frozenset())
    ]


def test_a_replacement_takes_its_victims_seat() -> None:
    """However often; a pod that a scaling added has a seat of its own."""
    lives = {
        one.uid: one
        for one in (
            life("a"),
            life("b"),
            life("x", seen=1.0),
            life("d", seen=2.0),
            life("y", seen=3.0),
        )
    }
    healings = [healing("a", "x", 1.0, 2.0), healing("x", "y", 3.0, 4.0)]
    assert assign_seats(lives, healings) == {
        "a": (1, 1),
        "b": (2, 1),
        "x": (1, 2),
        "d": (3, 1),
        "y": (1, 3),
    }


def test_what_happened_before_anybody_looked_is_not_known() -> None:
    """A pod that was ready, and one that was leaving: what happens later has its moment."""
    here = [sight(-0.1, "listed", "a"), sight(-0.1, "listed", "b", terminating=True)]
    lives = remembered([*here, killed(4.0, "a"), gone(5.0, "b")]).lifetimes
    a, b = lives["a"], lives["b"]
    assert (a.known("ready"), a.known("leaving")) == (None, 4.0)
    assert (b.known("leaving"), b.known("gone")) == (None, 5.0)


def test_two_crashes_of_one_pod_are_two_deaths() -> None:
    """They differ by their moments."""
    first = healing("a", "a", 1.0, 2.0, cause="crashed")
    again = healing("a", "a", 5.0, 6.0, cause="crashed")
    assert healing_key(first) != healing_key(again)


def test_an_outage_begins_with_the_first_stream_and_ends_with_the_first() -> None:
    """Four streams tell of the same one."""
    history = remembered(
        [
            StreamSeen(5.0, "pods", "reconnecting", 1, heard=4.0),
            StreamSeen(5.1, "events", "reconnecting", 1, heard=4.5),
            StreamSeen(8.0, "pods", "resynced", heard=8.0),
            StreamSeen(8.1, "events", "resynced", heard=8.1),
        ]
    )
    assert history.outages == [Outage(heard=4.0, noticed=5.0, ended=8.0)]
