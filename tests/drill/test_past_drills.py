"""What past drills found, kept for the course."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flashsale.drill.past_drills import KEPT, NAME, past_drills, remember


def document(lost: int, manifest: str = "preStop:") -> dict[str, Any]:
    """As much of a drill's document as is kept."""
    return {
        "started": "2026-11-27T10:00:00+00:00",
        "environment": {"context": "embedded", "namespace": "default", "manifest": manifest},
        "load": {"sent": 100, "lost": lost},
        "kills": [{}, {}],
        "verdict": "pass",
    }


def test_drills_are_remembered_in_their_order(tmp_path: Path) -> None:
    """With the hook or without it; and only the last ones."""
    for lost in range(KEPT + 3):
        remember(tmp_path, document(lost, manifest="preStop:" if lost % 2 else ""))
    found = past_drills(tmp_path)
    assert [one.lost for one in found] == list(range(3, KEPT + 3))
    assert [one.pre_stop for one in found[:2]] == [True, False]
    assert found[0].kills == 2


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"lost": 1}]'])
def test_rubbish_counts_as_none(tmp_path: Path, text: str) -> None:
    """The next drill writes the file anew."""
    (tmp_path / NAME).write_text(text)
    assert past_drills(tmp_path) == []
    remember(tmp_path, document(7))
    assert [past_drill.lost for past_drill in past_drills(tmp_path)] == [7]
