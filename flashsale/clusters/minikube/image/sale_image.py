"""The sale's image in a profile: made where its runtime finds it, and removed again."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from flashsale.base.image_names import full_name
from flashsale.clusters.base import App, BuildOptions, Image, Progress
from flashsale.clusters.docker_build import LazyStep, build_with_docker, read_recipe
from flashsale.clusters.minikube.cli import MinikubeCli
from flashsale.clusters.minikube.image import image_build
from flashsale.clusters.minikube.image.docker_env import AWAY, node_engine
from flashsale.clusters.minikube.image.image_route import image_route
from flashsale.clusters.minikube.image.node_images import list_images_by_node, names_of
from flashsale.clusters.minikube.profile.profile import Profile
from flashsale.clusters.state.directory import home_key
from flashsale.docker import EngineError, RemovedImages, connected, own_docker, remove_images


@dataclass(frozen=True, slots=True)
class ImageBuilder:
    """Builds an image in a profile; `revive` brings that up again if it stops in between."""

    minikube: MinikubeCli
    profile: Profile
    progress: Progress
    revive: Callable[[], Awaitable[object]]

    async def build(self, app: App, name: str, options: BuildOptions) -> Image:
        """Build by the way that the profile asks for."""
        way, message = image_route(self.profile)
        if message:
            self.progress.note(message)
        if way == "host" or (way == "node" and options.push):
            async with connected(own_docker(os.environ)) as engine:
                return await build_with_docker(engine, app, name, options, self.progress)
        if way == "engine":
            try:
                async with node_engine(self.minikube, self.revive) as engine:
                    return await build_with_docker(engine, app, name, options, self.progress)
            except EngineError as error:
                if error.trouble not in AWAY or options.push:
                    raise
                reason = f"{error} Add it to NO_PROXY. Building with `minikube image build`."
                self.progress.note(reason)
        return await self._build_on_nodes(app, name, options)

    async def _build_on_nodes(self, app: App, name: str, options: BuildOptions) -> Image:
        made_from = await read_recipe(app, name, options)
        step = LazyStep(self.progress, f"Building {name} inside minikube '{self.profile.name}'")
        made = await image_build.build_on_nodes(
            self.minikube, made_from, self.profile, step.line, self.progress.note
        )
        return Image(full_name(name), made.built, made.id, others=made.others)


async def remove_sale_images(builder: ImageBuilder, image: str, home: Path) -> RemovedImages:
    """Remove them from the node's Docker; where it has none, say how it is done."""
    minikube, profile, progress = builder.minikube, builder.profile, builder.progress
    way, _ = image_route(profile)
    if way == "node" and (names := names_of(image, await list_images_by_node(minikube, profile))):
        progress.note(
            f"The image stays in minikube '{profile.name}'; to remove it:"
            f" minikube image rm -p {profile.name} {' '.join(names)}"
        )
    if way in ("host", "node"):
        return RemovedImages()
    progress.step(f"Removing our images from minikube '{profile.name}'")
    async with node_engine(minikube, builder.revive) as engine:
        removed = await remove_images(engine, home_key(home))
    return replace(removed, left=0)  # those of others in there are no business of this machine
