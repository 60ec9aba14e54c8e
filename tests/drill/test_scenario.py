"""The plan of a drill, before anything is done."""

from __future__ import annotations

import math
from typing import Any

import pytest

from flashsale.base.errors import BadInputError
from flashsale.drill.scenario import (
    Calm,
    Kill,
    Scale,
    Scenario,
    longest_seconds,
    plan_as_json,
    plan_steps,
    shortest_seconds,
)


def test_a_drill_warms_up_scales_kills_and_scales_back() -> None:
    """In this order, with calm to compare before, between and after."""
    assert plan_steps(Scenario(kills=2, every=9.0, scale_to=5, calm=4.0), 3) == (
        Calm("before", 4.0),
        Scale(3, 5),
        Calm("scaled", 4.0),
        Kill(1, 2, 0.0),
        Kill(2, 2, 9.0),
        Scale(5, 3),
        Calm("after", 4.0),
    )


def test_nothing_is_scaled_that_has_the_right_size() -> None:
    """And there is no second calm, which would be the same as the first."""
    assert plan_steps(Scenario(kills=1, scale_to=3), 3) == (
        Calm("before", 5.0),
        Kill(1, 1, 0.0),
        Calm("after", 5.0),
    )


def test_a_larger_sale_is_scaled_down_and_back_up() -> None:
    """The replicas of before are those of afterwards, whichever way."""
    found = [scale for scale in plan_steps(Scenario(scale_to=2), 7) if isinstance(scale, Scale)]
    assert found == [Scale(7, 2), Scale(2, 7)]


def test_a_plan_whose_kills_are_all_forbidden_is_refused() -> None:
    """Nothing would be shown; with one pod more there is something to kill."""
    with pytest.raises(BadInputError, match="fewer than 5 ready pods") as refused:
        plan_steps(Scenario(kills=2, scale_to=5, keep_ready=5), 3)
    assert refused.value.hint == "flashsale drill --scale 6 --keep-ready 5"
    assert plan_steps(Scenario(kills=2, scale_to=5, keep_ready=4), 3)
    assert plan_steps(Scenario(kills=0, scale_to=5, keep_ready=5), 3)


def test_there_must_be_somebody_to_buy_from() -> None:
    """A sale without pods cannot be drilled."""
    with pytest.raises(BadInputError, match="0 replicas"):
        plan_steps(Scenario(), 0)


def test_how_long_a_plan_takes_is_bounded_on_both_sides() -> None:
    """At least its own pauses; at most every wait as well."""
    plan = plan_steps(Scenario(kills=3, every=8.0, calm=5.0), 3)
    assert shortest_seconds(plan) == 3 * 5.0 + 2 * 8.0
    assert longest_seconds(plan, timeout=60.0) >= shortest_seconds(plan) + 5 * 60.0


def test_a_plan_is_json() -> None:
    """One object a step, which says what it does."""
    plan = plan_as_json(plan_steps(Scenario(kills=1, scale_to=3), 3))
    assert [step["do"] for step in plan] == ["calm", "kill", "calm"]


@pytest.mark.parametrize(
    "wish",
    [
        {"rate": 0.0},
        {"rate": -1.0},
        {"rate": math.nan},
        {"rate": math.inf},
        {"kills": -1},
        {"kills": 10**6},
        {"scale_to": 0},
        {"scale_to": 101},
        {"keep_ready": -1},
        {"max_lost": -1},
    ],
)
def test_senseless_figures_are_refused(wish: dict[str, Any]) -> None:
    """Before anything is looked at, with the option's name."""
    with pytest.raises(BadInputError, match="--"):
        Scenario(**wish)
