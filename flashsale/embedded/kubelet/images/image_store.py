"""The node's images: app folders on disk, addressed by what is in them.

`flashsale up` builds in its own process while the cluster's process reads, so every change is one
atomic rename: an image folder appears complete or not at all, and a name points to one or another.

    root/blobs/HEX/image.json, root/blobs/HEX/rootfs/...     root/names/QUOTED-NAME
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from flashsale.base.errors import BadInputError, FlashsaleError
from flashsale.base.files import replace_file
from flashsale.embedded.kubelet.images import dockerfile as dockerfiles
from flashsale.embedded.kubelet.images import image_recipe as recipes
from flashsale.embedded.kubelet.images.image_recipe import ImageRecipe
from flashsale.embedded.kubelet.images.image_reference import InvalidReferenceError, normalise

MAX_BYTES = 100 * 1024 * 1024
MAX_FILES = 10_000


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

    def build(
        self,
        name: str,
        folder: Path,
        dockerfile: Path,
        build_args: Mapping[str, str] | None = None,
    ) -> BuiltImage:
        """Make an image of an app folder, or find that it is there.

        Raises:
            BadInputError: the Dockerfile, the folder or the name cannot be used.
            FlashsaleError: the disk refuses.
        """
        full = _full_name(name)
        instructions = dockerfiles.parse(_read(dockerfile), str(dockerfile), build_args)
        try:
            recipe = recipes.write(instructions, folder)
        except OSError as error:
            raise BadInputError(
                f"{error.filename or folder} cannot be read: {error.strerror or error}."
            ) from error
        try:
            identity, built = self._store(recipe, folder)
            self._point(full, identity)
        except OSError as error:
            raise FlashsaleError(
                f"The image {name} cannot be stored in {self._blobs.parent}:"
                f" {error.strerror or error}.",
                hint=f"free some disk space: df -h {self._blobs.parent}",
            ) from error
        return BuiltImage(name, f"sha256:{identity}", built, recipe.notes)

    def get(self, reference: str) -> NodeImage | None:
        """Return the image that a name (or a name@sha256:...) stands for; None if it is not here.

        Raises:
            InvalidReferenceError: it cannot name an image.
        """
        full = normalise(reference)
        name, _, digest = full.partition("@sha256:")
        try:
            identity = digest or self._name_file(full).read_text().strip()
            described = json.loads((self._blobs / identity / "image.json").read_text())
            return _image(name, identity, self._blobs / identity / "rootfs", described)
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

    def _store(self, recipe: ImageRecipe, folder: Path) -> tuple[str, bool]:
        """Copy into a new folder while hashing, so that what is stored is what was hashed."""
        self._blobs.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=".new-", dir=self._blobs))
        try:
            content, size = _copy_files(recipe, new / "rootfs", folder)
            described = _describe(recipe)
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
        return normalise(name)
    except InvalidReferenceError as error:
        raise BadInputError(
            f"{name!r} cannot name an image: {error}.", hint="use a name like flashsale:1.0"
        ) from error


def _read(dockerfile: Path) -> str:
    try:
        return dockerfile.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not a text file"
        raise BadInputError(f"{dockerfile} cannot be read: {why}.") from error


def _copy_files(recipe: ImageRecipe, rootfs: Path, folder: Path) -> tuple[dict[str, str], int]:
    """Copy the files; returns a hash and mode for each, and the size of all in bytes."""
    if len(recipe.files) > MAX_FILES:
        raise _too_big(folder, f"{len(recipe.files)} files, more than {MAX_FILES}")
    content, size = {}, 0
    for place in sorted(recipe.folders):
        (rootfs / place).mkdir(parents=True, exist_ok=True)
        content[place + "/"] = ""
    for place, source in sorted(recipe.files.items()):
        digest, length, mode = hashlib.sha256(), 0, _mode(source)
        (rootfs / place).parent.mkdir(parents=True, exist_ok=True)
        with (rootfs / place).open("wb") as target:
            for block in _blocks(source):
                size, length = size + len(block), length + len(block)
                if size > MAX_BYTES:
                    raise _too_big(folder, f"more than {MAX_BYTES // 1024 // 1024} MiB")
                digest.update(block)
                target.write(block)
        (rootfs / place).chmod(mode)
        content[place] = f"{mode:o} {length} {digest.hexdigest()}"
    return content, size


def _blocks(source: Path) -> Iterator[bytes]:
    try:
        with source.open("rb") as file:
            while block := file.read(1 << 20):
                yield block
    except OSError as error:
        raise BadInputError(f"{source} cannot be read: {error.strerror}.") from error


def _mode(source: Path) -> int:
    return 0o755 if source.stat().st_mode & 0o100 else 0o644


def _too_big(folder: Path, what: str) -> BadInputError:
    return BadInputError(
        f"The app folder {folder} holds {what}.",
        hint=f"list what does not belong into the image in {folder / '.dockerignore'}",
    )


def _describe(recipe: ImageRecipe) -> dict[str, Any]:
    return {
        "entrypoint": list(recipe.entrypoint),
        "cmd": list(recipe.cmd),
        "env": recipe.env,
        "workdir": recipe.workdir,
        "user": recipe.user,
        "ports": sorted(set(recipe.ports)),
    }


def _image(name: str, identity: str, rootfs: Path, described: dict[str, Any]) -> NodeImage:
    return NodeImage(
        name,
        f"sha256:{identity}",
        rootfs,
        tuple(described["entrypoint"]),
        tuple(described["cmd"]),
        described["env"],
        described["workdir"],
        described["user"],
        tuple(described["ports"]),
        described.get("size", 0),
    )
