"""A kubeconfig with one context in it, which is current: kubectl then needs no options."""

from __future__ import annotations

from pathlib import Path

from flashsale.base.errors import ClusterUnreachableError
from flashsale.clusters.state.directory import put
from flashsale.kube import kubeconfig as contexts
from flashsale.objects.fields import section, sections
from flashsale.objects.models import Object

FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")


def write_kubeconfig(home: Path, context: str, kubeconfig: Path | None, namespace: str) -> Path:
    """Write the file for a context of the user's own kubeconfig, which is left as it is.

    Raises:
        ClusterUnreachableError: there is no such context any more.
        BadInputError, FlashsaleError: the state folder cannot be written, or its disk is full.
    """
    import json

    documents = contexts.documents(kubeconfig)
    minified_config = minified(documents, context, namespace)
    if not minified_config:
        raise ClusterUnreachableError(
            f"The kubeconfig has no context '{context}' any more.",
            hint="kubectl config get-contexts",
        )
    for file, document in documents:
        current = document.get("current-context")
        alone = len(sections(document, "contexts")) == 1 and current == context
        if namespace == "default" and alone and minified([(file, document)], context, namespace):
            return file  # it is such a file already, and its owner keeps it up to date
    text = json.dumps(minified_config, indent=2) + "\n"  # JSON is YAML, too
    return put(home, "kubeconfig", text)


def minified(documents: contexts.Documents, context: str, namespace: str) -> Object:
    """Keep one context, its cluster and its user; empty if context or cluster is not there.

    Args:
        documents: the kubeconfig's files and what is in them. As in kubectl each entry may be in
            another one, the first of a name counts, and the files that an entry names are relative
            to its own.
    """
    entry = _named(documents, "contexts", context)
    inner = {**section(entry, "context"), "namespace": namespace}
    cluster = _named(documents, "clusters", str(inner.get("cluster")))
    user = _named(documents, "users", str(inner.get("user")))
    if not entry or not cluster or (inner.get("user") and not user):
        return {}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "contexts": [{**entry, "context": inner}],
        "clusters": [cluster],
        "users": [user] if user else [],
    }


def _named(documents: contexts.Documents, kind: str, name: str) -> Object:
    """Find an entry, its paths made absolute; empty if there is none."""
    entry, folder = contexts.find_entry(documents, kind, name)
    inner = dict(section(entry, kind.removesuffix("s")))
    for key in FILES:
        if inner.get(key):
            inner[key] = str((folder / str(inner[key])).absolute())
    return {**entry, kind.removesuffix("s"): inner} if entry else {}
