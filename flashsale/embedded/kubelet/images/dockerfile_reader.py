"""Follows a Dockerfile's stages over an app folder, as Docker does; for RUN see run_commands."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from flashsale.base.dockerfile import Instruction, Stage, find_stage, lineage
from flashsale.base.errors import BadInputError, Hint
from flashsale.embedded.kubelet.images import copy_files, run_commands
from flashsale.embedded.kubelet.images.base_images import foreign_language
from flashsale.embedded.kubelet.images.copy_files import AppFolder
from flashsale.embedded.kubelet.images.image_files import absolute
from flashsale.embedded.kubelet.images.image_recipe import ImageRecipe, skip


class DockerfileReader:
    """Follows stages over an app folder; a stage is followed once, when it is first needed."""

    def __init__(self, stages: Sequence[Stage], folder: Path) -> None:
        self.stages, self.app = stages, AppFolder(folder)
        self._done: dict[int, ImageRecipe] = {}

    def last(self) -> ImageRecipe:
        """Follow the last stage and all that it needs.

        Raises:
            BadInputError: something cannot be done; file and line are named.
        """
        refuse_other_languages(self.stages)
        return self.stage(len(self.stages) - 1)

    def stage(self, index: int) -> ImageRecipe:
        """Return what a stage adds up to."""
        if index not in self._done:
            stage = self.stages[index]
            base = find_stage(self.stages[:index], stage.base)
            recipe = ImageRecipe(base=stage.base) if base is None else self.stage(base).copy()
            triggers = () if base is None else self.stage(base).triggers
            for one in (*triggers, *stage.instructions):
                self._follow(recipe, one, index)
            self._done[index] = recipe
        return self._done[index]

    def _follow(self, recipe: ImageRecipe, one: Instruction, index: int) -> None:
        match one.keyword:
            case "COPY" | "ADD":
                origin = one.flags()[0].get("from")
                copy_files.copy(recipe, one, self.app, self._named(origin or "", index))
            case "RUN":
                named = partial(self._named, index=index)
                mounts = copy_files.bind_mounts(recipe, one, self.app, named)
                run_commands.run(recipe, one, mounts)
            case "ONBUILD":
                keyword, _, text = one.text.partition(" ")
                recipe.triggers += (replace(one, keyword=keyword.upper(), text=text.strip()),)
            case _:
                _configure(recipe, one)

    def _named(self, name: str, index: int) -> ImageRecipe | None:
        """Return what an earlier stage of a name adds up to; None if there is none."""
        stage = find_stage(self.stages[:index], name) if name else None
        return None if stage is None else self.stage(stage)


def read(stages: Sequence[Stage], folder: Path) -> ImageRecipe:
    """Follow a Dockerfile's stages over an app folder.

    Raises:
        BadInputError: something cannot be done; file and line are named.
    """
    return DockerfileReader(stages, folder).last()


def refuse_other_languages(stages: Sequence[Stage]) -> None:
    """Raise BadInputError if the image is based on one that is not for Python."""
    start = lineage(stages)[0]
    if other := foreign_language(start.base):
        raise BadInputError(
            f"{start.start.where}:{start.start.line}: {start.base} is an image for {other},"
            " and the embedded cluster runs Python apps only.",
            hint=Hint("flashsale up --cluster minikube", "runs any image"),
        )


def _configure(recipe: ImageRecipe, one: Instruction) -> None:
    match one.keyword:
        case "WORKDIR":
            recipe.workdir = posixpath.normpath(posixpath.join(recipe.workdir, one.text))
            recipe.files.make_folder(absolute("/", recipe.workdir))
        case "ENV":
            recipe.env |= one.assignments()
        case "ENTRYPOINT":
            recipe.entrypoint, recipe.cmd = one.command(), ()
        case "CMD":
            recipe.cmd = one.command()
        case "USER":
            recipe.user = one.text
        case "EXPOSE":
            recipe.ports += tuple(_ports(one))
        case "VOLUME":
            for path in one.words():
                recipe.files.make_folder(absolute(recipe.workdir, path))
        case "STOPSIGNAL" | "SHELL":
            _skip_unusual(recipe, one)


def _skip_unusual(recipe: ImageRecipe, one: Instruction) -> None:
    if one.keyword == "STOPSIGNAL" and one.text.upper() not in ("SIGTERM", "TERM", "15"):
        skip(recipe, one, "containers get SIGTERM")
    elif one.keyword == "SHELL" and "sh" not in one.text:
        skip(recipe, one, "shell form runs in /bin/sh")


def _ports(one: Instruction) -> Iterator[int]:
    for word in one.text.split():
        first, _, last = word.partition("/")[0].partition("-")
        if not first.isdecimal() or not (last or first).isdecimal():
            raise one.wrong(f"EXPOSE {word} is not a port")
        yield from range(int(first), int(last or first) + 1)
