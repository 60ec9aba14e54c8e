"""What a kubeconfig says, read without the client: its contexts, and whether each is local."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from flashsale.base.addresses import is_loopback, is_private, url_host
from flashsale.base.text import quoted
from flashsale.objects.fields import Section, section, sections, text
from flashsale.objects.models import Object

MINIKUBE = "minikube.sigs.k8s.io"  # minikube signs the entries it writes
Documents = list[tuple[Path, Object]]  # files, and what is in them
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
    host = url_host(server)
    return host in LOCAL_HOSTS or is_loopback(host) or is_private(host)


def read(kubeconfig: Path | None = None) -> dict[str, KubeContext]:
    """Read all contexts, in kubectl's search order; missing and broken files count as empty.

    A context may be in one file and its cluster in another: kubectl takes them together.
    """
    kube_contexts: dict[str, KubeContext] = {}
    files = documents(kubeconfig)
    for _, document in files:
        for entry in sections(document, "contexts"):
            context = _context(entry, files)
            kube_contexts.setdefault(context.name, context)
    return kube_contexts


def documents(kubeconfig: Path | None = None) -> Documents:
    """Read the files themselves, in kubectl's search order."""
    return [(file, _load(file)[0]) for file in kubeconfig_files(kubeconfig)]


def find_entry(files: Documents, kind: str, name: object) -> tuple[Section, Path]:
    """Find an entry by its name, and the folder that paths in it start from.

    The first of a name counts, as for kubectl. Both are empty where there is none.

    Args:
        kind: `contexts`, `clusters` or `users`.
    """
    for file, document in files:
        for entry in sections(document, kind):
            if entry.get("name") == name:
                return entry, file.parent
    return {}, Path()


def kubectl(context: str, words: str) -> str:
    """Write a command line of kubectl's for a context, whatever that is called."""
    return f"kubectl --context {quoted(context)} {words}"


def problems(kubeconfig: Path | None = None) -> list[tuple[Path, str]]:
    """Say of each file that cannot be used why not; one that is not there is no problem."""
    broken = [(file, problem(file)) for file in kubeconfig_files(kubeconfig)]
    return [(file, wrong) for file, wrong in broken if wrong]


def problem(file: Path) -> str:
    """Say why a file cannot be used, as a clause that names it; empty if it can."""
    return _load(file)[1]


def kubeconfig_files(kubeconfig: Path | None = None) -> list[Path]:
    """Name the files in kubectl's search order; minikube writes the first."""
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
        written = content.decode("utf-8-sig")
        document = yaml.load(written, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except FileNotFoundError:
        return {}, ""
    except OSError as error:
        return {}, f"{file} cannot be read: {os.strerror(error.errno or 0)}"
    except UnicodeDecodeError:
        return {}, f"{file} is not text"
    except yaml.MarkedYAMLError as error:
        last = len(written.splitlines())
        line = f", line {min(error.problem_mark.line + 1, last)}" if error.problem_mark else ""
        return {}, f"{file} is not YAML{line}: {error.problem}"
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        return {}, f"{file} is not YAML: {str(error).splitlines()[0]}"
    if document is None:
        return {}, ""
    if not isinstance(document, dict):
        return {}, f"{file} is not a kubeconfig: it is no mapping"
    return document, ""


def _context(entry: Section, files: Documents) -> KubeContext:
    inner = section(entry, "context")
    cluster = section(find_entry(files, "clusters", inner.get("cluster"))[0], "cluster")
    signed = [*sections(cluster, "extensions"), *sections(inner, "extensions")]
    return KubeContext(
        name=str(entry.get("name", "")),
        server=text(cluster, "server"),
        namespace=text(inner, "namespace"),
        minikube=any(text(extension, "extension", "provider") == MINIKUBE for extension in signed),
    )
