"""The images that kubeadm and minikube want on a node, made from the programs that were built."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.peers import programs
from tests.peers.images import Image

VERSION = "v1.36.2"
REGISTRY = "registry.k8s.io"
# Their versions are what `kubeadm config images list` and minikube say.
ETCD, PAUSE, COREDNS = "etcd:3.6.8-0", "pause:3.10.2", "coredns/coredns:v1.14.2"
PROVISIONER = "gcr.io/k8s-minikube/storage-provisioner:v5"
TABLES = ("iptables", "iptables-save", "iptables-restore")
EXTENSIONS = "usr/lib/*-linux-gnu/xtables/*.so"


def kubernetes_images(root: Path) -> Iterator[Image]:
    """Give each image.

    Args:
        root: a Debian with iptables and conntrack, which kube-proxy needs.
    """
    for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        yield Image(f"{REGISTRY}/{name}:{VERSION}", in_path(name))
    proxy = in_path("kube-proxy") | packet_filter(root)
    yield Image(f"{REGISTRY}/kube-proxy:{VERSION}", proxy)
    yield Image(f"{REGISTRY}/{ETCD}", in_path("etcd"))
    yield alone(f"{REGISTRY}/{PAUSE}", "pause")
    yield alone(f"{REGISTRY}/{COREDNS}", "coredns")
    yield alone(PROVISIONER, "coredns", "storage-provisioner")


def in_path(name: str) -> dict[str, bytes]:
    """Return a program where PATH finds it."""
    return {f"usr/local/bin/{name}": programs.path(name).read_bytes()}


def alone(image: str, program: str, name: str = "") -> Image:
    """Return an image of one program that starts by itself."""
    name = name or program
    return Image(image, {name: programs.path(program).read_bytes()}, (f"/{name}",))


def packet_filter(root: Path) -> dict[str, bytes]:
    """Return iptables and conntrack with all that they load, from a Debian."""
    extensions = [f"/{path.relative_to(root)}" for path in root.glob(EXTENSIONS)]
    tool, conntrack = "/usr/sbin/xtables-nft-multi", "/usr/sbin/conntrack"
    loaded = subprocess.check_output(
        ("chroot", str(root), "ldd", tool, conntrack, *extensions), text=True
    )
    libraries = {word for word in loaded.split() if word.startswith("/") and word[-1] != ":"}
    files = {path: path for path in (conntrack, *extensions, *libraries)}
    files |= {f"/usr/sbin/{v}{name[2:]}": tool for name in TABLES for v in ("ip", "ip6")}
    return {path[1:]: read(root, source) for path, source in files.items()}


def read(root: Path, path: str) -> bytes:
    """Read a file; links in its path mean places under `root`."""
    return subprocess.check_output(("chroot", str(root), "cat", path))
