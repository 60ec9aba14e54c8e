"""What a kubeconfig says, read without the client: its contexts, and whether each is local."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flashsale.base.addresses import is_loopback, is_private
from flashsale.objects.models import Object

MINIKUBE = "minikube.sigs.k8s.io"  # minikube signs the entries it writes
BIGGEST = 20_000_000  # bytes
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
    """Read all contexts, in kubectl's search order; missing and broken files count as empty.

    A context may be in one file and its cluster in another: kubectl takes them together.
    """
    found: dict[str, KubeContext] = {}
    read = [document for _, document in documents(kubeconfig)]
    clusters: dict[Any, Object] = {}
    for document in read:
        for one in _entries(document, "clusters"):
            clusters.setdefault(one.get("name"), one.get("cluster") or {})
    for document in read:
        for entry in _entries(document, "contexts"):
            context = _context(entry, clusters)
            found.setdefault(context.name, context)
    return found


def documents(kubeconfig: Path | None = None) -> list[tuple[Path, Object]]:
    """Read the files themselves, in kubectl's search order."""
    return [(file, _load(file)[0]) for file in _files(kubeconfig)]


def problems(kubeconfig: Path | None = None) -> list[tuple[Path, str]]:
    """Say of each file that cannot be used why not; one that is not there is no problem."""
    found = [(file, problem(file)) for file in _files(kubeconfig)]
    return [(file, wrong) for file, wrong in found if wrong]


def problem(file: Path) -> str:
    """Say why a file cannot be used, as a clause that names it; empty if it can."""
    return _load(file)[1]


def quoted(file: Path) -> str:
    """Write a path for a shell."""
    return shlex.quote(str(file))


def _files(kubeconfig: Path | None) -> list[Path]:
    if kubeconfig:
        return [kubeconfig]
    named = [Path(part) for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return named or [Path.home() / ".kube" / "config"]


def _load(file: Path) -> tuple[Object, str]:
    """Read a file; also say what is wrong with it. One that is not there is empty."""
    import yaml

    try:
        with file.open("rb") as opened:  # a device may never end
            content = opened.read(BIGGEST + 1)
        if len(content) > BIGGEST:
            return {}, f"{file} is too big to be a kubeconfig"
        text = content.decode("utf-8-sig")
        document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except FileNotFoundError:
        return {}, ""
    except OSError as error:
        return {}, f"{file} cannot be read: {os.strerror(error.errno or 0)}"
    except UnicodeDecodeError:
        return {}, f"{file} is not text"
    except yaml.MarkedYAMLError as error:
        last = len(text.splitlines())
        line = f", line {min(error.problem_mark.line + 1, last)}" if error.problem_mark else ""
        return {}, f"{file} is not YAML{line}: {error.problem}"
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        return {}, f"{file} is not YAML: {str(error).splitlines()[0]}"
    if document is None:
        return {}, ""
    if not isinstance(document, dict):
        return {}, f"{file} is not a kubeconfig: it is no mapping"
    return document, ""


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
