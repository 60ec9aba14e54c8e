"""What others do to a sale meanwhile: open it, close it, scale it, kill its cluster."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

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
    first = slow_sale.start("scale", "2", "--timeout", "100s")
    end = time.monotonic() + PATIENCE
    while slow_sale("status", "-o", "json").json["replicaset"]["desired"] != 2:
        assert time.monotonic() < end
    assert slow_sale("scale", "1", "--no-wait").code == 0
    _, err = first.communicate(timeout=PATIENCE)
    assert first.returncode == 5
    assert "Somebody scaled flashsale-rs to 1 before 2 pods were ready." in err


def test_two_at_once_open_one_sale(flashsale: Flashsale) -> None:
    """Two terminals, one cluster, two pods."""
    manifest = str(flashsale.lean_manifest(**{"replicas: 3": "replicas: 2"}))
    words = ("up", "--manifest", manifest, "-o", "json")
    with ThreadPoolExecutor() as threads:
        first, second = threads.map(lambda _: flashsale(*words), range(2))
    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert first.json["url"] == second.json["url"]
    assert len(flashsale("status", "-o", "json").json["pods"]) == 2


def test_dead_cluster_is_told_and_comes_back(flashsale: Flashsale) -> None:
    """After SIGKILL every command exits 3; `up` brings back the same sale at the same address."""
    one = flashsale.lean_manifest(**{"replicas: 3": "replicas: 1"})
    words = ("up", "--manifest", str(one), "-o", "json")
    before = flashsale(*words).json
    os.kill(flashsale.cluster_pid(), signal.SIGKILL)
    for command in (("status",), ("scale", "2"), ("kill-pod",), ("url",), ("logs",)):
        done = flashsale(*command)
        assert (done.code, done.out) == (3, "")
        assert done.err == "Error: The embedded cluster is not running.\nHint: flashsale up\n"
    after = flashsale(*words).json
    assert after["url"] == before["url"]
    assert after["replicaset"] == before["replicaset"]


def test_down_on_a_dead_cluster_removes_the_sale(flashsale: Flashsale) -> None:
    """What outlived the cluster on disk is not there at the next `up`."""
    flashsale("up", "--manifest", str(flashsale.lean_manifest()), "--replicas", "1")
    os.kill(flashsale.cluster_pid(), signal.SIGKILL)
    assert "replicaset.apps/flashsale-rs deleted" in flashsale("down").out
    assert not flashsale.cluster_pid()
