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
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

SYSTEM = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc", "var", "run", "sys")
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1",
         "stderr": "/proc/self/fd/2", "ptmx": "pts/ptmx"}  # fmt: skip
OWN_PROC = ("proc", "/proc", "")
RootStep = tuple[str, str, str]  # folder | link | bind | file | over | proc, place, source


@dataclass(frozen=True, slots=True)
class ContainerRoot:
    """How to put a root together; ``over`` is bound last, over places that are there by then."""

    folder: Path  # where it is put together, in a namespace that only the container sees
    rootfs: Path
    hostname: str
    needed: Sequence[Path]  # folders of this machine that have to stay where they are
    over: Mapping[str, Path] = field(default_factory=dict)  # place -> source

    def request(self) -> dict[str, Any]:
        over = [("over", place, str(source)) for place, source in self.over.items()]
        kept = {str(folder) for path in self.needed for folder in (path, *path.parents)}
        steps = [*_merge("", "", str(self.rootfs), kept), *_devices(self.rootfs), *over]
        own_pids = possible_namespaces() == "all"
        if own_pids:
            steps = [OWN_PROC if place == "/proc" else (what, place, source)
                     for what, place, source in steps]  # fmt: skip
        named = {"folder": str(self.folder), "hostname": self.hostname}
        return {**named, "steps": steps, "own_pids": own_pids}


def _merge(place: str, machine: str, image: str, kept: Set[str]) -> Iterator[RootStep]:
    """Lay a folder of the image over one of this machine's, entry by entry.

    What this machine has is seen beside what the image has where it belongs to the system, and
    where it is ``kept``. A folder may have thousands of entries (/tmp): all paths are strings.
    """
    if place:
        yield "folder", place, ""
    own = set(_names(image))
    for name in sorted(own.union(_names(machine or "/"))):
        inside, ours, theirs = f"{place}/{name}", f"{machine}/{name}", f"{image}/{name}"
        if inside == "/dev":
            continue
        is_kept = inside.split("/")[1] in SYSTEM or ours in kept
        if name not in own:
            if not place or is_kept:
                yield _as_it_is(inside, ours)
        elif is_kept and _is_folder(theirs) and os.path.isdir(ours):
            yield from _merge(inside, ours, theirs, kept)
        else:
            yield _as_it_is(inside, theirs)


def _is_folder(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def _names(folder: str) -> Iterable[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return ()


def _as_it_is(place: str, source: str) -> RootStep:
    if os.path.islink(source):
        return "link", place, os.readlink(source)
    return ("bind" if os.path.isdir(source) else "file"), place, source


def _devices(rootfs: Path) -> Iterator[RootStep]:
    yield "folder", "/dev", ""
    for name in DEVICES:
        if os.path.exists(f"/dev/{name}"):
            yield "file", f"/dev/{name}", f"/dev/{name}"
    for name in ("shm", "pts"):
        if os.path.isdir(f"/dev/{name}"):
            yield "bind", f"/dev/{name}", f"/dev/{name}"
    for name, target in LINKS.items():
        yield "link", f"/dev/{name}", target
    for name in _names(f"{rootfs}/dev"):
        yield _as_it_is(f"/dev/{name}", f"{rootfs}/dev/{name}")


def is_possible() -> bool:
    """Whether this machine lets us give a container a root of its own."""
    return bool(possible_namespaces())


@functools.cache
def possible_namespaces() -> Literal["", "root", "all"]:
    """Tell what a container can have of its own; tried once.

    A root, or beside it numbers for its processes: those need a /proc of their own, which some
    containers do not let anybody mount.
    """
    if sys.platform != "linux" or os.environ.get("FLASHSALE_CONTAINER_ROOT") == "0":
        return ""
    usr: RootStep = ("bind", "/usr", "/usr")
    if _can_have([OWN_PROC, usr], own_pids=True):
        return "all"
    return "root" if _can_have([("bind", "/proc", "/proc"), usr], own_pids=False) else ""


def _can_have(steps: list[RootStep], *, own_pids: bool) -> bool:
    script = (
        "import os, runpy, sys; shim = runpy.run_path(sys.argv[1]);"
        f" shim['unshare'](own_pids={own_pids}); child = os.fork();"
        " child and os._exit(os.waitpid(child, 0)[1] != 0);"
        f" shim['enter_root']({{'folder': sys.argv[2], 'hostname': 'x', 'steps': {steps}}})"
    )
    shim = Path(__file__).with_name("shim.py")
    with tempfile.TemporaryDirectory(prefix="flashsale-root-") as folder:
        tried = subprocess.run(
            [sys.executable, "-I", "-S", "-c", script, str(shim), folder],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False,
        )  # fmt: skip
    return tried.returncode == 0
