"""Where the real programs are that `tests/peers/build` made."""

from __future__ import annotations

import os
from pathlib import Path

CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
PLUGINS = ("bridge", "host-local", "loopback", "portmap")
NODE = (
    *CONTROL_PLANE,
    *("kubelet", "kube-proxy", "containerd", "containerd-shim-runc-v2", "ctr", "pause"),
    *PLUGINS,
)


def _folder() -> Path:
    named = os.environ.get("FLASHSALE_PEERS")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(named) if named else cache / "flashsale" / "peers"


FOLDER = _folder()  # found once: tests change HOME


def path(name: str) -> Path:
    """Return the path of a program, whether it is there or not."""
    return FOLDER / name


def missing(names: tuple[str, ...]) -> list[str]:
    """Return those of the programs that have not been built."""
    return [name for name in names if not os.access(path(name), os.X_OK)]
