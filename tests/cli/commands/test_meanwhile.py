"""What others do while a command goes on: close the sale, kill the cluster, scale."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.command import PATIENCE, Flashsale


@pytest.fixture
def slow_sale(flashsale: Flashsale) -> Flashsale:
    """One pod that runs; no pod gets ready before all that others do meanwhile is long done."""
    slow = flashsale.lean_manifest(**{"initialDelaySeconds: 0": "initialDelaySeconds: 600"})
    opened = flashsale("up", "--manifest", str(slow), "--replicas", "1", "--no-wait")
    assert opened.code == 0, opened.err
    return flashsale


@pytest.mark.parametrize("ending", ["killed", "closed"])
def test_followed_logs_end_with_their_cluster(slow_sale: Flashsale, ending: str) -> None:
    """One sentence and the hint, no traceback, and no waiting for what does not come back."""
    following = slow_sale.start("logs", "-f")
    assert following.stdout is not None
    assert following.stdout.readline()
    if ending == "killed":
        os.kill(slow_sale.cluster_pid(), signal.SIGKILL)
    else:
        assert slow_sale("down").code == 0
    _, err = following.communicate(timeout=PATIENCE)
    assert following.returncode == 3, err
    assert [line.partition(":")[0] for line in err.splitlines()] == ["Error", "Hint"]


def test_scaling_ends_when_somebody_else_scales(slow_sale: Flashsale) -> None:
    """It says so at once, instead of waiting for a number that nobody wants any more."""
    first = slow_sale.start("scale", "4", "--timeout", "100s")
    end = time.monotonic() + PATIENCE
    while slow_sale("status", "-o", "json").json["replicaset"]["desired"] != 4:
        assert time.monotonic() < end
    assert slow_sale("scale", "2", "--no-wait").code == 0
    _, err = first.communicate(timeout=PATIENCE)
    assert first.returncode == 5
    assert "Somebody scaled flashsale-rs to 2 before 4 pods were ready." in err
