"""What goes into an image: a folder and a Dockerfile as a deterministic archive, and its digest."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flashsale.base.dockerfile.dockerignore import Ignore
from flashsale.base.errors import BadInputError, Hint

DOCKERFILE = "Dockerfile"
# Our own archive of the user's own folder needs no filter. Debian 12's Python 3.11.2 has none yet.
UNFILTERED: dict[str, Any] = (
    {"filter": "fully_trusted"} if hasattr(tarfile, "fully_trusted_filter") else {}
)
LIMIT = 256 * 2**20  # bytes; the archive is made in memory, and a larger one is a mistake


@dataclass(frozen=True, slots=True)
class BuildContextEntry:
    """One file, folder or symbolic link of the context."""

    mode: int  # permission bits, reduced to what Docker's cache compares
    content: bytes = b""
    link: str = ""
    folder: bool = False


@dataclass(frozen=True, slots=True)
class BuildContext:
    """All that a build sees: entries by their path, the Dockerfile under its usual name."""

    entries: Mapping[str, BuildContextEntry]
    dockerfile: str = field(default="")

    def digest(self, build_args: Mapping[str, str]) -> str:
        """Name the content: the same app gives the same 64 hex digits on every machine."""
        named = "".join(f"{key}={value}\0" for key, value in sorted(build_args.items()))
        return hashlib.sha256(self.archive() + named.encode()).hexdigest()

    def archive(self, dockerfile: str | None = None, **extra: bytes) -> bytes:
        """Write a tar archive that depends on names and content only, not on time or owner.

        Args:
            dockerfile: what to build from instead of the app's own.
            extra: more files at the top, by name.
        """
        text = self.dockerfile if dockerfile is None else dockerfile
        added = {DOCKERFILE: text.encode(), **extra}
        files = {name: BuildContextEntry(0o644, content) for name, content in added.items()}
        target = io.BytesIO()
        with tarfile.open(mode="w", fileobj=target, format=tarfile.PAX_FORMAT) as tar:
            for path, entry in sorted({**self.entries, **files}.items()):
                tar.addfile(_header(path, entry), io.BytesIO(entry.content))
        return target.getvalue()

    def unpack(self, folder: Path, dockerfile: str, **extra: bytes) -> None:
        """Lay the context out in a folder, for a builder that takes nothing else."""
        with tarfile.open(fileobj=io.BytesIO(self.archive(dockerfile, **extra))) as tar:
            tar.extractall(folder, **UNFILTERED)


def read_build_context(folder: Path, dockerfile: Path) -> BuildContext:
    """Read an app's folder, less what is ignored; BadInputError if that is not possible."""
    try:
        text = dockerfile.read_text()
        entries = dict(_entries(folder, Ignore.of(folder)))
    except UnicodeDecodeError as error:
        raise BadInputError(f"{dockerfile} is not a text file.") from error
    except OSError as error:
        raise BadInputError(f"Cannot read {error.filename}: {error.strerror}.") from error
    entries.pop(_inside(dockerfile, folder), None)
    return BuildContext(entries=entries, dockerfile=text)


def _header(path: str, entry: BuildContextEntry) -> tarfile.TarInfo:
    info = tarfile.TarInfo(path)  # time 0, owner 0: nothing of this machine
    info.mode, info.size, info.linkname = entry.mode, len(entry.content), entry.link
    if entry.folder:
        info.type = tarfile.DIRTYPE
    elif entry.link:
        info.type = tarfile.SYMTYPE
    return info


def _entries(folder: Path, ignore: Ignore) -> Iterator[tuple[str, BuildContextEntry]]:
    total = 0
    for name in ignore.walk(folder):
        path = folder / name
        kind = path.lstat().st_mode
        if stat.S_ISLNK(kind):
            yield name, BuildContextEntry(mode=0o777, link=os.readlink(path))
        elif stat.S_ISDIR(kind):
            yield name, BuildContextEntry(mode=0o755, folder=True)
        elif stat.S_ISREG(kind):
            total += path.stat().st_size
            if total > LIMIT:
                raise BadInputError(
                    f"{folder} holds more than {LIMIT // 2**20} MB: too much for an app.",
                    hint=Hint(
                        words=f"list what does not belong in it in {folder / '.dockerignore'}"
                    ),
                )
            mode = 0o755 if kind & 0o100 else 0o644
            yield name, BuildContextEntry(mode=mode, content=path.read_bytes())


def _inside(path: Path, folder: Path) -> str:
    """Return a path relative to a folder, or an empty string if it lies elsewhere."""
    resolved, top = path.resolve(), folder.resolve()
    return resolved.relative_to(top).as_posix() if resolved.is_relative_to(top) else ""
