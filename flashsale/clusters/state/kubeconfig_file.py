"""A kubeconfig with one context in it, which is current: kubectl then needs no options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flashsale.base.errors import ClusterUnreachableError
from flashsale.clusters.state.directory import put
from flashsale.kube import kubeconfig as contexts
from flashsale.objects.models import Object

FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")


def write(home: Path, context: str, kubeconfig: Path | None, namespace: str) -> Path:
    """Write the file for a context of the user's own kubeconfig, which is left as it is.

    Raises:
        ClusterUnreachableError: there is no such context any more.
        BadInputError, FlashsaleError: the state folder cannot be written, or its disk is full.
    """
    import json

    for file, document in contexts.documents(kubeconfig):
        if namespace == "default" and list(contexts.read(file)) == [context] == [
            _current(document)
        ]:
            return file  # it is such a file already, and its owner keeps it up to date
        found = minified(document, file.parent, context, namespace)
        if found:
            return put(home, "kubeconfig", json.dumps(found, indent=2) + "\n")  # JSON is YAML, too
    raise ClusterUnreachableError(
        f"The kubeconfig has no context '{context}' any more.", hint="kubectl config get-contexts"
    )


def minified(document: Object, folder: Path, context: str, namespace: str) -> Object:
    """Keep one context, its cluster and its user; empty if it is not there.

    Args:
        folder: where the document lies; the files that it names are relative to that.
    """
    entry = _named(document, "contexts", context)
    if not entry:
        return {}
    inner = {**(entry.get("context") or {}), "namespace": namespace}
    cluster = _named(document, "clusters", str(inner.get("cluster")))
    user = _named(document, "users", str(inner.get("user")))
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "contexts": [{**entry, "context": inner}],
        "clusters": [_absolute(cluster, "cluster", folder)] if cluster else [],
        "users": [_absolute(user, "user", folder)] if user else [],
    }


def _current(document: Object) -> str:
    return str(document.get("current-context", ""))


def _named(document: Object, kind: str, name: str) -> Object:
    entries = document.get(kind) or []
    return next((one for one in entries if isinstance(one, dict) and one.get("name") == name), {})


def _absolute(entry: Object, part: str, folder: Path) -> Object:
    inner: dict[str, Any] = dict(entry.get(part) or {})
    for key in FILES:
        if inner.get(key):
            inner[key] = str((folder / inner[key]).absolute())
    return {**entry, part: inner}
