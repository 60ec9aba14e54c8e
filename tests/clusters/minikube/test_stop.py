"""Stopping a profile."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from flashsale.base.errors import ClusterUnreachableError
from flashsale.clusters.minikube import MinikubeCluster
from tests.clusters.minikube.double_world import STOPPED, RecordedProgress, World


@pytest.mark.parametrize(("state", "how"), [({}, "stopped"), (STOPPED, "was stopped already")])
async def test_stopped_profile_keeps_its_data(
    world: World,
    minikube: MinikubeCluster,
    progress: RecordedProgress,
    state: dict[str, str],
    how: str,
) -> None:
    """Stopping what is stopped is fine too."""
    world.has(**state)
    await minikube.stop(progress)
    assert world.profile()["host"] == "Stopped"
    assert progress.notes == [f"minikube 'shop' {how} (data kept)."]


async def test_missing_profile_is_nothing_to_stop(
    world: World, minikube: MinikubeCluster, progress: RecordedProgress
) -> None:
    """What was wanted is so."""
    await minikube.stop(progress)
    assert progress.notes == ["There is no minikube profile 'shop' to stop."]
    assert world.acts() == []


async def test_stop_that_fails_is_told_by_its_reason_and_not_asked_twice(
    world: World, minikube: MinikubeCluster, progress: RecordedProgress
) -> None:
    """It has tried for ten seconds already."""
    world.has()
    recording = {"recording": "half-made-no-node/stop", "profile": "shop"}
    world.set(faults={"stop": [recording]})
    with pytest.raises(ClusterUnreachableError) as caught:
        await minikube.stop(progress)
    reason = "No such container: minikube"
    assert str(caught.value) == f"minikube could not stop 'shop': {reason}."
    assert world.acts() == ["stop"]


async def test_node_that_is_gone_is_not_stopped_but_told(
    world: World, minikube: MinikubeCluster, progress: RecordedProgress, docker_socket: Path
) -> None:
    """minikube would try five times, and then blame ssh."""
    world.has(host="Gone")
    with pytest.raises(ClusterUnreachableError, match="has lost its node's container") as caught:
        await minikube.stop(progress)
    assert caught.value.hint == "minikube delete -p shop"
    assert world.acts() == []


@pytest.mark.usefixtures("no_docker")
async def test_node_that_only_docker_can_stop_needs_docker(
    world: World, minikube: MinikubeCluster, progress: RecordedProgress
) -> None:
    """It is not gone: nobody can see it."""
    world.set(docker_up=False)
    world.has()
    with pytest.raises(ClusterUnreachableError, match="Docker is not running"):
        await minikube.stop(progress)
    assert world.acts() == []


async def test_silence_while_it_stops_is_broken_by_a_heartbeat(
    world: World, minikube: MinikubeCluster, progress: RecordedProgress
) -> None:
    """Two minutes are allowed for it, and nothing is reported meanwhile."""
    world.has()
    world.set(pace=0.3)
    quick = replace(minikube, patience=replace(minikube.patience, heartbeat=0.05))
    await quick.stop(progress)
    assert any(re.fullmatch(r"still at 'PowerOff' after \d+ s", line) for line in progress.details)
    assert progress.steps == ["Stopping minikube 'shop'"]
