"""What a base image brings, as far as its name says: Python, or something else."""

from __future__ import annotations

import re
import sys

from flashsale.base.image_names import ImageName, InvalidImageNameError

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
