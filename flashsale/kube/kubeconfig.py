"""What a kubeconfig says, read without the client: its contexts, and whether each is local."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flashsale.base.addresses import is_loopback, is_private
from flashsale.objects.models import Object

MINIKUBE = "minikube.sigs.k8s.io"  # minikube signs the entries it writes
LOCAL_PREFIXES = ("kind-", "k3d-")
LOCAL_NAMES = ("docker-desktop", "minikube", "flashsale-embedded")
LOCAL_HOSTS = ("kubernetes.docker.internal", "host.docker.internal", "0.0.0.0")


@dataclass(frozen=True, slots=True)
class KubeContext:
    """One context of a kubeconfig, with the address of its API server."""

    name: str
    server: str = ""
    namespace: str = ""
    minikube: bool = False  # written by minikube, whatever it is called

    @property
    def local(self) -> bool:
        """Whether it is a cluster of this machine: by its name and by its address.

        A name alone proves nothing: `kind-prod` may point anywhere. Nor does an address: a tunnel
        to a work cluster ends on loopback too.
        """
        known = self.minikube or self.name in LOCAL_NAMES or self.name.startswith(LOCAL_PREFIXES)
        return known and near(self.server)


def near(server: str) -> bool:
    """Whether an address is loopback, a private network's, or a name for this machine."""
    host = urlsplit(server).hostname or ""
    return host in LOCAL_HOSTS or is_loopback(host) or is_private(host)


def read(kubeconfig: Path | None = None) -> dict[str, KubeContext]:
    """Read all contexts, in kubectl's search order; missing and broken files count as empty."""
    found: dict[str, KubeContext] = {}
    for _, document in documents(kubeconfig):
        clusters = {
            one.get("name"): one.get("cluster") or {} for one in _entries(document, "clusters")
        }
        for entry in _entries(document, "contexts"):
            context = _context(entry, clusters)
            found.setdefault(context.name, context)
    return found


def documents(kubeconfig: Path | None = None) -> list[tuple[Path, Object]]:
    """Read the files themselves, in kubectl's search order."""
    return [(file, _load(file)) for file in _files(kubeconfig)]


def current(kubeconfig: Path | None = None) -> str:
    """Name kubectl's current context; empty if there is none."""
    names = (str(one.get("current-context") or "") for _, one in documents(kubeconfig))
    return next(filter(None, names), "")


def _files(kubeconfig: Path | None) -> list[Path]:
    if kubeconfig:
        return [kubeconfig]
    named = [Path(part) for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return named or [Path.home() / ".kube" / "config"]


def _load(file: Path) -> Object:
    import yaml

    try:
        document = yaml.load(file.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return document if isinstance(document, dict) else {}


def _entries(document: Object, kind: str) -> list[Object]:
    listed = document.get(kind)
    entries = listed if isinstance(listed, list) else []
    return [entry for entry in entries if isinstance(entry, dict)]


def _context(entry: Object, clusters: dict[Any, Object]) -> KubeContext:
    inner = entry.get("context") or {}
    cluster = clusters.get(inner.get("cluster")) or {}
    signed = [*(cluster.get("extensions") or []), *(inner.get("extensions") or [])]
    return KubeContext(
        name=str(entry.get("name", "")),
        server=str(cluster.get("server", "")),
        namespace=str(inner.get("namespace", "")),
        minikube=any((one.get("extension") or {}).get("provider") == MINIKUBE for one in signed),
    )
