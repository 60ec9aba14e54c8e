"""When a kill is over: every victim's healing has ended, and those that came of it."""

from __future__ import annotations

import pytest

from flashsale.sale.kill.kill import PendingHealings
from flashsale.sale.observe.observations import Observation
from tests.sale.observe.replay import replay_all
from tests.sale.observe.test_healing_cases import THREE, born, gone, grown, killed, surplus, wants

DYING = [killed(1.0, "a"), born(1.1, "x"), killed(2.0, "x"), born(2.1, "y"), gone(2.5, "a")]


def awaited(*observations: Observation) -> PendingHealings:
    """What is left to wait for after pod `a` was killed."""
    waiting = PendingHealings({"a"})
    for happening in replay_all([*THREE, *observations])[1]:
        waiting.add(happening)
    return waiting


def test_kill_is_over_when_the_victim_is_replaced_and_gone() -> None:
    """Both: a replacement that is ready while the victim has its grace period is not the end."""
    whole = [killed(1.0, "a"), born(1.1, "x"), grown(3.0, "x"), gone(6.0, "a")]
    assert not awaited(*whole[:-1]).all_ended
    assert awaited(*whole).all_ended


@pytest.mark.parametrize(
    ("end", "over"),
    [([], False), ([grown(3.0, "y")], False), ([grown(3.0, "y"), gone(4.0, "x")], True)],
)
def test_replacement_that_dies_is_followed_in_its_turn(end: list[Observation], over: bool) -> None:
    """The ReplicaSet is not whole before the replacement's own replacement is ready."""
    waiting = awaited(*DYING, *end)
    assert waiting.all_ended is over
    assert next(iter(waiting.ended.values())).replacement == "x"


def test_replacement_that_is_scaled_away_ends_it() -> None:
    """Nobody will come in its place."""
    assert awaited(
        killed(1.0, "a"), born(1.1, "x"), wants(2.0, 2), killed(2.1, "x"), surplus(2.2, "x")
    ).all_ended
