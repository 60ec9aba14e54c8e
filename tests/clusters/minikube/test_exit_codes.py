"""What failed starts mean: minikube's codes and ids, its own words only as details."""

from __future__ import annotations

from typing import Any

import pytest

from flashsale.base.errors import BadInputError, ClusterUnreachableError
from flashsale.clusters.base import NewProfileOptions
from flashsale.clusters.minikube import MinikubeCluster
from tests.clusters.minikube.double_world import STOPPED, Told, World


@pytest.mark.parametrize(
    ("fault", "sentence", "hint"),
    [
        ({"code": 55, "advice": "Start Docker {{.x}}"}, "no driver", "Start Docker"),
        ({"code": 63}, "Docker is not running.", "start Docker, then try again"),
        ({"code": 65}, "no driver", "install Docker"),
        ({"code": 69}, "may not use Docker", "ask who runs this machine"),
        ({"code": 57}, "Do not run as root with the docker driver.", "ordinary user"),
        ({"code": 29}, "Too few processors", "2 CPUs"),
        ({"code": 23}, "Too little memory", "--memory"),
        ({"code": 26}, "Disk of the minikube node 'shop' is full.", "docker system prune"),
        ({"code": 106}, "newer Kubernetes", "--profile"),
        ({"code": 48}, "No internet", "--download-only"),
        ({"code": 42}, "No internet", "--download-only"),
        ({"code": 40}, "No internet", "HTTPS_PROXY"),
        ({"code": 80, "id": "GUEST_PROVISION"}, "(GUEST_PROVISION, code 80)", "delete -p shop"),
        ({"code": 90, "id": "RUNTIME_ENABLE"}, "(RUNTIME_ENABLE, code 90)", "minikube logs"),
        ({"code": 109, "id": "K8S_KUBELET"}, "(K8S_KUBELET, code 109)", "minikube logs"),
        ({"code": 72}, "cannot be reached", "VPN"),
        ({"code": 52}, "cannot be reached", "VPN"),
        ({"code": 37}, "belong to someone else", "chown"),
        ({"code": 38}, "Profile 'shop' is damaged.", "minikube delete -p shop"),
        ({"code": 14}, "did not take our arguments", "update minikube"),
        ({"code": 2}, "crashed", "update minikube"),
    ],
)
async def test_each_code_has_its_sentence_and_a_way_out(
    world: World,
    minikube: MinikubeCluster,
    told: Told,
    fault: dict[str, Any],
    sentence: str,
    hint: str,
) -> None:
    """Nothing is deleted, nothing is forced, and nothing is tried twice."""
    world.set(faults={"start": [{"message": "eigene Worte", **fault}]})
    with pytest.raises(ClusterUnreachableError) as caught:
        await minikube.start(told)
    assert sentence in str(caught.value)
    assert hint in caught.value.hint
    assert "{{" not in caught.value.hint
    assert world.acts() == ["start"]


async def test_minikubes_own_words_are_kept_as_details(
    world: World, minikube: MinikubeCluster, told: Told
) -> None:
    """In whatever language: they are shown, never read."""
    world.set(faults={"start": [{"code": 80, "message": "Das ging schief"}]})
    with pytest.raises(ClusterUnreachableError) as caught:
        await minikube.start(told)
    assert "Das ging schief" in caught.value.details


async def test_driver_mismatch_is_retried_with_the_profiles_driver(
    world: World, minikube: MinikubeCluster, told: Told
) -> None:
    """The user's default driver is another one, but asked for nothing."""
    other = {"shop": {**STOPPED, "driver": "kvm2", "runtime": "docker", "nodes": 1, "ip": "::"}}
    world.set(faults={"start": [{"code": 81, "world": other}]})
    await minikube.start(told)
    assert world.acts() == ["start", "start"]
    assert "--driver=kvm2" in world.words("start")


async def test_driver_mismatch_with_a_wish_is_the_users_to_solve(world: World, told: Told) -> None:
    """The wish is not dropped in silence."""
    other = {"shop": {**STOPPED, "driver": "kvm2", "runtime": "docker", "nodes": 1, "ip": "::"}}
    world.set(faults={"start": [{"code": 81, "world": other}]})
    with pytest.raises(BadInputError, match="already uses driver kvm2"):
        await MinikubeCluster("shop", NewProfileOptions("docker")).start(told)
    assert world.acts() == ["start"]
