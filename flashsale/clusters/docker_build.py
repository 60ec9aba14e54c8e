"""Making the sale's image with a Docker engine, whichever cluster it is for."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field

from flashsale.clusters.base import App, BuildOptions, Image, Progress
from flashsale.clusters.state.directory import home_key, state_home
from flashsale.docker import BuildRecipe, Engine, PushTarget, Surroundings, make, push


@dataclass(slots=True)
class LazyStep:
    """Opens a step of the progress with the first line of its output, if one comes at all."""

    progress: Progress
    title: str
    _begun: bool = field(default=False)

    def line(self, text: str) -> None:
        if not self._begun:
            self._begun = True
            self.progress.step(self.title)
        self.progress.detail(text)


async def read_recipe(app: App, name: str, options: BuildOptions) -> BuildRecipe:
    """Read what to build and this machine's settings; BadInputError if the app is unreadable."""
    return await asyncio.to_thread(
        lambda: BuildRecipe.of(
            app.folder,
            app.dockerfile,
            name,
            build_args=options.build_args,
            around=Surroundings.of_this_machine(os.environ),
            rebuild=options.rebuild,
            pushing=bool(options.push),
            home=home_key(state_home()),
        )
    )


async def build_with_docker(
    engine: Engine, app: App, name: str, options: BuildOptions, progress: Progress
) -> Image:
    """Build with an engine unless it has the same content, and push where that was asked for.

    Raises:
        BuildError, PushError: Docker or the registry refused; the output is in the details.
        BadInputError: what to push to is no repository, or the app cannot be read.
    """
    if options.push:
        PushTarget.of(options.push, name)  # a typing mistake costs no build
    building = LazyStep(progress, f"Building {name} with Docker on {engine.host}")
    made = await make(engine, await read_recipe(app, name, options), building.line, progress.note)
    if not options.push:
        return Image(name, made.built, made.id, others=made.others)
    pushing = LazyStep(progress, f"Pushing {name} to {options.push}")
    pushed = await push(engine, name, options.push, pushing.line)
    return Image(pushed, made.built, made.id, pushed.partition("@")[2], made.others)
