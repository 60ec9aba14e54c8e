"""Attribution: a loss in a window has that cause, a loss in none is unexplained."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashsale.drill.analysis.attribution import (
    LAG,
    Attribution,
    LossCause,
    attribute,
    coverage,
    empty_times,
    is_doubtful,
    likeliest_cause,
    until_served,
)
from tests.drill.drill_results import loss

FIRST = LossCause("kill", "kill 1", "a", 10.0, 14.0)
SECOND = LossCause("kill", "kill 2", "b", 13.0, 17.0)

moments = st.floats(0, 100, allow_nan=False)
windows = st.lists(
    st.tuples(moments, moments).map(lambda two: LossCause("kill", "k", "p", min(two), max(two)))
)


@pytest.mark.parametrize(
    ("began", "ended", "cause"),
    [
        (9.0, 9.99, None),  # over before the kill was asked for
        (9.0, 10.0, FIRST),  # under way when it was
        (11.0, 11.1, FIRST),
        (9.0, 40.0, FIRST),  # waited for an answer all through it
        (14.0, 19.0, FIRST),
        (14.01, 14.02, None),  # planned when nobody was sent there any more
    ],
)
def test_a_purchase_under_way_in_the_window_is_blamed_on_it(
    began: float, ended: float, cause: LossCause | None
) -> None:
    """From its planned start until its connection failed; the edges count."""
    assert likeliest_cause(loss(began, ended), [FIRST]) == cause


def test_the_newest_of_several_causes_is_chosen() -> None:
    """The change that came last is the likeliest."""
    assert likeliest_cause(loss(13.5), [FIRST, SECOND]) == SECOND
    assert likeliest_cause(loss(12.0), [FIRST, SECOND]) == FIRST


def test_a_connection_that_names_its_pod_decides() -> None:
    """A kept one knows who answered before."""
    assert likeliest_cause(loss(13.5, pod="a"), [FIRST, SECOND]) == FIRST
    assert likeliest_cause(loss(13.5, pod="x"), [FIRST, SECOND]) == SECOND


def test_what_no_window_touches_is_unexplained() -> None:
    """It is not pushed onto the nearest kill."""
    assert attribute([loss(30.0)], [FIRST, SECOND]) == (Attribution(loss(30.0), None),)


@given(st.lists(st.tuples(moments, moments)), windows)
def test_every_loss_is_told_once_and_blamed_only_where_a_window_touches(
    pairs: list[tuple[float, float]], causes: list[LossCause]
) -> None:
    """For any losses and any windows."""
    losses = [loss(min(pair), max(pair)) for pair in pairs]
    attributions = attribute(losses, causes)
    assert [attribution.loss for attribution in attributions] == losses
    for attribution in attributions:
        if attribution.cause:
            assert attribution.cause.touches(attribution.loss)
        else:
            assert not any(cause.touches(attribution.loss) for cause in causes)


@given(windows)
def test_coverage_is_the_measure_of_the_union(causes: list[LossCause]) -> None:
    """Windows that overlap count once; a grid of hundredths agrees."""
    grid = [(step + 0.5) / 10 for step in range(1000)]
    inside = sum(any(cause.began <= at <= cause.over for cause in causes) for at in grid) / len(
        grid
    )
    assert coverage(causes, 100.0) == pytest.approx(inside, abs=0.001 * (1 + 2 * len(causes)))


def test_coverage_of_nothing_is_nothing() -> None:
    """A run without length, and a window beyond its end."""
    assert coverage([FIRST], 0.0) == 0.0
    assert coverage([FIRST], 12.0) == pytest.approx(2 / 12)


def test_a_window_reaches_until_somebody_serves_again() -> None:
    """A kill that leaves the Service without a pod is the cause until it has one."""
    assert until_served(14.0, [(12.0, 20.0)]) == 20.0 + LAG
    assert until_served(14.0, [(14.5, 20.0)]) == 14.0
    assert until_served(14.0, [(1.0, 2.0)]) == 14.0


def test_times_without_anybody_are_found() -> None:
    """Also one that lasts until the end."""
    changes = [(0.0, True), (3.0, False), (5.0, True), (8.0, False)]
    assert empty_times(changes, 10.0) == [(3.0, 5.0), (8.0, 10.0)]


@pytest.mark.parametrize(
    ("inside", "outside", "covered", "doubtful"),
    [
        (90, 0, 0.1, False),
        (90, 4, 0.1, False),  # a few are no pattern
        (10, 90, 0.1, True),  # as dense everywhere: the kills are not the reason
        (90, 10, 0.1, False),  # 81 times as dense inside
        (0, 9, 0.0, True),
    ],
)
def test_losses_everywhere_cast_doubt(
    inside: int, outside: int, covered: float, doubtful: bool
) -> None:
    """Where losses are nearly as dense outside the windows, causes mean little."""
    attributions = [Attribution(loss(1), FIRST)] * inside + [Attribution(loss(1), None)] * outside
    assert is_doubtful(attributions, covered) is doubtful
