"""Building an image once for each content: its digest is a label, so nothing is built twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flashsale.base.errors import FlashsaleError, Hint
from flashsale.base.image_names import RemovedImages
from flashsale.base.text import continue_sentence
from flashsale.docker import build_context as contexts
from flashsale.docker.build_context import BuildContext
from flashsale.docker.build_network import Passed, Surroundings, passed
from flashsale.docker.buildkit import CA_FILE, extended, refuse_buildkit
from flashsale.docker.engine import Emit, Engine

LABEL = "flashsale.digest"
HOME_LABEL = "flashsale.home"  # whose `down --purge` removes it

# Colours and cursor movements of the tools in a build; a terminal must not obey them.
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")

# What a build's output says about a network that wants something: only ever a hint.
SYMPTOMS = (
    (
        ("CERTIFICATE_VERIFY_FAILED", "certificate verify failed", "SSLError"),
        Hint(
            "export PIP_CERT=FILE",
            "its CA certificate, if your network re-signs TLS; then try again",
        ),
    ),
    (
        ("name resolution", "Could not find a version", "ProxyError", "Connection refused"),
        Hint(
            "flashsale up --build-arg HTTPS_PROXY=URL --build-arg PIP_INDEX_URL=URL",
            "if your network needs a proxy, or has a package index of its own",
        ),
    ),
    (
        ("pull access denied", "manifest unknown", "toomanyrequests", "registry-1.docker.io"),
        Hint(
            "docker login",
            "raises the pull limit; `docker pull` of the base image says what is wrong",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class BuildRecipe:
    """What to build and how: an app, the image's name, and the build arguments that were typed."""

    context: BuildContext
    name: str
    build_args: Mapping[str, str] = field(default_factory=dict)
    around: Surroundings = field(default_factory=Surroundings)
    rebuild: bool = False
    pushing: bool = False  # the image leaves this machine
    home: str = ""  # names the state folder that it is built for

    @classmethod
    def of(cls, folder: Path, dockerfile: Path, name: str, **options: Any) -> BuildRecipe:
        """Read an app from disk; BadInputError if it cannot be read."""
        return cls(contexts.read_build_context(folder, dockerfile), name, **options)

    @property
    def labels(self) -> dict[str, str]:
        """What the image is found by."""
        return {LABEL: self.digest, **({HOME_LABEL: self.home} if self.home else {})}

    @property
    def digest(self) -> str:
        """What names the content: files, Dockerfile and typed build arguments."""
        return self.context.digest(self.build_args)

    def passed(self) -> Passed:
        """Say what of this machine's network reaches the build."""
        return passed(self.around, self.build_args, pushing=self.pushing)

    def files(self, passed: Passed) -> tuple[str, dict[str, bytes]]:
        """Give the Dockerfile to build from, and the files that it needs besides the app's."""
        text = extended(self.context.dockerfile, passed.arguments, ca=bool(passed.ca))
        return text, {CA_FILE: passed.ca} if passed.ca else {}


@dataclass(frozen=True, slots=True)
class Made:
    """An image that the engine has now."""

    id: str
    built: bool
    others: tuple[str, ...] = ()  # what else a node may call it: digests, other nodes' ids


async def remove_images(engine: Engine, home: str) -> RemovedImages:
    """Remove what was built for one state folder, by its label; EngineError if it is not there."""

    def remove(_: Emit) -> RemovedImages:
        count, size = engine.remove_labelled(f"{HOME_LABEL}={home}")
        return RemovedImages(count, size, engine.count_labelled(LABEL))

    return await engine.work(remove, lambda line: None)


class BuildError(FlashsaleError):
    """The app's Dockerfile could not be built; the whole output is in the details."""


async def make(engine: Engine, recipe: BuildRecipe, emit: Emit, note: Emit) -> Made:
    """Build the image unless the engine has it with the same content already.

    Args:
        emit: gets each line of the build's output.
        note: gets what the user should know and keep.

    Raises:
        BuildError: the build failed.
        BadInputError: the Dockerfile needs BuildKit.
    """
    present = await engine.work(lambda _: engine.find(recipe.name), emit)
    digest = recipe.digest
    if present and present.labels.get(LABEL) == digest and not recipe.rebuild:
        return Made(present.id, built=False, others=present.digests)
    refuse_buildkit(recipe.context.dockerfile)
    network = recipe.passed()
    for line in network.notes:
        note(line)
    dockerfile, extra = recipe.files(network)
    archive = recipe.context.archive(dockerfile, **extra)

    def build(emit: Emit) -> Made:
        messages = engine.build(archive, recipe.name, network.arguments, recipe.labels)
        follow_build(messages, emit)
        image = engine.find(recipe.name)
        if image is None:
            raise BuildError(f"Docker reported success, but {recipe.name} is not there.")
        return Made(image.id, built=True, others=image.digests)

    return await engine.work(build, emit)


def follow_build(messages: Iterable[Mapping[str, Any]], emit: Emit) -> None:
    """Pass a build's messages on line by line; BuildError, with all output, if one is an error."""
    lines: list[str] = []
    for message in messages:
        if "error" in message:
            raise step_failed_error(str(message["error"]), lines)
        for line in _text(message).splitlines():
            if plain := CONTROL.sub("", line).rstrip():
                lines.append(plain)
                emit(plain)


def step_failed_error(error: str, lines: list[str]) -> BuildError:
    """Say which step failed, with all of the output and a hint where the output suggests one."""
    steps = [line for line in lines if line.startswith("Step ")]
    where = f" at {continue_sentence(steps[-1])}" if steps else ""
    output = "\n".join([*lines, error])
    hints = (hint for words, hint in SYMPTOMS if any(word in output for word in words))
    return BuildError(
        f"The image could not be built{where}.",
        hint=next(hints, Hint("flashsale up", "after you mended the Dockerfile or the app")),
        details=output,
    )


def _text(message: Mapping[str, Any]) -> str:
    """Read one message: output, or the state of a layer that is being pulled."""
    if "stream" in message:
        return str(message["stream"])
    if message.get("progressDetail"):
        return ""  # many a second
    layer = f"{message['id']}: " if message.get("id") else ""
    return f"{layer}{message['status']}" if message.get("status") else ""
