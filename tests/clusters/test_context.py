"""The way to a Service on a cluster that somebody else runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flashsale.base.errors import ClusterUnreachableError, RefusedError
from flashsale.clusters.base import TunnelUrl
from flashsale.clusters.context import ContextCluster, candidate_addresses
from flashsale.embedded.process import launch
from flashsale.objects.models import Service
from tests.clusters.minikube.double_world import RecordedProgress
from tests.forking.cluster_process import start_forked_cluster

SERVICE = Service("flashsale-svc", "NodePort", "10.96.0.1", 30080, "80:30080/TCP", 0)
SERVER = "https://127.0.0.1:6443"


def node(**addresses: str) -> dict[str, Any]:
    """A node with its addresses by their type."""
    listed = [{"type": kind, "address": address} for kind, address in addresses.items()]
    return {"status": {"addresses": listed}}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a cluster of one node, whose address is this machine's."""
    home = tmp_path_factory.mktemp("kubernetes")
    yield start_forked_cluster(home).kubeconfig
    launch.stop_cluster(home)


@pytest.fixture
def context(cluster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ContextCluster:
    """That cluster, as a context of somebody's."""
    monkeypatch.setenv("FLASHSALE_HOME", str(tmp_path / "home"))
    return ContextCluster("flashsale-embedded", cluster)


@pytest.fixture
def nowhere(refusing: int) -> Service:
    """A Service whose node port nobody answers."""
    return replace(SERVICE, node_port=refusing)


@pytest.fixture
def kubectl(tmp_path: Path, listening: int, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program called kubectl that says it forwards a port; its words are beside it."""
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "kubectl"
    program.write_text(
        f"#!{sys.executable} -SE\n"
        "import pathlib, signal, sys\n"
        "pathlib.Path(__file__).with_name('words').write_text(' '.join(sys.argv[1:]))\n"
        "if pathlib.Path(__file__).with_name('fail').exists(): sys.exit('error: no pods')\n"
        f"print('Forwarding from 127.0.0.1:{listening} -> 5000', flush=True)\n"
        "signal.pause()\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return programs


def test_load_balancer_comes_before_nodes_and_outer_addresses_before_inner() -> None:
    """Each place once; the API server's host is one of them, as it may be a node."""
    nodes = [node(InternalIP="10.0.0.2", ExternalIP="203.0.113.7"), node(InternalIP="10.0.0.3")]
    balanced = replace(SERVICE, type="LoadBalancer", external="sale.example")
    assert candidate_addresses(balanced, nodes, SERVER) == [
        ("sale.example", 80),
        ("203.0.113.7", 30080),
        ("127.0.0.1", 30080),
        ("10.0.0.2", 30080),
        ("10.0.0.3", 30080),
    ]


def test_service_inside_the_cluster_has_no_address() -> None:
    """Nothing is tried."""
    assert (
        candidate_addresses(replace(SERVICE, type="ClusterIP", node_port=None), [node()], SERVER)
        == []
    )


async def test_address_is_the_first_that_answers(context: ContextCluster, listening: int) -> None:
    """Of those that do not, none keeps anybody waiting."""
    service = replace(SERVICE, node_port=listening)
    assert await context.address(service) == f"http://127.0.0.1:{listening}"


async def test_places_that_were_tried_are_named(context: ContextCluster, nowhere: Service) -> None:
    """So that a firewall can be found."""
    with pytest.raises(ClusterUnreachableError, match=f"tried 127.0.0.1:{nowhere.node_port}"):
        await context.address(nowhere)


async def test_one_pod_is_forwarded_to_where_nothing_else_leads(
    context: ContextCluster,
    nowhere: Service,
    listening: int,
    kubectl: Path,
    progress: RecordedProgress,
) -> None:
    """For a look, held only as long as it is needed; on the sale's own context."""
    async with context.reach(nowhere, progress, one_pod=True) as url:
        assert url == f"http://127.0.0.1:{listening}"
        assert isinstance(url, TunnelUrl)
    words = (kubectl / "words").read_text()
    assert "--context=flashsale-embedded port-forward -n default service/flashsale-svc :80" in words
    assert "leads to one pod" in progress.notes[0]


async def test_load_is_not_sent_through_a_port_forward(
    context: ContextCluster, nowhere: Service, kubectl: Path
) -> None:
    """Its pods would not share it, and one kill would end it; the hint is for a look."""
    with pytest.raises(ClusterUnreachableError) as caught:
        async with context.reach(nowhere):
            pass
    assert "flashsale url" in caught.value.hint
    assert not (kubectl / "words").exists()


async def test_forward_that_fails_gives_its_command(
    context: ContextCluster, nowhere: Service, kubectl: Path
) -> None:
    """To be typed, and to see why."""
    (kubectl / "fail").touch()
    with pytest.raises(ClusterUnreachableError, match="forwards no port") as caught:
        async with context.reach(nowhere, one_pod=True):
            pass
    assert caught.value.hint.startswith("kubectl --kubeconfig=")


@pytest.fixture
def progress() -> RecordedProgress:
    """What the user was told."""
    return RecordedProgress()


async def test_nodes_of_a_context_are_left_alone(context: ContextCluster) -> None:
    """Refused with what to type instead; as many as there are is no change."""
    await context.check_nodes(0, fast=None)
    await context.check_nodes(1, fast=None)
    for count, fast in ((3, None), (0, True), (1, False)):
        with pytest.raises(RefusedError, match="has 1 node and times of its own") as refused:
            await context.check_nodes(count, fast=fast)
        hint = f"flashsale up --cluster embedded --nodes {count or 3}"
        assert refused.value.hint.command == hint
    with pytest.raises(RefusedError, match="not flashsale's to kill") as refused:
        await context.check_node_kill()
    assert refused.value.hint.command == "kubectl --context flashsale-embedded cordon embedded"
