"""What `down --purge` removes from minikube: our images, and nothing else."""

from __future__ import annotations

from pathlib import Path

from flashsale.clusters.base import App, BuildOptions
from flashsale.docker import RemovedImages
from tests.clusters.minikube.double_world import World
from tests.docker.engine_proxies import Authority, door
from tests.docker.engines import own_layers


async def test_our_images_go_from_minikubes_docker_and_the_profile_stays(
    world: World, docker_socket: Path, image_name: str
) -> None:
    """By the label of the state folder that they were built for; a second time there is none."""
    folder = world.home / "app"
    folder.mkdir()
    (folder / "Dockerfile").write_text(f"{own_layers()}COPY Dockerfile /\n")
    world.has()
    authority = Authority.make(world.home / "certs")
    with door(docker_socket, authority.server_context()) as port:
        world.set(engines=[f"tcp://127.0.0.1:{port}"], certs=str(authority.folder))
        app = App(folder, folder / "Dockerfile")
        assert (await world.minikube.provide(app, image_name, BuildOptions(), world.progress)).built
        removed = [(await world.minikube.remove_images("", world.progress)).count for _ in range(2)]
    assert removed == [1, 0]
    assert set(world.acts()) == {"docker-env"}
    assert world.profile()["host"] == "Running"


async def test_where_the_node_has_no_docker_it_says_how_the_image_goes(world: World) -> None:
    """Another runtime has no labels, so what is there may be others'; the sale's own is known."""
    folder = world.home / "app"
    folder.mkdir()
    (folder / "Dockerfile").write_text(f"{own_layers()}COPY Dockerfile /\n")
    world.has(runtime="containerd")
    app = App(folder, folder / "Dockerfile")
    image = await world.minikube.provide(app, "flashsale:1.0", BuildOptions(), world.progress)
    world.progress.notes.clear()
    assert await world.minikube.remove_images(image.id, world.progress) == RemovedImages()
    (note,) = world.progress.notes
    assert "minikube image rm -p shop docker.io/library/flashsale:1.0 " in note
    await world.minikube.remove_images("", world.progress)
    assert len(world.progress.notes) == 1
