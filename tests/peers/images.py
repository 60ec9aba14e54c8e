"""Images of the node's containerd: the one that holds pods open, and what Docker has."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from platform import machine

from tests.peers.processes import PeerError

PAUSE = "localhost/pause:1"
PATH = "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Image:
    """An image of one layer, all of whose files can be run."""

    name: str
    files: dict[str, bytes]
    entrypoint: tuple[str, ...] = ()


def write_pause(program: Path, archive: Path) -> None:
    """Write the image that holds pods open."""
    write_images([Image(PAUSE, {"pause": program.read_bytes()}, ("/pause",))], archive)


def write_images(images: Iterable[Image], archive: Path) -> None:
    """Write images of static programs, as `docker save` writes them."""
    manifest = []
    with tarfile.open(archive, mode="w") as written:
        for number, image in enumerate(images):
            layer = tar(image.files, mode=0o755)
            names = {"Config": f"{number}.json", "Layers": [f"{number}.tar"]}
            add(written, names["Layers"][0], layer)
            add(written, names["Config"], json.dumps(configuration(image, layer)).encode())
            manifest.append(names | {"RepoTags": [image.name]})
        add(written, "manifest.json", json.dumps(manifest).encode())


def configuration(image: Image, layer: bytes) -> dict[str, object]:
    """Return what an image says about itself."""
    return {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(machine(), machine()),
        "os": "linux",
        "config": {"Entrypoint": image.entrypoint or None, "Env": [PATH]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }


def save(name: str, archive: Path) -> None:
    """Write an image that this machine's Docker has."""
    command = ("docker", "save", "--output", str(archive), name)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PeerError(f"Docker gives no image {name}: {done.stderr.strip()}")


def tar(files: dict[str, bytes], *, mode: int = 0o644) -> bytes:
    """Put files into an archive in memory."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for name, content in files.items():
            add(archive, name, content, mode=mode)
    return written.getvalue()


def add(archive: tarfile.TarFile, name: str, content: bytes, *, mode: int = 0o644) -> None:
    """Put one file into an archive."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))
