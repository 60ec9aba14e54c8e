"""Follows a Dockerfile's stages over an app folder, as Docker does; for RUN see run_commands."""

from __future__ import annotations

import posixpath
import shutil
import signal
from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path

from flashsale.base.dockerfile.instructions import Instruction
from flashsale.base.dockerfile.stages import Stage, find_stage, lineage
from flashsale.base.errors import BadInputError, Hint
from flashsale.base.known_images import foreign_language
from flashsale.embedded.kubelet.images.build_without_docker import copy_files, run_commands
from flashsale.embedded.kubelet.images.build_without_docker.base_images import (
    base_entrypoint,
    shell_of,
)
from flashsale.embedded.kubelet.images.build_without_docker.copy_files import AppFolder
from flashsale.embedded.kubelet.images.build_without_docker.image_recipe import ImageRecipe, skip
from flashsale.embedded.kubelet.images.image_files import absolute

PYTHON_ONLY = "and the embedded cluster runs Python apps only"
ANY_IMAGE = Hint("flashsale up --cluster minikube", "runs any image")


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
        recipe = self.stage(len(self.stages) - 1)
        _refuse_foreign_program(recipe)
        _refuse_missing_program(recipe, self.stages[-1].start.where)
        return recipe

    def stage(self, index: int) -> ImageRecipe:
        """Return what a stage adds up to."""
        if index not in self._done:
            stage = self.stages[index]
            base = find_stage(self.stages[:index], stage.base)
            recipe = _begun(stage) if base is None else self.stage(base).copy()
            triggers = () if base is None else self.stage(base).triggers
            for trigger in triggers:
                own = replace(trigger, variables={**trigger.variables, **recipe.env})
                self._follow(recipe, own, index)
            for instruction in stage.instructions:
                self._follow(recipe, instruction, index)
            self._done[index] = recipe
        return self._done[index]

    def _follow(self, recipe: ImageRecipe, instruction: Instruction, index: int) -> None:
        try:
            self._do(recipe, instruction, index)
        except (NotADirectoryError, IsADirectoryError) as error:
            is_folder = isinstance(error, IsADirectoryError)
            raise instruction.wrong(
                f"{error.filename} is a {'folder' if is_folder else 'file'} by then"
                + ("" if is_folder else f"; to make a folder, COPY takes {error.filename}/"),
            ) from error

    def _do(self, recipe: ImageRecipe, instruction: Instruction, index: int) -> None:
        match instruction.keyword:
            case "COPY" | "ADD":
                origin = instruction.flags()[0].get("from", "")
                stage = self._named(origin, index)
                names = [each.name for each in self.stages[:index]]
                names = [] if stage or foreign_language(origin) or shell_of(origin) else names
                if meant := get_close_matches(origin.lower(), names, 1, 0.8):
                    raise instruction.wrong(f"no stage is named {origin}; did you mean {meant[0]}")
                copy_files.copy(recipe, instruction, self.app, stage)
            case "RUN":
                named = partial(self._named, index=index)
                mounts = copy_files.bind_mounts(recipe, instruction, self.app, named)
                run_commands.follow_run(recipe, instruction, mounts)
            case "ONBUILD":
                keyword, _, text = instruction.text.partition(" ")
                recipe.triggers += (
                    replace(instruction, keyword=keyword.upper(), text=text.strip()),
                )
            case _:
                _configure(recipe, instruction)

    def _named(self, name: str, index: int) -> ImageRecipe | None:
        """Return what an earlier stage of a name adds up to; None if there is none."""
        stage = find_stage(self.stages[:index], name) if name else None
        return None if stage is None else self.stage(stage)


def read_stages(stages: Sequence[Stage], folder: Path) -> ImageRecipe:
    """Follow a Dockerfile's stages over an app folder.

    Raises:
        BadInputError: something cannot be done; file and line are named.
    """
    return DockerfileReader(stages, folder).last()


def refuse_other_languages(stages: Sequence[Stage]) -> None:
    """Raise BadInputError if the image is based on one that is not for Python."""
    start = lineage(stages)[0]
    if other := foreign_language(start.base):
        why = f"{start.base} is an image for {other}, {PYTHON_ONLY}"
        raise start.start.wrong(why, hint=ANY_IMAGE)


def _refuse_foreign_program(recipe: ImageRecipe) -> None:
    """Raise BadInputError if what the image runs is compiled from another language."""
    program = recipe.program()
    for each in recipe.foreign:
        if program == each.path or program.startswith(f"{each.path}/"):
            why = f"the program /{program} is made from {each.language}, {PYTHON_ONLY}"
            raise each.instruction.wrong(why, hint=ANY_IMAGE)


def _refuse_missing_program(recipe: ImageRecipe, where: str) -> None:
    """Raise BadInputError if what the image runs comes with a RUN that is not done here."""
    path = recipe.program()
    name = posixpath.basename(path)
    if not name or recipe.files.get(path) or shutil.which(name):
        return
    for skipped in recipe.skipped:
        if name in skipped.split() and skipped.startswith("RUN"):
            raise BadInputError(
                f"{where}: the image runs {name}, which would come with {skipped};"
                " the embedded cluster does not do that.",
                hint=ANY_IMAGE,
            )


def _begun(stage: Stage) -> ImageRecipe:
    return ImageRecipe(base=stage.base, entrypoint=base_entrypoint(stage.base))


def _configure(recipe: ImageRecipe, instruction: Instruction) -> None:
    match instruction.keyword:
        case "WORKDIR":
            recipe.workdir = posixpath.normpath(posixpath.join(recipe.workdir, instruction.value()))
            recipe.files.make_folder(absolute("/", recipe.workdir))
        case "ENV":
            recipe.env |= instruction.assignments()
        case "ENTRYPOINT":
            recipe.entrypoint = instruction.command(recipe.shell)
            recipe.cmd = recipe.cmd if recipe.cmd_is_own else ()
        case "CMD":
            recipe.cmd, recipe.cmd_is_own = instruction.command(recipe.shell), True
        case "USER":
            recipe.user = instruction.value()
        case "EXPOSE":
            recipe.ports += tuple(_ports(instruction))
        case "VOLUME":
            for path in instruction.words():
                recipe.files.make_folder(absolute(recipe.workdir, path))
        case "STOPSIGNAL" | "SHELL":
            _set_signal_or_shell(recipe, instruction)


def _set_signal_or_shell(recipe: ImageRecipe, instruction: Instruction) -> None:
    if instruction.keyword == "STOPSIGNAL":
        recipe.stop_signal = _signal_number(instruction)
        return
    words = instruction.exec_form()
    if not words:
        raise instruction.wrong("SHELL takes a JSON list of words")
    if shutil.which(words[0]) is None:
        skip(recipe, instruction, f"there is no {words[0]} here: shell form runs in /bin/sh")
        return
    recipe.shell = words


def _signal_number(instruction: Instruction) -> int:
    """Read a signal as Docker does: SIGQUIT, QUIT, 3, RTMIN+3 (github.com/moby/sys/signal)."""
    name = instruction.value().strip().upper().removeprefix("SIG")
    if name.isdecimal() and 0 < int(name) < signal.NSIG:
        return int(name)
    name, sign, offset = name.partition("-" if name.startswith("RTMAX") else "+")
    known_signal = signal.Signals.__members__.get(f"SIG{name}")
    if known_signal is None or bool(sign) != offset.isdecimal():
        raise instruction.wrong(f"Invalid signal: {instruction.text}")
    return known_signal + int(sign + (offset or "0"))


def _ports(instruction: Instruction) -> Iterator[int]:
    for word in instruction.value().split():
        first, _, last = word.partition("/")[0].partition("-")
        if not first.isdecimal() or not (last or first).isdecimal():
            raise instruction.wrong(f"EXPOSE {word} is not a port")
        yield from range(int(first), int(last or first) + 1)
