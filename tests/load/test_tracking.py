"""What is known of a run is what its workers said last."""

from __future__ import annotations

from flashsale.load.plan import LoadPlan
from flashsale.load.target import find_target
from flashsale.load.tracking import LoadTracker
from flashsale.load.worker.counts import Tally


def test_the_share_of_a_core_is_that_of_the_busiest_worker_over_the_whole_run() -> None:
    """A worker's first quarter of a second, when it still warms up, does not stay for all of it."""
    load = LoadTracker(LoadPlan(find_target("http://127.0.0.1:1"), rate=10, seconds=2), parts=2)
    shares = {0: [(0.9, 0.8), (0.5, 0.3)], 1: [(0.2, 0.1), (0.4, 0.2)]}
    for part, share in shares.items():
        for now, (busy, waiting) in enumerate(share, start=1):
            load.merge(part, {**Tally().take(), "now": now, "busy": busy, "waiting": waiting})
    load.merge(0, {**Tally().take(), "now": 9, "busy": 0.1, "waiting": 0.0})  # waits for answers
    assert (load.ledger.busy, load.ledger.waiting) == (0.5, 0.3)
