"""Stopping a profile."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from flashsale.base.errors import ClusterUnreachableError
from tests.clusters.minikube.double_world import STOPPED, World


@pytest.mark.parametrize(("state", "how"), [({}, "stopped"), (STOPPED, "was stopped already")])
async def test_stopped_profile_keeps_its_data(
    world: World, state: dict[str, str], how: str
) -> None:
    """Stopping what is stopped is fine too."""
    world.has(**state)
    await world.minikube.stop(world.progress)
    assert world.profile()["host"] == "Stopped"
    assert world.progress.notes == [f"minikube 'shop' {how} (data kept)."]


async def test_missing_profile_is_nothing_to_stop(world: World) -> None:
    """What was wanted is so."""
    await world.minikube.stop(world.progress)
    assert world.progress.notes == ["There is no minikube profile 'shop' to stop."]
    assert world.acts() == []


async def test_stop_that_fails_is_told_by_its_reason_and_not_asked_twice(world: World) -> None:
    """It has tried for ten seconds already."""
    world.has()
    recording = {"recording": "half-made-no-node/stop", "profile": "shop"}
    world.set(faults={"stop": [recording]})
    with pytest.raises(ClusterUnreachableError) as caught:
        await world.minikube.stop(world.progress)
    reason = "No such container: minikube"
    assert str(caught.value) == f"minikube could not stop 'shop': {reason}."
    assert world.acts() == ["stop"]


async def test_node_that_is_gone_is_not_stopped_but_told(world: World, docker_socket: Path) -> None:
    """minikube would try five times, and then blame ssh."""
    world.has(host="Gone")
    with pytest.raises(ClusterUnreachableError, match="has lost its node's container") as caught:
        await world.minikube.stop(world.progress)
    assert caught.value.hint == "minikube delete -p shop"
    assert world.acts() == []


@pytest.mark.usefixtures("no_docker")
async def test_node_that_only_docker_can_stop_needs_docker(world: World) -> None:
    """It is not gone: nobody can see it."""
    world.set(docker_up=False)
    world.has()
    with pytest.raises(ClusterUnreachableError, match="Docker is not running"):
        await world.minikube.stop(world.progress)
    assert world.acts() == []


async def test_silence_while_it_stops_is_broken_by_a_heartbeat(world: World) -> None:
    """Two minutes are allowed for it, and nothing is reported meanwhile."""
    world.has()
    world.set(pace=0.3)
    quick = replace(world.minikube, patience=replace(world.minikube.patience, heartbeat=0.05))
    await quick.stop(world.progress)
    assert any(
        re.fullmatch(r"still at 'PowerOff' after \d+ s", line) for line in world.progress.details
    )
    assert world.progress.steps == ["Stopping minikube 'shop'"]
