"""Several nodes of the embedded cluster, one of which dies, is drained, comes back."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.command import PATIENCE, Flashsale, Result
from tests.test_json import check

READY_AGAIN = "jsonpath={.status.readyReplicas}=8"
POWER = r"jsonpath={.metadata.annotations.embedded\.flashsale/power}"
NAMES = ["embedded", "embedded-m02", "embedded-m03"]


@pytest.fixture(scope="module")
def sale(tmp_path_factory: pytest.TempPathFactory) -> Flashsale:
    """A sale on three nodes that are given up fast, of lean pods."""
    return Flashsale(tmp_path_factory.mktemp("nodes") / "state")


@pytest.fixture(scope="module", autouse=True)
def _open(sale: Flashsale) -> object:
    opened = up(sale, "--nodes", "3", "--fast-nodes", "--replicas", "6")
    assert opened.code == 0, opened.err
    assert "not ready after 5 s instead of 50 s" in opened.err
    yield
    sale("down", "--purge")


def up(sale: Flashsale, *words: str) -> Result:
    """Open the sale, or change it; its pods stay lean."""
    return sale("up", "--manifest", str(sale.lean_manifest()), *words)


def kubectl(sale: Flashsale, *words: str) -> subprocess.CompletedProcess[str]:
    program = Path(sysconfig.get_path("scripts")) / "kubectl"
    config = sale("kubeconfig").out.strip()
    return subprocess.run(
        [program, *words],
        env=os.environ | {"KUBECONFIG": config},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def nodes_of_pods(sale: Flashsale) -> list[str]:
    pods_shown = sale("status", "-o", "json").json["pods"]
    return sorted(pod["node"] for pod in pods_shown if pod["status"] == "Running")


def test_pods_are_spread_evenly(sale: Flashsale) -> None:
    """Two on each of three nodes, whose pods have addresses of three ranges."""
    assert nodes_of_pods(sale) == sorted(NAMES * 2)
    addresses = {pod["ip"].rpartition(".")[0] for pod in sale("status", "-o", "json").json["pods"]}
    assert len(addresses) == (3 if sys.platform == "linux" else 1)


def test_the_only_control_plane_is_never_killed(sale: Flashsale) -> None:
    """Exit code 6, and a command that works."""
    refused = sale("kill-node", "embedded")
    assert (refused.code, "only control plane" in refused.err) == (6, True)
    assert sale("kill-node", "--dry-run").out.startswith("embedded-m0")


def test_a_node_with_pods_is_not_removed(sale: Flashsale) -> None:
    """It says what moves them."""
    refused = up(sale, "--nodes", "2")
    assert (refused.code, "kubectl drain embedded-m03" in refused.err) == (6, True)


def test_all_pods_of_a_node_can_be_killed(sale: Flashsale) -> None:
    """Others are left alone."""
    document = sale("kill-pod", "--node", "embedded-m02", "--dry-run", "-o", "json").json
    assert len(document) == 2


def test_a_node_dies_and_comes_back(sale: Flashsale) -> None:
    """Its pods are replaced on the others, and stay Terminating until it is back."""
    killed = sale("kill-node", "embedded-m02", "-o", "json")
    assert killed.code == 0, killed.err
    check(killed.json, "kill-node")
    assert killed.json["not_ready_seconds"] < killed.json["evicted_seconds"]
    assert len(killed.json["pods"]) == 2
    assert "embedded-m02" not in nodes_of_pods(sale)
    shown = sale("status", "-o", "json").json["pods"]
    leaving = {pod["node"] for pod in shown if pod["status"] == "Terminating"}
    assert leaving == {"embedded-m02"}
    dead = sale("kill-node", "embedded-m02")
    assert (dead.code, "flashsale start-node embedded-m02" in dead.err) == (6, True)
    assert "embedded-m02 is NotReady: flashsale start-node embedded-m02" in up(sale).err
    back = sale("start-node", "embedded-m02", "-o", "json")
    check(back.json, "start-node")
    assert sale("start-node", "embedded-m02").out == "embedded-m02 runs already\n"


def test_a_node_dies_once(sale: Flashsale) -> None:
    """Kubernetes has not missed it yet; whoever waits for it is told that it came back."""
    kubectl(sale, "cordon", "embedded-m03")
    kubectl(sale, "delete", "pod", "--all", "--field-selector=spec.nodeName=embedded-m03")
    with sale.start("kill-node", "embedded-m03") as killing:
        while "off" not in kubectl(sale, "get", "node", "embedded-m03", "-o", POWER).stdout:
            assert killing.poll() is None
        again = sale("kill-node", "embedded-m03", "--no-wait")
        assert (again.code, "has been stopped already" in again.err) == (6, True)
        assert sale("start-node", "embedded-m03").code == 0
        said, _ = killing.communicate(timeout=PATIENCE)
    assert killing.returncode == 0
    assert "The node came back before Kubernetes noticed" in said
    kubectl(sale, "uncordon", "embedded-m03")


def test_a_taint_keeps_pods_away_and_drives_them_out(sale: Flashsale) -> None:
    """`NoSchedule` for new ones, `NoExecute` for those that are there."""
    taint = ("taint", "node", "embedded-m03")
    assert kubectl(sale, "drain", "embedded-m03").returncode == 0
    kubectl(sale, "uncordon", "embedded-m03")
    assert kubectl(sale, *taint, "test=yes:NoSchedule").returncode == 0
    assert sale("scale", "7").code == 0
    assert "embedded-m03" not in nodes_of_pods(sale)
    assert kubectl(sale, *taint, "test-").returncode == 0
    assert sale("scale", "8").code == 0
    assert "embedded-m03" in nodes_of_pods(sale)
    assert kubectl(sale, *taint, "test=yes:NoExecute").returncode == 0
    assert kubectl(sale, "wait", "rs/flashsale-rs", "--for", READY_AGAIN).returncode == 0
    assert "embedded-m03" not in nodes_of_pods(sale)
    assert kubectl(sale, *taint, "test-").returncode == 0
    assert sale("scale", "6").code == 0


def test_an_empty_node_can_be_removed(sale: Flashsale) -> None:
    """And ones can be added; of several none goes unless all are empty."""
    assert up(sale, "--nodes", "5").code == 0
    kubectl(sale, "drain", "embedded-m03", "embedded-m04")
    assert sale("scale", "8").code == 0  # some are on the fifth
    assert up(sale, "--nodes", "2").code == 6
    assert "embedded-m04" in kubectl(sale, "get", "nodes").stdout
    assert kubectl(sale, "drain", "embedded-m05", "--disable-eviction").returncode == 0
    assert up(sale, "--nodes", "2").code == 0
    assert "embedded-m03" not in kubectl(sale, "get", "nodes").stdout
    assert up(sale, "--nodes", "3").code == 0
    assert "embedded-m03" in kubectl(sale, "get", "nodes").stdout


def test_a_budget_holds_an_eviction_up(sale: Flashsale) -> None:
    """In the server's own words, with the cause that says how many pods are needed."""
    budget = ("create", "pdb", "shop", "--selector=app=flashsale", "--min-available=100%")
    assert kubectl(sale, *budget).returncode == 0
    try:
        drained = kubectl(sale, "drain", "embedded", "--timeout=3s")
    finally:
        kubectl(sale, "delete", "pdb", "shop")
        kubectl(sale, "uncordon", "embedded")
    assert "Cannot evict pod as it would violate the pod's disruption budget." in drained.stderr


def test_metrics_are_said_to_be_missing(sale: Flashsale) -> None:
    """Nothing here measures pods."""
    assert "Metrics API not available" in kubectl(sale, "top", "node").stderr


def test_a_sale_is_closed_although_a_node_is_dead(sale: Flashsale) -> None:
    """Nobody there would ever let go of its pods."""
    assert sale("kill-node", "--no-wait").code == 0
    closed = sale("down")
    assert closed.code == 0, closed.err
