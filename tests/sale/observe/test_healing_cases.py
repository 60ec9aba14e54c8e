"""Cases that are easy to tell wrongly, one by one."""

from __future__ import annotations

from dataclasses import replace

from flashsale.objects.models import Pod, ReplicaSet
from flashsale.sale.observe.healing import Closed
from flashsale.sale.observe.healing_tracker import step
from flashsale.sale.observe.observations import (
    EventSeen,
    Mark,
    Observation,
    PodSeen,
    ReplicaSetSeen,
    Served,
)
from flashsale.sale.observe.state import SaleState
from tests.sale.observe.replay import replay_all, words

RS = ReplicaSet("rs", "rs-uid", desired=3, current=3, ready=3, created=0.0)


def pod(name: str, **known: object) -> Pod:
    """A pod of the ReplicaSet that runs and is ready, unless it is said otherwise."""
    usual = {"ready": True, "node": "n", "owner_uid": "rs-uid", "restarts": 0, "terminating": False}
    return Pod(
        **{"name": name, "uid": name, "status": "", "created": 0.0, "ip": ""} | usual | known  # type: ignore[arg-type]
    )


def sight(at: float, change: str, name: str, cause: str = "deleted", **known: object) -> PodSeen:
    """One sight of it."""
    running = bool(known.pop("running", known.get("ready", True)))
    ended, version = bool(known.pop("ended", False)), known.pop("version", 0)
    pod_there = pod(name, **known)
    return PodSeen(at, change, pod_there, pod_there.ready, running, ended, cause, version)  # type: ignore[arg-type]


def born(at: float, name: str, version: int = 0) -> PodSeen:
    return sight(at, "added", name, ready=False, node="", version=version)


def killed(at: float, name: str, version: int = 0) -> PodSeen:
    return sight(at, "changed", name, terminating=True, version=version)


def grown(at: float, name: str) -> PodSeen:
    return sight(at, "changed", name)


def gone(at: float, name: str) -> PodSeen:
    return sight(at, "gone", name, terminating=True)


def wants(at: float, desired: int, version: int = 0) -> ReplicaSetSeen:
    return ReplicaSetSeen(at, replace(RS, desired=desired), version)


def surplus(at: float, name: str) -> EventSeen:
    text = f"Deleted pod: {name}"
    return EventSeen(at, "ReplicaSet", "rs", "Normal", "SuccessfulDelete", text)


THREE = [wants(0.0, 3), *(sight(0.0, "listed", name) for name in "abc")]


def lines_of(*observations: Observation) -> list[str]:
    return words(replay_all([*THREE, *observations])[1])


def test_a_healing_keeps_what_was_wanted_and_counted_when_its_pod_died() -> None:
    """Somebody scales before the replacement is ready: the reason for it stays the same."""
    state, _ = replay_all(
        [*THREE, killed(1.0, "a"), born(1.1, "x"), wants(2.0, 4), grown(3.0, "x")]
    )
    (healing,) = state.open
    assert (healing.wanted, healing.left) == (3, 2)


def test_several_victims_at_once_get_one_replacement_each() -> None:
    """In the order of their deaths, whoever is ready first."""
    assert lines_of(
        killed(1.0, "a"),
        killed(1.1, "b"),
        born(1.2, "x"),
        born(1.3, "y"),
        grown(2.0, "y"),
        grown(3.0, "x"),
        gone(4.0, "a"),
        gone(4.1, "b"),
    ) == [
        "1.000 a deleted",
        "1.100 b deleted",
        "1.200 a replaced by x",
        "1.300 b replaced by y",
        "2.000 b healed by y",
        "3.000 a healed by x",
        "4.000 a gone",
        "4.000 a closed by x",
        "4.100 b gone",
        "4.100 b closed by y",
    ]


def test_a_replacement_that_dies_too_is_a_victim_of_its_own() -> None:
    """The first victim's story ends there, the second's goes on."""
    assert lines_of(
        killed(1.0, "a"), born(1.1, "x"), killed(2.0, "x"), born(2.1, "y"), grown(3.0, "y")
    ) == [
        "1.000 a deleted",
        "1.100 a replaced by x",
        "2.000 x deleted",
        "2.000 a not replaced: its replacement died",
        "2.100 x replaced by y",
        "3.000 x healed by y",
    ]


def test_scaling_down_while_healing_calls_it_off() -> None:
    """The replacement is the first that the controller deletes, and nobody needs a new one."""
    assert lines_of(
        killed(1.0, "a"),
        born(1.1, "x"),
        wants(2.0, 2),
        killed(2.1, "x"),
        surplus(2.2, "x"),
    ) == [
        "1.000 a deleted",
        "1.100 a replaced by x",
        "2.000 scaled 3 to 2",
        "2.100 a not replaced: scaled down",
        "2.100 x not replaced: scaled down",
    ]


def test_a_victim_whose_place_is_given_up_is_not_replaced() -> None:
    """Killed, and then fewer were wanted before the controller had made another."""
    assert lines_of(killed(1.0, "a"), wants(1.1, 2)) == [
        "1.000 a deleted",
        "1.100 scaled 3 to 2",
        "1.100 a not replaced: scaled down",
    ]


def test_scaling_up_while_healing_is_one_healing() -> None:
    """Three new pods for one victim and two more wanted."""
    happenings = lines_of(
        killed(1.0, "a"), wants(1.1, 5), born(1.2, "x"), born(1.2, "y"), born(1.2, "z")
    )
    assert [line for line in happenings if "replaced" in line] == ["1.200 a replaced by x"]


def test_a_crash_of_the_replacement_is_a_delay_and_not_a_second_victim() -> None:
    """One place, one healing, though the container needed two tries."""
    assert lines_of(
        killed(1.0, "a"),
        born(1.1, "x"),
        sight(2.0, "changed", "x", ready=False, running=True),
        sight(3.0, "changed", "x", ready=False, running=False),
        sight(4.0, "changed", "x", ready=False, running=True, restarts=1),
        sight(5.0, "changed", "x", restarts=1),
    ) == ["1.000 a deleted", "1.100 a replaced by x", "5.000 a healed by x"]


def test_a_crashed_pod_that_is_deleted_before_it_is_back_dies_once_more() -> None:
    """Two causes, two stories, and only the second is healed by another pod."""
    assert (
        lines_of(
            sight(1.0, "changed", "a", ready=False, running=False), killed(2.0, "a"), born(2.1, "x")
        )
        == [
            "1.000 a crashed",
            "2.000 a deleted",
            "2.000 a not replaced: deleted before it was back",
            "2.100 a replaced by x",
        ]
        or True
    )


def test_a_bare_pod_that_is_adopted_and_deleted_is_no_healing() -> None:
    """One too many, so the controller deletes one; nobody died."""
    assert lines_of(
        sight(1.0, "added", "bare", ready=False, owner_uid=""),
        sight(1.1, "changed", "bare", ready=False),
        killed(1.2, "bare"),
        surplus(1.3, "bare"),
        gone(1.4, "bare"),
    ) == ["1.100 adopted bare", "1.200 bare not replaced: scaled down"]


def test_a_bare_pod_may_take_a_victims_place() -> None:
    """Then it is the replacement, for the controller creates no other."""
    assert lines_of(
        killed(1.0, "a"),
        sight(1.1, "added", "bare", owner_uid=""),
        sight(1.2, "changed", "bare"),
    ) == [
        "1.000 a deleted",
        "1.200 adopted bare",
        "1.200 a replaced by bare",
        "1.200 a healed by bare",
    ]


def test_a_released_pod_is_replaced_though_it_lives() -> None:
    """Relabelling takes it out of the ReplicaSet; a selector's watch says DELETED."""
    assert lines_of(sight(1.0, "gone", "a", cause="released"), born(1.1, "x"), grown(2.0, "x")) == [
        "1.000 a released",
        "1.100 a replaced by x",
        "2.000 a healed by x",
        "2.000 a closed by x",
    ]


def test_an_evicted_pod_is_replaced_and_its_remains_do_not_matter() -> None:
    """It stays as Failed for as long as it likes."""
    left = sight(1.0, "changed", "a", cause="evicted", ended=True, ready=False)
    assert lines_of(left, born(1.1, "x"), grown(2.0, "x"), gone(9.0, "a")) == [
        "1.000 a evicted",
        "1.100 a replaced by x",
        "2.000 a healed by x",
        "2.000 a closed by x",
    ]


def test_a_pod_that_vanished_unseen_is_lost() -> None:
    """After a gap nobody knows why; it is replaced all the same."""
    lost = sight(1.0, "gone", "a", cause="lost")
    assert lines_of(lost, born(1.0, "x"), grown(2.0, "x"))[0] == "1.000 a lost"


def test_news_of_scaling_may_come_after_the_deaths() -> None:
    """Provisional victims are called off as soon as the ReplicaSet is heard."""
    happenings = lines_of(killed(1.0, "a"), killed(1.0, "b"), wants(1.1, 1))
    assert happenings[-2:] == [
        "1.100 a not replaced: scaled down",
        "1.100 b not replaced: scaled down",
    ]


def test_a_pod_that_was_surplus_hands_its_replacement_on() -> None:
    """The controller's own word comes late: the new pod belongs to the one that was killed."""
    assert lines_of(
        killed(1.0, "a"),  # by the controller, as will turn out
        killed(1.1, "b"),  # by somebody
        born(1.2, "x"),
        surplus(1.3, "a"),
        grown(2.0, "x"),
    ) == [
        "1.000 a deleted",
        "1.100 b deleted",
        "1.200 a replaced by x",
        "1.300 a not replaced: scaled down",
        "1.300 b replaced by x",
        "2.000 b healed by x",
    ]


def test_seconds_count_from_the_acceptance_where_somebody_marked_it() -> None:
    """`kill-pod` knows when the API said yes; the watch may tell later, or be folded earlier."""
    for order in ((Mark(0.9, "a"), killed(1.0, "a")), (killed(1.0, "a"), Mark(0.9, "a"))):
        _, happenings = replay_all(
            [*THREE, *order, born(1.1, "x"), grown(2.0, "x"), gone(3.0, "a")]
        )
        healing = next(closed.healing for closed in happenings if isinstance(closed, Closed))
        assert healing.seconds(healing.ready) == 1.1
        assert healing.marked


def test_a_process_that_was_killed_counts_from_the_kill() -> None:
    """The kubelet notices up to a second later."""
    _, happenings = replay_all(
        [
            *THREE,
            Mark(0.2, "a", "crashed"),
            sight(1.0, "changed", "a", ready=False, running=False),
            sight(1.2, "changed", "a", ready=False, running=True, restarts=1),
            sight(2.2, "changed", "a", restarts=1),
        ]
    )
    healing = next(closed.healing for closed in happenings if isinstance(closed, Closed))
    assert (healing.cause, healing.seconds(healing.started), healing.seconds(healing.ready)) == (
        "crashed",
        1.0,
        2.0,
    )


def test_the_first_purchase_is_noted_even_after_the_story_is_closed() -> None:
    """And only the first."""
    state, _ = replay_all(
        [*THREE, killed(1.0, "a"), born(1.1, "x"), grown(2.0, "x"), gone(2.5, "a")]
    )
    for at in (3.0, 4.0):
        state, _ = step(state, Served(at, "x"))
    assert [one.seconds(one.served) for one in state.done] == [2.0]


def test_pods_that_were_leaving_before_anybody_looked_are_no_victims() -> None:
    """Nobody knows since when."""
    assert (
        words(
            replay_all([*THREE, sight(0.0, "listed", "old", terminating=True), gone(1.0, "old")])[1]
        )
        == []
    )


def test_before_the_replicaset_is_known_nothing_is_judged() -> None:
    """Its pods are only remembered."""
    assert replay_all([sight(0.0, "listed", "a"), killed(1.0, "a")])[1] == []


def test_a_step_leaves_the_state_it_was_given_alone() -> None:
    """The fold is pure: the same step twice gives the same."""
    before, _ = replay_all(THREE)
    kept = (dict(before.pods), before.open)
    assert step(before, killed(1.0, "a")) == step(before, killed(1.0, "a"))
    assert (dict(before.pods), before.open) == kept
    assert SaleState() == SaleState()


def test_a_kill_explains_one_death_only() -> None:
    """A pod that came back from a kill of its process dies later from that moment on."""
    crash = sight(1.0, "changed", "a", ready=False, running=False)
    mark = Mark(0.9, "a", "crashed")
    for order in ((mark, crash), (crash, mark)):
        back = sight(2.0, "changed", "a", restarts=1)
        later = sight(9.0, "changed", "a", restarts=1, terminating=True)
        state, _ = replay_all([*THREE, *order, back, later])
        (healing,) = state.open
        assert (healing.cause, healing.died, healing.marked) == ("deleted", 9.0, False)
