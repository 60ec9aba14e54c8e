"""Images of the node's containerd: the one that holds pods open, and what Docker has."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path
from platform import machine

from tests.peers.processes import PeerError

PAUSE = "localhost/pause:1"


def write_pause(program: Path, archive: Path) -> None:
    """Write an image with one static program, as `docker save` writes one."""
    layer = tar({"pause": program.read_bytes()}, mode=0o755)
    config = {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(machine(), machine()),
        "os": "linux",
        "config": {"Entrypoint": ["/pause"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [PAUSE], "Layers": ["layer.tar"]}]
    files = {
        "layer.tar": layer,
        "config.json": json.dumps(config).encode(),
        "manifest.json": json.dumps(manifest).encode(),
    }
    archive.write_bytes(tar(files))


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
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            archive.addfile(entry, io.BytesIO(content))
    return written.getvalue()
