"""The node's images: app folders on disk, addressed by what is in them.

`flashsale up` builds in its own process while the cluster's process reads, so every change is one
atomic rename: an image folder appears complete or not at all, and a name points to one or another.

    root/blobs/HEX/image.json, root/blobs/HEX/rootfs/...     root/names/QUOTED-NAME
    root/layers/HEX: packages that images install            root/history/QUOTED-REPOSITORY

What reads a Dockerfile is imported by who builds: the cluster's process, which does not, is there a
twelfth sooner.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import signal
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from flashsale.base.errors import BadInputError, FlashsaleError, room_hint
from flashsale.base.files import replace_file
from flashsale.base.image_names import ImageName, InvalidImageNameError, full_name
from flashsale.embedded.kubelet.images.image_files import write_files
from flashsale.embedded.kubelet.images.package_layers import (
    COMPLETE,
    Emit,
    InstallError,
    PackageLayers,
    disk_usage,
)

if TYPE_CHECKING:
    from flashsale.embedded.kubelet.images.build_without_docker.image_recipe import ImageRecipe

KEPT = 2  # images of each app that stay when nothing runs them


@dataclass(frozen=True, slots=True)
class NodeImage:
    """An image that containers can be started from."""

    name: str  # the full one: docker.io/library/flashsale:1.0
    id: str  # sha256:...
    rootfs: Path  # its files; nobody may change them
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = ""  # noted, never applied: pods run as whoever started the cluster
    ports: tuple[int, ...] = ()
    size: int = 0  # bytes
    packages: Path | None = None  # an environment of its own; None for flashsale's
    environments: tuple[str, ...] = ()  # where the image has virtual environments
    stop_signal: int = signal.SIGTERM


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """What a build came to."""

    name: str  # as it was asked for
    id: str
    built: bool  # False: exactly this image was there already
    notes: tuple[str, ...] = ()  # what the Dockerfile asks for and does not get here


class ImageStore:
    """The images in a folder. Any number of processes may use the same one."""

    def __init__(self, root: Path) -> None:
        self._blobs = root / "blobs"
        self._names = root / "names"
        self._history = root / "history"
        self.layers = PackageLayers(root / "layers")

    def build(
        self,
        name: str,
        folder: Path,
        dockerfile: Path,
        build_args: Mapping[str, str] | None = None,
        emit: Emit = lambda line: None,
    ) -> BuiltImage:
        """Make an image of an app folder, or find that it is there.

        Args:
            emit: gets each line of what installs packages.

        Raises:
            BadInputError: the Dockerfile, the folder or the name cannot be used.
            InstallError: packages cannot be installed.
            FlashsaleError: the disk refuses.
        """
        full = _full_name(name)
        try:
            recipe = _recipe(dockerfile, folder, build_args)
            layer, notes = self._packages(recipe, emit)
            identity, built = self._store(recipe, layer, folder)
            self._point(full, identity)
        except OSError as error:
            if error.filename and Path(error.filename).is_relative_to(folder):
                raise BadInputError(
                    f"{error.filename} cannot be read: {error.strerror or error}."
                ) from error
            raise FlashsaleError(
                f"The image {name} cannot be stored in {self._blobs.parent}:"
                f" {error.strerror or error}.",
                hint=room_hint(self._blobs.parent),
            ) from error
        return BuiltImage(name, f"sha256:{identity}", built, (*recipe.notes, *notes))

    def _packages(self, recipe: ImageRecipe, emit: Emit) -> tuple[str, tuple[str, ...]]:
        """Provide what RUN installs; nothing where flashsale's own environment has it all."""
        from flashsale.embedded.kubelet.images.build_without_docker.install_commands import (
            is_available,
            is_satisfied,
        )

        if all(map(is_satisfied, recipe.installs)):
            return "", ()
        try:
            return self.layers.provide(recipe.installs, emit), ()
        except InstallError as error:
            if not error.offline or not all(map(is_available, recipe.installs)):
                raise
            text = "; ".join(install.text for install in recipe.installs)
            return "", (
                f"The package index cannot be reached, so {text} was not run: the image has the"
                " versions of flashsale's own environment.",
            )

    def get(self, reference: str) -> NodeImage | None:
        """Return the image that a name (or a name@sha256:...) stands for; None if it is not here.

        Raises:
            InvalidImageNameError: it cannot name an image.
        """
        full = full_name(reference)
        name, _, digest = full.partition("@sha256:")
        try:
            identity = digest or self._name_file(full).read_text().strip()
            described = json.loads((self._blobs / identity / "image.json").read_text())
            return self._image(name, identity, described)
        except (OSError, ValueError, KeyError):
            return None  # absent, or damaged

    def list(self) -> list[NodeImage]:
        """Return all named images, sorted by name."""
        images = []
        with contextlib.suppress(FileNotFoundError):
            for file in self._names.iterdir():
                if not file.name.startswith("."):
                    images.append(self.get(unquote(file.name)))
        return sorted((image for image in images if image), key=lambda image: image.name)

    def _store(self, recipe: ImageRecipe, layer: str, folder: Path) -> tuple[str, bool]:
        """Copy into a new folder while hashing, so that what is stored is what was hashed."""
        self._blobs.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=".new-", dir=self._blobs))
        try:
            content, size = write_files(recipe.files, new / "rootfs", folder)
            described = _describe(recipe, layer)
            identity = hashlib.sha256(
                json.dumps([described, content], sort_keys=True).encode()
            ).hexdigest()
            (new / "image.json").write_text(json.dumps(described | {"size": size}))
            if (self._blobs / identity).exists():
                return identity, False
            with contextlib.suppress(FileExistsError):
                _rename_new(new, self._blobs / identity)
            return identity, True
        finally:
            shutil.rmtree(new, ignore_errors=True)

    def _point(self, full: str, identity: str) -> None:
        self._names.mkdir(parents=True, exist_ok=True)
        replace_file(self._name_file(full), identity + "\n")
        self._remember(ImageName.parse(full).repository, identity)

    def _remember(self, repository: str, identity: str) -> None:
        """Note the order in which an app's images were made, the newest last."""
        self._history.mkdir(parents=True, exist_ok=True)
        file = self._history / quote(repository, safe="")
        others = [each for each in _identities(file) if each != identity]
        replace_file(file, "\n".join([*others, identity, ""]))

    def collect(self, running: set[str], keep: int = KEPT) -> int:
        """Remove the images that nobody needs; returns the bytes that this freed.

        What stays: the last ``keep`` images of each app, and what runs.

        Args:
            running: identities (64 hex digits) of images that containers run.
        """
        kept, freed = set(running), 0
        with contextlib.suppress(FileNotFoundError):
            for file in self._history.iterdir():
                if not file.name.startswith("."):
                    kept |= set(_identities(file)[-keep:])
        with contextlib.suppress(FileNotFoundError):
            for name in self._names.iterdir():
                if not name.name.startswith(".") and not kept & set(_identities(name)):
                    name.unlink(missing_ok=True)
        layers = set()
        with contextlib.suppress(FileNotFoundError):
            for blob in self._blobs.iterdir():
                if blob.name in kept:
                    layers.add(_layer(blob))
                elif not blob.name.startswith(".new-"):
                    freed += disk_usage(blob)
                    shutil.rmtree(blob, ignore_errors=True)
        return freed + self.layers.collect(layers)

    def _image(self, name: str, identity: str, described: dict[str, Any]) -> NodeImage | None:
        layer = described.get("packages")
        if layer and not (self.layers.path(layer) / COMPLETE).exists():
            return None
        return NodeImage(
            name,
            f"sha256:{identity}",
            self._blobs / identity / "rootfs",
            tuple(described["entrypoint"]),
            tuple(described["cmd"]),
            described["env"],
            described["workdir"],
            described["user"],
            tuple(described["ports"]),
            described.get("size", 0),
            self.layers.path(layer) if layer else None,
            tuple(described.get("environments") or ()),
            described.get("stopSignal") or signal.SIGTERM,
        )

    def _name_file(self, full: str) -> Path:
        return self._names / quote(full, safe="")


def _rename_new(new: Path, final: Path) -> None:
    """Rename a folder; if another process was faster, its equal result stays."""
    try:
        new.rename(final)
    except OSError as error:
        if final.exists():
            raise FileExistsError from error
        raise


def _full_name(name: str) -> str:
    try:
        return full_name(name)
    except InvalidImageNameError as error:
        raise BadInputError(
            f"{name!r} cannot name an image: {error}.", hint="flashsale up --image flashsale:1.0"
        ) from error


def _recipe(dockerfile: Path, folder: Path, build_args: Mapping[str, str] | None) -> ImageRecipe:
    from flashsale.base.dockerfile.stages import parse_stages
    from flashsale.embedded.kubelet.images.build_without_docker import dockerfile_reader

    try:
        stages = parse_stages(_read(dockerfile), str(dockerfile), build_args)
        return dockerfile_reader.read_stages(stages, folder)
    except RecursionError as error:
        raise BadInputError(f"{dockerfile} is nested too deeply to be read.") from error


def _read(dockerfile: Path) -> str:
    try:
        return dockerfile.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not a text file"
        raise BadInputError(f"{dockerfile} cannot be read: {why}.") from error


def _describe(recipe: ImageRecipe, layer: str) -> dict[str, Any]:
    return {
        "packages": layer,
        "environments": sorted(set(recipe.environments)),
        "entrypoint": list(recipe.entrypoint),
        "cmd": list(recipe.cmd),
        "env": recipe.env,
        "workdir": recipe.workdir,
        "user": recipe.user,
        "ports": sorted(set(recipe.ports)),
        # Only where there is one, so that images of earlier versions keep their identity.
        **({"stopSignal": recipe.stop_signal} if recipe.stop_signal else {}),
    }


def _identities(file: Path) -> list[str]:
    """Read the images that a file names; none if it is not there, or was spoiled."""
    with contextlib.suppress(OSError, ValueError):
        return file.read_text().split()
    return []


def _layer(blob: Path) -> str:
    """Return which packages an image has; empty for none, or if that cannot be read."""
    with contextlib.suppress(OSError, ValueError):
        return str(json.loads((blob / "image.json").read_text()).get("packages") or "")
    return ""
