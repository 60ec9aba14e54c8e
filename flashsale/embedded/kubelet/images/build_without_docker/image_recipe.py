"""What an image consists of, as far as its Dockerfile was followed: files, packages, a command."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field, replace

from flashsale.base.dockerfile.instructions import SHELL, Instruction
from flashsale.embedded.kubelet.images.build_without_docker.base_images import HERE, newer_python
from flashsale.embedded.kubelet.images.build_without_docker.install_commands import Install
from flashsale.embedded.kubelet.images.image_files import ImageFiles, absolute

# Where installed packages lie: taken from another stage, they are its installs.
_PACKAGES = ("usr/local", "usr/lib/python3", "root/.local", "opt/venv", "venv")


@dataclass(frozen=True, slots=True)
class ForeignFile:
    """What COPY takes from a stage for another language, where it is not there."""

    path: str  # where it would lie, without the leading slash
    language: str
    instruction: Instruction


@dataclass(slots=True)
class ImageRecipe:
    """What the instructions of a stage add up to."""

    files: ImageFiles = field(default_factory=ImageFiles)
    env: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    cmd_is_own: bool = False  # it was set in this stage, so that ENTRYPOINT leaves it
    shell: tuple[str, ...] = SHELL  # of shell form
    user: str = ""
    stop_signal: int = 0  # 0: none is named, which means SIGTERM
    ports: tuple[int, ...] = ()
    installs: tuple[Install, ...] = ()  # what RUN installs with pip and the like, in order
    package_folders: tuple[str, ...] = ()  # where pip was told to put packages, without the slash
    environments: tuple[str, ...] = ()  # virtual environments that RUN makes: paths of the image
    foreign: tuple[ForeignFile, ...] = ()  # what a compiler of another language would have made
    skipped: tuple[str, ...] = ()  # what is not done here, for one note
    has_unknown_files: bool = False  # some of what is not done might make others than base images
    triggers: tuple[Instruction, ...] = ()  # ONBUILD: for a stage that is based on this one
    base: str = ""

    def copy(self) -> ImageRecipe:
        """Return what a stage that is based on this one begins with."""
        files, env = self.files.snapshot(), dict(self.env)
        return replace(self, files=files, env=env, triggers=(), cmd_is_own=False)

    def take_packages(self, stage: ImageRecipe, path: str, place: str) -> bool:
        """Take over what an earlier stage installed, if that lies where COPY takes files from.

        Args:
            path: what is copied, a path of the stage without the leading slash.
            place: where that comes to lie.
        """
        own = [each for each in stage.environments if _touch(each.strip("/"), path)]
        self.environments += tuple("/" + _moved(each.strip("/"), path, place) for each in own)
        in_packages = any(path.startswith(each) or inside(each, path) for each in _PACKAGES)
        in_packages |= any(_touch(each, path) for each in stage.package_folders)
        in_packages |= "/.local/" in f"/{path}/"  # of `pip install --user`, whoever the user is
        if in_packages or own:
            self.installs += tuple(
                install for install in stage.installs if install not in self.installs
            )
        return in_packages or bool(own)

    def program(self) -> str:
        """Return the path of what is run, without the leading slash; empty where none is named."""
        words = [*self.entrypoint, *self.cmd]
        if tuple(words[: len(self.shell)]) == self.shell:
            words = " ".join(words[len(self.shell) :]).split()
            words = words[1:] if words[:1] == ["exec"] else words
        return absolute(self.workdir, words[0]) if words else ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the Dockerfile asks for and does not get here, each in one line."""
        lines = []
        if newer := newer_python(self.base):
            lines.append(f"Pods run this machine's Python {HERE}, not the {newer} of {self.base}.")
        if self.skipped:
            what = "; ".join(self.skipped)
            lines.append(
                f"Not done on the embedded cluster: {what}."
                " What these would add is missing in the image."
            )
        return tuple(lines)


def inside(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies in it."""
    return not folder or path == folder or path.startswith(f"{folder}/")


def _touch(first: str, other: str) -> bool:
    return inside(first, other) or inside(other, first)


def _moved(path: str, source: str, place: str) -> str:
    """Return where a path comes to lie when what it is in is copied; else it stays."""
    if not inside(path, source):
        return path
    return posixpath.join(place, path[len(source) :].lstrip("/")).rstrip("/")


def skip(recipe: ImageRecipe, instruction: Instruction, why: str = "") -> None:
    """Remember an instruction, or a part of one, that is not followed."""
    words = " ".join(f"{instruction.keyword} {instruction.text}".split())
    because = f", because {why}" if why else ""
    recipe.skipped += (f"{shorten(words)} (line {instruction.line}){because}",)
    recipe.has_unknown_files = True


def shorten(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."
