"""Where objects live in the API. An empty name stands for the collection."""

from __future__ import annotations

from urllib.parse import quote

from flashsale.objects.models import Object

REPLICASETS = "/apis/apps/v1/replicasets"  # of all namespaces


def pods(namespace: str, name: str = "", sub: str = "") -> str:
    """The path of a pod, of all pods, or of a subresource such as `log`."""
    return _path("/api/v1", namespace, "pods", name, sub)


def replicasets(namespace: str, name: str = "") -> str:
    return _path("/apis/apps/v1", namespace, "replicasets", name)


def services(namespace: str, name: str = "") -> str:
    return _path("/api/v1", namespace, "services", name)


def events(namespace: str) -> str:
    return _path("/api/v1", namespace, "events")


def endpointslices(namespace: str) -> str:
    return _path("/apis/discovery.k8s.io/v1", namespace, "endpointslices")


def nodes(name: str = "") -> str:
    return "/".join(("/api/v1/nodes", *filter(None, (quote(name, safe=""),))))


def config_maps(namespace: str, name: str = "") -> str:
    return _path("/api/v1", namespace, "configmaps", name)


def jobs(namespace: str, name: str = "") -> str:
    return _path("/apis/batch/v1", namespace, "jobs", name)


def of(thing: Object, namespace: str, *, collection: bool = False) -> str:
    """The path of a ReplicaSet or Service that a manifest describes, or of its collection."""
    name = "" if collection else str(thing["metadata"]["name"])
    return (
        replicasets(namespace, name) if thing["kind"] == "ReplicaSet" else services(namespace, name)
    )


def _path(group: str, namespace: str, resource: str, *rest: str) -> str:
    names = (namespace, resource, *filter(None, rest))
    return "/".join((group, "namespaces", *(quote(name, safe="") for name in names)))
