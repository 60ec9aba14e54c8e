"""What `load` says of a run: its document, and the words for what failed."""

from __future__ import annotations

from flashsale.load.results import Figures, failure_counts
from flashsale.load.worker.counts import MOST_REASONS, OTHER_CAUSES, Tally


def test_failures_are_named_with_their_counts() -> None:
    """Rejections by what was answered, losses by what happened to the connection."""
    figures = Figures(rejections={"HTTP 404": 1200}, errors={"refused": 3, "timeout": 1})
    assert failure_counts(figures) == (
        "HTTP 404 (1,200), connection refused (3), no answer in time (1)"
    )


def test_other_losses_are_named_by_what_they_were() -> None:
    """The class itself says nothing that helps."""
    figures = Figures(errors={"reset": 1, "other": 4}, other_errors={"no route to host": 4})
    assert failure_counts(figures) == "connection reset (1), no route to host (4)"


def test_causes_are_counted_up_to_a_bound() -> None:
    """A server that says another thing each time fills no memory, and no loss is forgotten."""
    tally = Tally()
    for number in range(100):
        tally.lost(number, number, "other", why=f"no HTTP/1 answer, but '{number}'")
    counted = tally.take()["other_errors"]
    assert sum(counted.values()) == 100
    assert len(counted) == MOST_REASONS + 1
    assert counted[OTHER_CAUSES] == 100 - MOST_REASONS
