"""What `down --purge` removes from minikube: our images, and nothing else."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from flashsale.clusters.base import App, BuildOptions
from flashsale.clusters.minikube import MinikubeCluster
from flashsale.docker import build
from tests.clusters.minikube.double_world import Told, World
from tests.docker.engine_proxies import Authority, door


async def test_our_images_go_from_minikubes_docker_and_the_profile_stays(
    world: World,
    minikube: MinikubeCluster,
    told: Told,
    docker_socket: Path,
    image_name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the label that they got when they were built there; a second time there is none."""
    monkeypatch.setattr(build, "LABEL", f"flashsale.trial-{uuid4().hex}")  # the engine is shared
    folder = world.home / "app"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    world.has()
    authority = Authority.make(world.home / "certs")
    with door(docker_socket, authority.server_context()) as port:
        world.set(engines=[f"tcp://127.0.0.1:{port}"], certs=str(authority.folder))
        app = App(folder, folder / "Dockerfile")
        assert (await minikube.provide(app, image_name, BuildOptions(), told)).built
        removed = [(await minikube.remove_images(told))[0] for _ in range(2)]
    assert removed == [1, 0]
    assert set(world.acts()) == {"docker-env"}
    assert world.profile()["host"] == "Running"


async def test_where_the_node_has_no_docker_it_says_where_the_images_are(
    world: World, minikube: MinikubeCluster, told: Told
) -> None:
    """Another runtime's images are the user's to look at."""
    world.has(runtime="containerd")
    assert await minikube.remove_images(told) == (0, 0)
    assert told.notes == ["Images stay in minikube: minikube image ls -p shop"]
    assert world.acts() == []
