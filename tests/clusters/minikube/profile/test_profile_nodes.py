"""Profiles of several nodes: made, left as they are, and one of their nodes stopped and started."""

from __future__ import annotations

import json

import pytest

from flashsale.base.errors import BadInputError, ClusterUnreachableError, RefusedError
from flashsale.clusters.base import NewProfileOptions
from flashsale.clusters.minikube import MinikubeCluster, read_profile_state
from flashsale.clusters.minikube.profile.condition import describe_condition
from flashsale.clusters.minikube.profile.profile import parse_status
from flashsale.clusters.subprocesses.run import Output
from flashsale.kube import Api
from tests.clusters.minikube.conftest import QUICK
from tests.clusters.minikube.double_world import STOPPED, World
from tests.recorded import RECORDINGS

API = Api.__new__(Api)  # minikube is asked about nodes, and never the API
RECORDED = RECORDINGS / "minikube" / "two-nodes-docker.json"


def with_nodes(count: int) -> MinikubeCluster:
    """The profile `shop`, of which so many nodes are wanted."""
    return MinikubeCluster("shop", NewProfileOptions(nodes=count), patience=QUICK)


async def test_a_new_profile_gets_its_nodes(world: World) -> None:
    """And runs with them: the next `up` changes nothing."""
    await with_nodes(3).start(world.progress)
    assert "--nodes=3" in world.words("start")
    await with_nodes(3).start(world.progress)
    await with_nodes(0).start(world.progress)
    assert world.acts() == ["start"]


@pytest.mark.parametrize("state", [{}, STOPPED], ids=["running", "stopped"])
async def test_a_profile_keeps_the_nodes_that_it_has(world: World, state: dict[str, str]) -> None:
    """Another wish is refused before anything is done, with what makes a profile of that kind."""
    world.has(nodes=2, **state)
    with pytest.raises(BadInputError, match="'shop' was made with 2 nodes, and keeps") as caught:
        await with_nodes(3).start(world.progress)
    assert caught.value.hint.command == "flashsale up --profile shop-3 --nodes 3"
    assert world.acts() == []


@pytest.mark.usefixtures("docker_runs")
async def test_a_profile_that_never_ran_is_made_with_other_nodes(world: World) -> None:
    """Nothing was made of it yet, so nothing of it counts."""
    world.has(host="Gone", ip="", unfinished=True)
    await with_nodes(2).start(world.progress)
    assert world.profile()["nodes"] == 2


async def test_a_node_is_stopped_and_started(world: World) -> None:
    """By the name that Kubernetes knows; the profile runs all the while."""
    world.has(nodes=3)
    await world.minikube.check_node_kill()
    await world.minikube.kill_node(API, "shop-m03", world.progress)
    assert world.words("node") == ["stop", "shop-m03"]
    assert world.profile()["stopped"] == ["m03"]
    assert await world.minikube.running()
    await world.minikube.start_node(API, "shop-m03", world.progress)
    assert world.words("node") == ["start", "shop-m03"]
    assert world.profile()["stopped"] == []


async def test_a_node_that_does_not_stop_is_an_error(world: World) -> None:
    """With minikube's own sentence, and what lists the nodes."""
    world.has(nodes=2)
    failure = {"code": 30, "message": "Failed to stop node shop-m02: machine does not exist"}
    world.set(faults={"node stop": [failure]})
    with pytest.raises(ClusterUnreachableError, match="could not stop the node") as caught:
        await world.minikube.kill_node(API, "shop-m02", world.progress)
    assert caught.value.details == failure["message"]
    assert caught.value.hint.command == "minikube node list -p shop"


async def test_up_starts_the_node_that_was_stopped_and_nothing_else(world: World) -> None:
    """`minikube start` would restart what runs on the others; the image has to reach all nodes."""
    world.has(nodes=3, stopped=["m02"])
    await world.start()
    assert world.acts() == ["node"]
    assert world.profile()["stopped"] == []
    assert world.progress.steps == ["Starting shop-m02 of minikube 'shop' again"]


async def test_a_stopped_node_is_part_of_the_profiles_condition(world: World) -> None:
    """`doctor` says so, and what starts it."""
    world.has(nodes=3, stopped=["m02", "m03"])
    condition = describe_condition("shop", await read_profile_state("shop"))
    assert condition.words == "is running, and shop-m02 and shop-m03 are stopped"
    assert (condition.good, condition.hint) == (True, "flashsale up --profile shop")


async def test_only_the_embedded_cluster_has_other_times(minikube: MinikubeCluster) -> None:
    """Refused before a profile is started, with what would have them."""
    with pytest.raises(RefusedError, match="Only the embedded cluster") as caught:
        await minikube.check_nodes(3, fast=True)
    assert caught.value.hint.command == ("flashsale up --cluster embedded --fast-nodes --nodes 3")


def test_a_profile_whose_nodes_are_all_stopped_is_stopped() -> None:
    """As the real minikube says it; one whose worker alone is stopped is not."""
    recorded = json.loads(RECORDED.read_text())
    stopped = recorded["stopped-status"]
    status = parse_status(Output(stopped["code"], stopped["stdout"], ""))
    assert status is not None
    assert (status.host, status.stopped_nodes, status.well) == ("Stopped", (), False)
    first, _ = json.loads(recorded["status"]["stdout"])
    _, worker = json.loads(stopped["stdout"])
    status = parse_status(Output(7, json.dumps([first, worker]), ""))
    assert status is not None
    assert (status.well, status.stopped_nodes) == (True, ("two-m02",))


def test_one_of_several_control_planes_may_be_stopped() -> None:
    """The others answer."""
    first, _ = json.loads(json.loads(RECORDED.read_text())["status"]["stdout"])
    second = {**first, "Name": "two-m02", "Host": "Stopped", "APIServer": "Stopped"}
    status = parse_status(Output(3, json.dumps([first, second, {**first, "Name": "two-m03"}]), ""))
    assert status is not None
    assert (status.well, status.stopped_nodes) == (True, ("two-m02",))
