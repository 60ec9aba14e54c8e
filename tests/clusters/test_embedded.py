"""The embedded cluster as a cluster of ours: stopped by a signal, stuck, removed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from flashsale.clusters import embedded
from flashsale.clusters.base import SilentProgress
from flashsale.clusters.embedded import EmbeddedCluster
from flashsale.embedded.process import launch
from tests.clusters.minikube.double_world import RecordedProgress
from tests.command import Flashsale, kubectl


def open_small(flashsale: Flashsale) -> str:
    """Open a sale of one pod; returns its manifest."""
    manifest = str(flashsale.lean_manifest(**{"replicas: 3": "replicas: 1"}))
    assert flashsale("up", "--manifest", manifest).code == 0
    return manifest


def test_a_cluster_that_a_signal_stopped_is_named_and_goes_on(flashsale: Flashsale) -> None:
    """`status` says what is so; `up` lets it go on, the same process with the same pods."""
    manifest = open_small(flashsale)
    pid, pods = flashsale.cluster_pid(), kubectl(flashsale, "get", "pods", "-o", "name")
    os.kill(pid, signal.SIGSTOP)
    for command in (["status"], ["scale", "2"]):
        done = flashsale(*command)
        assert done.code == 3
        assert f"is stopped by a signal (SIGSTOP; its process is {pid})." in done.err
    again = flashsale("up", "--manifest", manifest)
    assert again.code == 0, again.err
    assert "had been stopped by a signal; it goes on." in again.err
    assert (flashsale.cluster_pid(), kubectl(flashsale, "get", "pods", "-o", "name")) == (pid, pods)


def test_down_works_on_a_stopped_process(flashsale: Flashsale) -> None:
    """Nothing is left, and nothing has to be typed before it."""
    open_small(flashsale)
    os.kill(flashsale.cluster_pid(), signal.SIGSTOP)
    done = flashsale("down")
    assert done.code == 0, done.err
    assert "replicaset.apps/flashsale-rs deleted" in done.out
    assert flashsale.cluster_pid() == 0


async def test_a_cluster_that_ended_since_it_was_found_is_not_running(tmp_path: Path) -> None:
    """Its address refuses connections; why it does is what helps."""
    error = await EmbeddedCluster(tmp_path).diagnosis()
    assert error is not None
    assert (str(error), str(error.hint)) == ("The embedded cluster is not running.", "flashsale up")


async def test_a_stuck_cluster_is_ended_and_started_anew(
    flashsale: Flashsale, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its objects. It holds its port and takes connections, but nothing comes back."""
    open_small(flashsale)
    pid, before = flashsale.cluster_pid(), kubectl(flashsale, "get", "replicaset", "-o", "name")
    os.kill(pid, signal.SIGSTOP)
    monkeypatch.setattr(launch, "stopped_process", lambda home: 0)  # it seems to run
    monkeypatch.setattr(embedded, "STUCK", 0.5)
    progress = RecordedProgress()
    await EmbeddedCluster(flashsale.home / "embedded").start(progress)
    assert progress.notes == [
        "The embedded cluster is stuck; it is started anew, with its objects."
    ]
    assert flashsale.cluster_pid() not in (0, pid)
    assert kubectl(flashsale, "get", "replicaset", "-o", "name") == before


async def test_purge_leaves_nothing_and_says_how_much_it_was(flashsale: Flashsale) -> None:
    """The process, its pods, objects, images; a second time there is nothing to free."""
    open_small(flashsale)
    cluster = EmbeddedCluster(flashsale.home / "embedded")
    await cluster.stop(SilentProgress())
    files = [file.lstat() for file in cluster.home.rglob("*") if file.is_file()]
    held = sum({(file.st_dev, file.st_ino): file.st_size for file in files}.values())
    assert await cluster.purge(SilentProgress()) >= held > 0
    assert not cluster.home.exists()
    assert flashsale.cluster_pid() == 0
    assert await cluster.purge(SilentProgress()) == 0


def test_all_sales_are_those_that_up_made(flashsale: Flashsale) -> None:
    """Whatever they are called, in every namespace; a ReplicaSet of somebody else's is none."""
    open_small(flashsale)
    other = flashsale.lean_manifest(
        **{"name: flashsale-rs": "name: mine", "replicas: 3": "replicas: 0"}
    )
    assert flashsale("up", "-n", "two", "--manifest", str(other)).code == 0
    theirs = other.with_name("theirs.yaml")
    text = other.read_text().replace("name: mine", "name: theirs").split("\n---")
    theirs.write_text(next(part for part in text if "kind: ReplicaSet" in part))
    kubectl(flashsale, "create", "-n", "two", "-f", str(theirs))
    document = flashsale("status", "-A", "-o", "json").json
    assert [(row["namespace"], row["replicaset"]["name"]) for row in document] == [
        ("default", "flashsale-rs"),
        ("two", "mine"),
    ]


def test_a_load_without_a_ready_pod_says_so(flashsale: Flashsale) -> None:
    """Everything is refused; the reason is not the network."""
    manifest = str(flashsale.lean_manifest(**{"replicas: 3": "replicas: 0"}))
    assert flashsale("up", "--manifest", manifest).code == 0
    done = flashsale("load", "--rate", "10", "--for", "1s")
    assert done.code in (1, 7)
    assert "no pod is ready (0 of 0); connection refused (10)" in done.err
