"""What `up`, `scale` and `kill-pod` say."""

from __future__ import annotations

from flashsale.ui.summary import happening_line
from tests.healing.replay import told
from tests.healing.test_cases import THREE, born, gone, grown, killed


def test_a_healing_is_told_in_the_order_of_its_moments() -> None:
    """A victim without a grace period is gone long before anybody is ready in its place."""
    _, said = told([*THREE, killed(1.0, "a"), gone(1.0, "a"), born(1.02, "x"), grown(6.0, "x")])
    assert list(filter(None, map(happening_line, said))) == [
        "a deleted",
        "a is gone after 0.00 s",
        "x replaces a, created after 0.02 s",
        "x is ready after 5.00 s",
    ]


def test_a_victim_that_goes_last_is_told_last() -> None:
    """Its goodbye may take longer than the start of another."""
    _, said = told([*THREE, killed(1.0, "a"), born(1.02, "x"), grown(6.0, "x"), gone(9.0, "a")])
    assert list(filter(None, map(happening_line, said))) == [
        "a deleted",
        "x replaces a, created after 0.02 s",
        "x is ready after 5.00 s",
        "a is gone after 8.00 s",
    ]
