"""500 placements as the real scheduler made them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.embedded.scheduler.replay import difference, placements

RECORDED = Path(__file__).with_name("placements.json")


def test_pods_go_where_the_real_scheduler_sends_them() -> None:
    """The same nodes are refused for the same reasons, and the others have the same scores."""
    worlds = json.loads(RECORDED.read_text())["worlds"]
    assert len(worlds) >= 50
    wrong = [
        f"seed {world['seed']}: {pod['metadata']['name']}: {found}"
        for world in worlds
        for pod, ours, real in placements(world)
        if (found := difference(ours, real))
    ]
    assert wrong == []
