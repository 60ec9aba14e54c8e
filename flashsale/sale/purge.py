"""Removing what flashsale keeps on this machine once no sale is open."""

from __future__ import annotations

import logging
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flashsale.clusters.state.directory import cannot_keep_error, home_key
from flashsale.docker import EngineError, RemovedImages, connected, own_docker, remove_images

LOG = logging.getLogger(__name__)
DOCKER_SECONDS = 30.0  # for an answer of Docker's: it adds up what its layers take
KEPT = (
    *("embedded", "images", "tunnels", "sale.json*", "kubeconfig*", "load*.json"),
    *("drills.json", "learn.json", "*.broken"),
)


@dataclass(frozen=True, slots=True)
class Purged:
    """What was removed from the state folder."""

    folder: Path
    files: int
    size: int  # bytes in those files
    # in this machine's Docker and in the cluster's
    images: RemovedImages = field(default_factory=RemovedImages)

    def as_json(self) -> dict[str, Any]:
        """Write it as `down --purge -o json` does."""
        return {
            "folder": str(self.folder),
            "files": self.files,
            "bytes": self.size,
            "images": self.images.count,
            "image_bytes": self.images.size,
            "images_left": self.images.left,
        }


async def remove_docker_images(home: Path) -> RemovedImages:
    """Remove a state folder's images from this machine's Docker, if it has one that answers."""
    try:
        async with connected(own_docker(os.environ), timeout=DOCKER_SECONDS) as engine:
            return await remove_images(engine, home_key(home))
    except EngineError as error:
        LOG.info("no images of Docker's are removed: %s", error)
        return RemovedImages()


def purge(home: Path) -> Purged:
    """Remove our files from the state folder, and the folder itself if that leaves it empty.

    No sale may be open: whose record is lost goes on without anybody who could end it.

    Raises:
        BadInputError, FlashsaleError: a file cannot be removed.
    """
    files = size = 0
    for place in _ours(home):
        inside = _files(place)
        files, size = files + len(inside), size + sum(os.lstat(file).st_size for file in inside)
        try:
            shutil.rmtree(place) if place.is_dir() and not place.is_symlink() else place.unlink()
        except OSError as error:
            raise cannot_keep_error(home, error) from error
    with suppress(OSError):  # it holds other things, or a disk is mounted there
        home.rmdir()
    return Purged(home, files, size)


def _ours(home: Path) -> list[Path]:
    """List what flashsale made there: the folder may be one that holds other things as well."""
    return sorted({place for pattern in KEPT for place in home.glob(pattern)})


def _files(place: Path) -> list[Path]:
    if place.is_symlink() or not place.is_dir():
        return [place]
    return [file for file in place.rglob("*") if file.is_symlink() or not file.is_dir()]
