"""What a base image brings, as far as its name says: Python, or something else."""

from __future__ import annotations

import re
import sys

from flashsale.base.image_names import ImageName, InvalidImageNameError

# Folders of Debian's and Alpine's images with Python, and those in them that are empty.
_FULL = ("usr", "bin", "sbin", "lib", "lib64", "etc", "var", "root", "home", "tmp", "run", "dev",
         "proc", "sys", "")  # fmt: skip
_EMPTY = ("usr/src/", "usr/app/", "var/www/", "var/app/")
_THERE = ("opt", "srv", "mnt", "media", "boot")  # with nothing in them
_PLAIN = re.compile(r"(?:.*/)?(?:library/(?:python|debian|ubuntu|alpine)|astral-sh/uv)")
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def base_entrypoint(base: str) -> tuple[str, ...]:
    """Return the ENTRYPOINT of a base image whose command is for Python's arguments alone."""
    try:
        name = ImageName.parse(base).repository
    except InvalidImageNameError:
        return ()
    distroless = "distroless/python" in name or name.endswith("chainguard/python")
    return ("python3",) if distroless else ()


def newer_python(base: str) -> str:
    """Return the version of a Python image, if apps made for it may need more than is here."""
    try:
        name = ImageName.parse(base)
    except InvalidImageNameError:
        return ""
    version = re.match(r"3\.(\d+)", name.tag or "")
    if not version or name.repository.rpartition("/")[2] != "python":
        return ""
    return version[0] if int(version[1]) > sys.version_info.minor else ""


def may_bring(path: str) -> bool:
    """Whether an image of those that Python comes in may have something at a path."""
    full = path.split("/")[0] in _FULL and not path.startswith(_EMPTY)
    return full or path in _THERE


def shell_of(base: str) -> str:
    """Return which program is a base image's /bin/sh, dash or ash; empty if that is not known."""
    try:
        name = ImageName.parse(base)
    except InvalidImageNameError:
        return ""
    if not _PLAIN.fullmatch(name.repository):
        return ""
    return "ash" if "alpine" in f"{name.repository}:{name.tag}" else "dash"
