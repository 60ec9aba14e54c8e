"""500 placements as the real scheduler made them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.embedded.scheduler.replay import difference, placements

RECORDED = json.loads(Path(__file__).with_name("placements.json").read_text())


@pytest.mark.parametrize("world", RECORDED["worlds"], ids=lambda world: f"seed {world['seed']}")
def test_pods_go_where_the_real_scheduler_sends_them(world: dict[str, object]) -> None:
    """The same nodes are refused for the same reasons, and the others have the same scores."""
    wrong = [
        f"{pod['metadata']['name']}: {found}"
        for pod, ours, real in placements(world)
        if (found := difference(ours, real))
    ]
    assert wrong == []
