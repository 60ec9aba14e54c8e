"""Several nodes of the embedded cluster, one of which dies, is drained, comes back."""

from __future__ import annotations

import sys

import pytest

from tests.command import PATIENCE, Flashsale, Result, run_kubectl
from tests.test_json import check

POWER = r"jsonpath={.metadata.annotations.embedded\.flashsale/power}"
NAMES = ["embedded", "embedded-m02", "embedded-m03"]


@pytest.fixture(scope="module")
def sale(tmp_path_factory: pytest.TempPathFactory) -> Flashsale:
    """A sale on three nodes that are given up fast, of lean pods."""
    return Flashsale(tmp_path_factory.mktemp("nodes") / "state")


@pytest.fixture(scope="module", autouse=True)
def _open(sale: Flashsale) -> object:
    opened = up(sale, "--nodes", "3", "--fast-nodes", "--replicas", "3")
    assert opened.code == 0, opened.err
    assert "not ready after 5 s instead of 50 s" in opened.err
    yield
    sale("down", "--purge")


def up(sale: Flashsale, *words: str) -> Result:
    """Open the sale, or change it; its pods stay lean."""
    return sale("up", "--manifest", str(sale.lean_manifest()), *words)


def pods_and_nodes(sale: Flashsale) -> dict[str, str]:
    """Name the node of each pod that runs."""
    pods = sale("status", "-o", "json").json["pods"]
    return {pod["name"]: pod["node"] for pod in pods if pod["status"] == "Running"}


def nodes_of_pods(sale: Flashsale) -> list[str]:
    return sorted(pods_and_nodes(sale).values())


def test_pods_are_spread_evenly(sale: Flashsale) -> None:
    """One on each of three nodes, whose pods have addresses of three ranges."""
    pods = sale("status", "-o", "json").json["pods"]
    assert sorted(pod["node"] for pod in pods) == NAMES
    ranges = {pod["ip"].rpartition(".")[0] for pod in pods}
    assert len(ranges) == (3 if sys.platform == "linux" else 1)


def test_the_only_control_plane_is_never_killed(sale: Flashsale) -> None:
    """Exit code 6, and a command that works."""
    refused = sale("kill-node", "embedded")
    assert (refused.code, "only control plane" in refused.err) == (6, True)
    assert sale("kill-node", "--dry-run").out.startswith("embedded-m0")


def test_an_empty_node_can_be_removed(sale: Flashsale) -> None:
    """And ones can be added; of several none goes unless all are empty, and it says what helps."""
    assert up(sale, "--nodes", "4").code == 0
    refused = up(sale, "--nodes", "2")
    assert (refused.code, "kubectl drain embedded-m03" in refused.err) == (6, True)
    assert "embedded-m04" in run_kubectl(sale, "get", "nodes").stdout
    run_kubectl(sale, "drain", "embedded-m03", "embedded-m04", "--disable-eviction")  # in protobuf
    assert up(sale, "--nodes", "2").code == 0
    assert "embedded-m03" not in run_kubectl(sale, "get", "nodes").stdout
    assert up(sale, "--nodes", "3").code == 0
    assert "embedded-m03" in run_kubectl(sale, "get", "nodes").stdout


def test_all_pods_of_a_node_can_be_killed(sale: Flashsale) -> None:
    """Others are left alone."""
    assert sale("scale", "6").code == 0
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


def test_a_budget_holds_an_eviction_up(sale: Flashsale) -> None:
    """In the server's own words, with the cause that says how many pods are needed."""
    budget = ("create", "pdb", "shop", "--selector=app=flashsale", "--min-available=100%")
    assert run_kubectl(sale, *budget).returncode == 0
    try:
        drained = run_kubectl(sale, "drain", "embedded", "--timeout=1s")
    finally:
        run_kubectl(sale, "delete", "pdb", "shop")
        run_kubectl(sale, "uncordon", "embedded")
    assert "Cannot evict pod as it would violate the pod's disruption budget." in drained.stderr


def test_metrics_are_said_to_be_missing(sale: Flashsale) -> None:
    """Nothing here measures pods."""
    assert "Metrics API not available" in run_kubectl(sale, "top", "node").stderr


def test_a_node_dies_once(sale: Flashsale) -> None:
    """Kubernetes has not missed it yet; whoever waits for it is told that it came back."""
    with sale.start("kill-node", "embedded-m02") as killing:
        while "off" not in run_kubectl(sale, "get", "node", "embedded-m02", "-o", POWER).stdout:
            assert killing.poll() is None
        again = sale("kill-node", "embedded-m02", "--no-wait")
        assert (again.code, "has been stopped already" in again.err) == (6, True)
        assert sale("start-node", "embedded-m02").code == 0
        said, _ = killing.communicate(timeout=PATIENCE)
    assert killing.returncode == 0
    assert "The node came back before Kubernetes noticed" in said
    assert "flashsale start-node" not in said


def test_a_taint_keeps_pods_away_and_drives_them_out(sale: Flashsale) -> None:
    """`NoExecute` for those that are there, `NoSchedule` for new ones."""
    assert sale("scale", "3").code == 0
    pods = pods_and_nodes(sale)
    node = max(pods.values())
    there = [f"pod/{pod}" for pod, place in pods.items() if place == node]
    taint = ("taint", "node", node)
    assert run_kubectl(sale, *taint, "test=yes:NoExecute").returncode == 0
    assert run_kubectl(sale, "wait", "--for=delete", *there).returncode == 0
    assert run_kubectl(sale, *taint, "test=yes:NoSchedule", "test:NoExecute-").returncode == 0
    assert sale("scale", "4").code == 0
    assert node not in nodes_of_pods(sale)
    assert run_kubectl(sale, *taint, "test-").returncode == 0
    assert sale("scale", "5").code == 0
    assert node in nodes_of_pods(sale)
    assert sale("scale", "3").code == 0


def test_a_sale_is_closed_although_a_node_is_dead(sale: Flashsale) -> None:
    """Nobody there would ever let go of its pods."""
    assert sale("kill-node", "--no-wait").code == 0
    closed = sale("down")
    assert closed.code == 0, closed.err
