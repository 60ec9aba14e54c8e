"""Our scheduler beside the real one, on clusters that neither has seen."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.embedded.scheduler.replay import difference, placements
from tests.peers import programs
from tests.peers.running import real_cluster, skip_unless_built
from tests.peers.scheduling.recording import Recorder

WORLDS = int(os.environ.get("FLASHSALE_SCHEDULING_WORLDS", "8"))  # of ten placements each


@pytest.mark.thorough
def test_new_pods_go_where_the_living_scheduler_sends_them(tmp_path: Path) -> None:
    """Whatever cluster is drawn: the same refusals in the same words, and the same scores."""
    skip_unless_built(programs.CONTROL_PLANE)
    seed = int(os.environ.get("FLASHSALE_SCHEDULING_SEED", time.time_ns() // 10**9))
    wrong = []
    with real_cluster(tmp_path / "peer", "--control-plane", "--no-controllers") as kubeconfig:
        recorder = Recorder(kubeconfig)
        for number in range(seed, seed + WORLDS):
            for pod, ours, real in placements(recorder.record(number)):
                if found := difference(ours, real):
                    wrong.append(f"seed {number}, {pod['metadata']['name']}: {found}")
    assert wrong == []
