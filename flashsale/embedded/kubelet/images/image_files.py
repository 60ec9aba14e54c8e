"""The files of an image while it is made: paths, and where the content of each comes from."""

from __future__ import annotations

import errno
import hashlib
import os
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flashsale.base.dockerfile.dockerignore import compile_pattern
from flashsale.base.errors import BadInputError, Hint

MAX_FILES = 10_000
MAX_BYTES = 100 * 1024 * 1024  # of an image's own files
MOST_LINKS = 40  # in a row, as for Linux
FOLDER_MODE, FILE_MODE, PROGRAM_MODE = 0o755, 0o644, 0o755


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A file, a folder or a symbolic link."""

    source: Path | bytes | None = None  # None: a folder, or a link
    mode: int = FILE_MODE
    link: str = ""
    stands_for: Any = None  # an Install: wheels, or a list of requirements, that RUN would make

    @property
    def is_folder(self) -> bool:
        """Whether other files may lie in it."""
        return self.source is None and not self.link

    def read(self) -> bytes:
        return self.source.read_bytes() if isinstance(self.source, Path) else self.source or b""


@dataclass(slots=True)
class ImageFiles:
    """A tree, by path without the leading slash; folders that lead to a file are in it, too."""

    entries: dict[str, ImageFile] = field(default_factory=dict)

    def get(self, path: str) -> ImageFile | None:
        return ImageFile(mode=FOLDER_MODE) if path == "" else self.entries.get(path)

    def follow(self, path: str) -> ImageFile | None:
        """Return what lies at a path, at the end of its links."""
        entry = self.get(self.real(path))
        return None if entry and entry.link else entry

    def real(self, path: str) -> str:
        """Return where a path leads, at the end of its links."""
        done, rest, links = "", path.split("/"), 0
        while rest:
            step = posixpath.join(done, rest.pop(0))
            entry = self.entries.get(step)
            if entry and entry.link and links < MOST_LINKS:
                done, rest = "", [*absolute(f"/{done}", entry.link).split("/"), *rest]
                links += 1
            else:
                done = step
        return done

    def in_real_folder(self, path: str) -> str:
        """Return a path whose folders are no links."""
        folder, _, name = path.rpartition("/")
        return posixpath.join(self.real(folder), name) if folder else path

    def is_folder(self, path: str) -> bool:
        entry = self.get(path)
        return entry is not None and entry.is_folder

    def put(self, path: str, entry: ImageFile) -> None:
        """Write a file; a folder that is there already keeps what it holds.

        Raises:
            OSError: there is a folder where a file should lie, or a file where a folder should.
        """
        self.make_folder(posixpath.dirname(path))
        if path and not (entry.is_folder and self.is_folder(path)):
            old = self.get(path)
            if old and not old.link and old.is_folder != entry.is_folder:
                code = errno.EISDIR if old.is_folder else errno.ENOTDIR
                raise OSError(code, os.strerror(code), f"/{path}")
            self.entries[path] = entry

    def make_folder(self, path: str) -> None:
        """Make a folder and those above it; a link to one is one.

        Raises:
            OSError: there is a file.
        """
        if path and not self.is_folder(self.real(path)):
            if path in self.entries:
                raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), f"/{path}")
            self.make_folder(posixpath.dirname(path))
            self.entries[path] = ImageFile(mode=FOLDER_MODE)

    def below(self, path: str) -> Iterator[tuple[str, ImageFile]]:
        """Yield what lies in a folder, at any depth, with paths relative to it."""
        prefix = f"{path}/" if path else ""
        for name, entry in sorted(self.entries.items()):
            if name.startswith(prefix):
                yield name[len(prefix) :], entry

    def copy(self, source: str, target: str) -> None:
        """Copy a file, or a folder with all that it holds, to a path of its own."""
        entry = self.get(source)
        if entry is None:
            raise FileNotFoundError(source)
        held = list(self.below(source)) if entry.is_folder else []
        self.put(target, entry)
        for name, held_entry in held:
            self.put(posixpath.join(target, name), held_entry)

    def remove(self, path: str) -> None:
        """Remove a file, or a folder with all that it holds."""
        for name, _ in list(self.below(path)):
            del self.entries[posixpath.join(path, name)]
        self.entries.pop(path, None)

    def change_mode(self, path: str, mode: str, *, recursive: bool) -> None:
        """Do what chmod does with a path, for the modes that `new_mode` knows."""
        names = [path, *(posixpath.join(path, name) for name, _ in self.below(path) if recursive)]
        for name in names:
            if entry := self.entries.get(name):
                self.entries[name] = replace(entry, mode=new_mode(entry.mode, mode))

    def matching(self, pattern: str) -> list[str]:
        """Return the paths that a pattern matches, sorted; one without wildcards is itself."""
        if not any(char in pattern for char in "*?["):
            return [pattern] if self.get(pattern) is not None else []
        compiled = compile_pattern(pattern)
        return [name for name in sorted(self.entries) if compiled.fullmatch(name)]

    def snapshot(self) -> ImageFiles:
        return ImageFiles(dict(self.entries))

    def lay_out(self, root: Path) -> None:
        for name, entry in sorted(self.entries.items()):
            place = root / name
            if entry.is_folder:
                place.mkdir(exist_ok=True)
            elif entry.link:
                place.symlink_to(entry.link)
            else:
                place.write_bytes(entry.read())
                place.chmod(entry.mode)


def absolute(workdir: str, path: str) -> str:
    """Return a path of the image as a key of the tree: whole, without the leading slash."""
    return posixpath.normpath(posixpath.join("/", workdir, path)).lstrip("/")


def new_mode(old: int, change: str) -> int:
    """Return permissions after chmod's `755`, `+x`, `u+x,go-w`, `a=r` or `g=u`.

    Raises:
        ValueError: it is none of these.
    """
    if change.isdecimal():
        return int(change, 8) & 0o777
    for part in change.split(","):
        sign = next((char for char in part if char in "+-="), "")
        who, _, what = part.partition(sign) if sign else ("", "", "?")
        if len(what) == 1 and what in "ugo":  # as another has it
            held = old >> {"u": 6, "g": 3, "o": 0}[what]
            what = "".join(char for char, bit in zip("rwx", (4, 2, 1), strict=True) if held & bit)
        if not set(who) <= set("ugoa") or not set(what) <= set("rwxXst"):
            raise ValueError(change)
        bits = sum({"r": 4, "w": 2, "x": 1, "X": 1}.get(char, 0) for char in set(what))
        places = {"u": 6, "g": 3, "o": 0}
        chosen = places if not who or "a" in who else {key: places[key] for key in set(who)}
        mask = sum(bits << shift for shift in chosen.values())
        if sign == "=":
            old &= ~sum(7 << shift for shift in chosen.values())
        old = old & ~mask if sign == "-" else old | mask
    return old


def write_files(files: ImageFiles, rootfs: Path, folder: Path) -> tuple[dict[str, str], int]:
    """Write the files; returns kind, mode and hash of each, and the size of all in bytes."""
    if len(files.entries) > MAX_FILES:
        raise _too_big(folder, f"{len(files.entries)} files, more than {MAX_FILES}")
    rootfs.mkdir(parents=True)
    content, size = {}, 0
    for place, entry in sorted(files.entries.items()):
        if entry.is_folder:
            (rootfs / place).mkdir(exist_ok=True)
            content[place + "/"] = ""
            continue
        if entry.link:
            (rootfs / place).symlink_to(entry.link)
            content[place] = f"-> {entry.link}"
            continue
        digest, length = hashlib.sha256(), 0
        with (rootfs / place).open("wb") as target:
            for block in _blocks(entry):
                size, length = size + len(block), length + len(block)
                if size > MAX_BYTES:
                    raise _too_big(folder, f"more than {MAX_BYTES // 1024 // 1024} MiB")
                digest.update(block)
                target.write(block)
        (rootfs / place).chmod(entry.mode | 0o600)
        content[place] = f"{entry.mode:o} {length} {digest.hexdigest()}"
    return content, size


def _blocks(entry: ImageFile) -> Iterator[bytes]:
    if not isinstance(entry.source, Path):
        yield entry.read()
        return
    try:
        with entry.source.open("rb") as file:
            while block := file.read(1 << 20):
                yield block
    except OSError as error:
        raise BadInputError(f"{entry.source} cannot be read: {error.strerror}.") from error


def _too_big(folder: Path, what: str) -> BadInputError:
    return BadInputError(
        f"The app folder {folder} holds {what}.",
        hint=Hint(words=f"list what does not belong in the image in {folder / '.dockerignore'}"),
    )
