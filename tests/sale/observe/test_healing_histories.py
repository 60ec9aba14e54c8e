"""Whatever happens to a ReplicaSet, and however late some of the news are, the sending is right."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from flashsale.sale.observe.healing import (
    DELETED_TOO,
    DIED_TOO,
    Closed,
    Died,
    Happening,
    Healing,
    NotReplaced,
    Replaced,
)
from flashsale.sale.observe.state import SaleState
from tests.sale.observe.replay import replay_all
from tests.sale.observe.replicaset_world import ACTIONS, World

CALM = tuple(action for action in ACTIONS if action not in ("scale", "adopt"))
LATE = 0.6  # seconds that one stream may be behind another


def histories(actions: tuple[str, ...]) -> st.SearchStrategy[list[tuple[str, int]]]:
    return st.lists(st.tuples(st.sampled_from(actions), st.integers(0, 9)), max_size=50)


def lived(history: list[tuple[str, int]]) -> World:
    world = World()
    for action, number in history:
        world.act(action, number)
    world.settle()
    return world


def healings(happenings: list[Happening]) -> list[Healing]:
    return [closed.healing for closed in happenings if isinstance(closed, Closed)]


def ends(state: SaleState, happenings: list[Happening]) -> Counter[str]:
    """Count the ends of each pod's stories, those of its own restarts left out."""
    ended = [closed.healing for closed in happenings if isinstance(closed, Closed | NotReplaced)]
    return Counter(one.victim for one in [*ended, *state.open] if not one.in_place)


@given(histories((*CALM, "raise")), st.integers(0, 99))
def test_every_victim_is_healed_while_no_fewer_pods_are_wanted(
    history: list[tuple[str, int]], seed: int
) -> None:
    """No victim is forgotten: each is healed, or its replacement died and was a victim itself."""
    world = lived(history)
    state, happenings = replay_all(world.arrivals(Random(seed), LATE))
    why = {not_replaced.why for not_replaced in happenings if isinstance(not_replaced, NotReplaced)}
    assert why <= {DIED_TOO, DELETED_TOO}
    assert state.open == ()
    assert ends(state, happenings) == Counter(world.killed)
    lost = [
        not_replaced.healing
        for not_replaced in happenings
        if isinstance(not_replaced, NotReplaced) and not_replaced.why == DIED_TOO
    ]
    assert {one.replacement for one in lost} <= set(world.killed)


@given(histories((*CALM, "lower")), st.integers(0, 99))
def test_every_new_pod_is_a_replacement_while_no_more_are_wanted(
    history: list[tuple[str, int]], seed: int
) -> None:
    """Nobody was scaled up, so each pod that came took the place of one that was killed."""
    world = lived(history)
    _, happenings = replay_all(world.arrivals(Random(seed), LATE))
    paired = [replaced.healing for replaced in happenings if isinstance(replaced, Replaced)]
    assert {one.replacement for one in paired if one.victim not in world.surplus} == set(
        world.created
    )


@given(histories(ACTIONS), st.integers(0, 99))
def test_scaling_is_never_told_as_healing(history: list[tuple[str, int]], seed: int) -> None:
    """A pod that the controller deleted is never healed, and all others that left have an end."""
    world = lived(history)
    state, happenings = replay_all(world.arrivals(Random(seed), LATE))
    healed = {healing.victim for healing in healings(happenings) if not healing.in_place}
    assert not healed & set(world.surplus)
    assert set(world.killed) <= set(ends(state, happenings))
    assert state.open == ()


@given(histories(ACTIONS), st.integers(0, 99))
def test_no_more_victims_go_unhealed_than_places_were_given_up(
    history: list[tuple[str, int]], seed: int
) -> None:
    """Whoever was killed is replaced, unless fewer were wanted afterwards or a bare pod came."""
    world = lived(history)
    _, happenings = replay_all(world.arrivals(Random(seed), LATE))
    healed = {replaced.healing.victim for replaced in happenings if isinstance(replaced, Replaced)}
    unhealed = set(world.killed) - healed
    bare = sum(action == "adopt" for action, _ in history)
    assert len(unhealed) <= world.lowered + bare


@given(histories(ACTIONS), st.integers(0, 99))
def test_no_replacement_is_used_twice(history: list[tuple[str, int]], seed: int) -> None:
    """Each new pod takes one place."""
    world = lived(history)
    state, happenings = replay_all(world.arrivals(Random(seed), LATE))
    dead = [
        not_replaced.healing
        for not_replaced in happenings
        if isinstance(not_replaced, NotReplaced) and not_replaced.why == DIED_TOO
    ]
    used = [
        one.replacement_uid
        for one in [*healings(happenings), *dead, *state.open]
        if not one.in_place
    ]
    assert max(Counter(used).values(), default=1) == 1


@given(histories(ACTIONS), st.integers(0, 99))
def test_the_steps_of_a_healing_are_in_order(history: list[tuple[str, int]], seed: int) -> None:
    """Nothing is created before the death, nor ready before it was started."""
    world = lived(history)
    _, happenings = replay_all(world.arrivals(Random(seed), LATE))
    for healing in healings(happenings):
        steps = [healing.died, healing.created, healing.scheduled, healing.started, healing.ready]
        if healing.in_place:
            steps = [healing.died, healing.started, healing.ready]
        known = [step for step in steps if step is not None]
        assert len(known) == len(steps)
        assert all(early <= late for early, late in pairwise(known))
        assert healing.gone is None or healing.gone >= healing.died


@given(histories(ACTIONS), st.integers(0, 99))
def test_every_death_is_told_before_what_follows_from_it(
    history: list[tuple[str, int]], seed: int
) -> None:
    """Nobody reads of a replacement whose victim was never mentioned."""
    world = lived(history)
    _, happenings = replay_all(world.arrivals(Random(seed), LATE))
    dead: set[str] = set()
    for one in happenings:
        if isinstance(one, Died):
            dead.add(one.healing.victim_uid)
        if isinstance(one, Replaced | Closed):
            assert one.healing.victim_uid in dead
