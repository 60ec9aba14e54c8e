"""What `load` says of a run: its document, and the words for what failed."""

from __future__ import annotations

from flashsale.load.results import Figures, failure_counts


def test_failures_are_named_with_their_counts() -> None:
    """Rejections by what was answered, losses by what happened to the connection."""
    figures = Figures(rejections={"HTTP 404": 1200}, errors={"refused": 3, "timeout": 1})
    assert failure_counts(figures) == (
        "HTTP 404 (1,200), connection refused (3), no answer in time (1)"
    )
