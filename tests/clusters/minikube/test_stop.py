"""Stopping a profile."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from flashsale.base.errors import ClusterUnreachableError
from flashsale.clusters.minikube import MinikubeCluster
from tests.clusters.minikube.double_world import STOPPED, Told, World


@pytest.mark.parametrize("state", [{}, STOPPED])
async def test_stopped_profile_keeps_its_data(
    world: World, minikube: MinikubeCluster, told: Told, state: dict[str, str]
) -> None:
    """Stopping what is stopped is fine too."""
    world.has(**state)
    await minikube.stop(told)
    assert world.profile()["host"] == "Stopped"
    assert told.notes == ["minikube 'shop' stopped (data kept)."]


async def test_missing_profile_is_nothing_to_stop(
    world: World, minikube: MinikubeCluster, told: Told
) -> None:
    """What was wanted is so."""
    await minikube.stop(told)
    assert told.notes == ["Nothing to stop."]


async def test_stop_that_times_out_is_tried_once_more(
    world: World, minikube: MinikubeCluster, told: Told
) -> None:
    """And then it works."""
    world.has()
    world.set(faults={"stop": [{"code": 82}]})
    await minikube.stop(told)
    assert world.acts() == ["stop", "stop"]


async def test_stop_that_times_out_twice_fails(
    world: World, minikube: MinikubeCluster, told: Told
) -> None:
    """Docker or the hypervisor has to be looked at."""
    world.has()
    world.set(faults={"stop": [{"code": 82}, {"code": 82}]})
    with pytest.raises(ClusterUnreachableError, match="did not stop in time") as caught:
        await minikube.stop(told)
    assert "Docker or the hypervisor" in caught.value.hint


async def test_silence_while_it_stops_is_broken_by_a_heartbeat(
    world: World, minikube: MinikubeCluster, told: Told
) -> None:
    """Two minutes are allowed for it, and nothing is reported meanwhile."""
    world.has()
    world.set(pace=0.3)
    quick = replace(minikube, patience=replace(minikube.patience, heartbeat=0.05))
    await quick.stop(told)
    assert any(re.fullmatch(r"still at 'PowerOff' after \d+ s", line) for line in told.details)
    assert told.steps == ["Stopping minikube 'shop'"]
