"""A container's own root folder: the image's files over those of this machine.

Programs and libraries are this machine's, for an image has none of its own here: its base image is
never fetched. So the machine's folders are bound in, and the image's are laid over them. A folder
that both have is merged entry by entry where it belongs to the system; elsewhere the image's takes
its place, except for what leads to this Python and to the container's own folder.

This takes a user and a mount namespace. Linux allows them to ordinary users, but some distributions
(Ubuntu since 23.10) and most containers do not; then paths are translated where they are seen.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SYSTEM = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc", "var", "run", "sys")
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1",
         "stderr": "/proc/self/fd/2", "ptmx": "pts/ptmx"}  # fmt: skip
Step = tuple[str, str, str]  # folder | link | bind | file | over, place, source


@dataclass(frozen=True, slots=True)
class ContainerRoot:
    """How to put a root together; ``over`` is bound last, over places that are there by then."""

    folder: Path  # where it is put together, in a namespace that only the container sees
    rootfs: Path
    hostname: str
    needed: Sequence[Path]  # folders of this machine that have to stay where they are
    over: Mapping[str, Path] = field(default_factory=dict)  # place -> source

    def request(self) -> dict[str, Any]:
        """Return what the shim is told."""
        over = [("over", place, str(source)) for place, source in self.over.items()]
        steps = [*self._merge("", Path("/"), self.rootfs), *_devices(self.rootfs), *over]
        return {"folder": str(self.folder), "hostname": self.hostname, "steps": steps}

    def _merge(self, place: str, machine: Path, image: Path) -> Iterator[Step]:
        """Lay a folder of the image over one of this machine's, entry by entry."""
        if place:
            yield "folder", place, ""
        own = set(_names(image))
        for name in sorted(own.union(_names(machine))):
            inside, ours, theirs = f"{place}/{name}", machine / name, image / name
            if inside == "/dev":
                continue
            if name not in own:
                if not place or self._is_kept(inside, ours):
                    yield _as_it_is(inside, ours)
            elif _is_folder(theirs) and ours.is_dir() and self._is_kept(inside, ours):
                yield from self._merge(inside, ours, theirs)
            else:
                yield _as_it_is(inside, theirs)

    def _is_kept(self, place: str, machine: Path) -> bool:
        """Whether what this machine has at a place has to be seen beside what the image has."""
        if place.split("/")[1] in SYSTEM:
            return True
        return any(path.is_relative_to(machine) for path in self.needed)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _names(folder: Path) -> Iterable[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return ()


def _as_it_is(place: str, source: Path) -> Step:
    if source.is_symlink():
        return "link", place, os.readlink(source)
    return ("bind" if source.is_dir() else "file"), place, str(source)


def _devices(rootfs: Path) -> Iterator[Step]:
    yield "folder", "/dev", ""
    for name in DEVICES:
        if os.path.exists(f"/dev/{name}"):
            yield "file", f"/dev/{name}", f"/dev/{name}"
    for name in ("shm", "pts"):
        if os.path.isdir(f"/dev/{name}"):
            yield "bind", f"/dev/{name}", f"/dev/{name}"
    for name, target in LINKS.items():
        yield "link", f"/dev/{name}", target
    for name in _names(rootfs / "dev"):
        yield _as_it_is(f"/dev/{name}", rootfs / "dev" / name)


@functools.cache
def is_possible() -> bool:
    """Whether this machine lets us give a container a root of its own; tried once."""
    if sys.platform != "linux" or os.environ.get("FLASHSALE_CONTAINER_ROOT") == "0":
        return False
    script = (
        "import runpy, sys; shim = runpy.run_path(sys.argv[1]);"
        " shim['enter_root']({'folder': sys.argv[2], 'hostname': 'x', 'steps':"
        " [('bind', '/proc', '/proc'), ('bind', '/usr', '/usr')]})"
    )
    shim = Path(__file__).with_name("shim.py")
    with tempfile.TemporaryDirectory(prefix="flashsale-root-") as folder:
        tried = subprocess.run(
            [sys.executable, "-I", "-S", "-c", script, str(shim), folder],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False,
        )  # fmt: skip
    return tried.returncode == 0
