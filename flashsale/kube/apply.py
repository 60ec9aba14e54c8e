"""What `kubectl apply` does, for one ReplicaSet and one Service.

An object that is missing is created; one that is there is replaced as a whole, keeping what the
server gave it (addresses, ports) and the labels and annotations that others put on it. A field
that left the manifest therefore leaves the object, and a write that changes nothing is none: the
server keeps the resourceVersion. The annotation that kubectl keeps is kept here too, so `kubectl
apply` and `flashsale up` may take turns without a warning.

Writes say `fieldValidation=Strict`: a misspelt field is refused with its name, not ignored.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from flashsale.kube import paths
from flashsale.kube.api import Api
from flashsale.kube.response_errors import ConflictError, NotFoundError
from flashsale.objects.models import Object

ApplyOutcome = Literal["created", "configured", "unchanged"]  # kubectl's words
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
STRICT = {"fieldValidation": "Strict"}
ATTEMPTS = 5
ALLOCATED = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort")


async def apply(
    api: Api, wanted: Object, namespace: str, *, replicas: int | None, dry_run: bool = False
) -> ApplyOutcome:
    """Make the cluster hold what a manifest says.

    Args:
        dry_run: only let the server check it; nothing is changed, and the outcome says nothing.
        replicas: how many pods the ReplicaSet keeps, whatever its manifest says. None: the
            manifest's number counts if the manifest changed it since it was last applied;
            otherwise a number that somebody set with `scale` stays.

    Raises:
        BadInputError: the server refuses the manifest; its words name the field.
        ConflictError: somebody else changed the object each time we tried.
    """
    query = STRICT | ({"dryRun": "All"} if dry_run else {})
    for _ in range(ATTEMPTS):
        try:
            return await _try(api, wanted, namespace, replicas, query)
        except ConflictError as error:
            conflict = error
    raise conflict


async def _try(
    api: Api, wanted: Object, namespace: str, replicas: int | None, query: dict[str, str]
) -> ApplyOutcome:
    try:
        live = await api.get(paths.of(wanted, namespace))
    except NotFoundError:
        where = paths.of(wanted, namespace, collection=True)
        await api.create(where, new_object(wanted, namespace, replicas), query)
        return "created"
    after = await api.replace(
        paths.of(wanted, namespace), merged(live, wanted, namespace, replicas), query
    )
    before = live["metadata"].get("resourceVersion")
    return "unchanged" if after["metadata"].get("resourceVersion") == before else "configured"


def new_object(wanted: Object, namespace: str, replicas: int | None) -> Object:
    """Write the object to create: the manifest, in its namespace, with kubectl's annotation."""
    metadata = {**wanted["metadata"], "namespace": namespace}
    annotations = metadata.get("annotations") or {}
    metadata["annotations"] = annotations | {LAST_APPLIED: write_last_applied(wanted, namespace)}
    thing = {**wanted, "metadata": metadata}
    return _with_replicas(thing, replicas) if replicas is not None else thing


def merged(live: Object, wanted: Object, namespace: str, replicas: int | None) -> Object:
    """Write the object to put in the place of a live one."""
    new = new_object(wanted, namespace, None)
    metadata = dict(live["metadata"])
    metadata.pop("managedFields", None)
    for part in ("labels", "annotations"):
        both = (metadata.get(part) or {}) | (new["metadata"].get(part) or {})
        if both:
            metadata[part] = both
    thing = {**new, "metadata": metadata}
    if wanted["kind"] == "ReplicaSet":
        return _with_replicas(thing, decide_replicas(live, wanted, replicas))
    return {**thing, "spec": allocated(live["spec"], wanted["spec"])}


def decide_replicas(live: Object, wanted: Object, requested: int | None) -> int:
    """Decide between the number asked for, the manifest's, and the one that is live."""
    if requested is not None:
        return requested
    current, manifest = int(live["spec"].get("replicas", 1)), wanted["spec"].get("replicas")
    before = last_applied(live)
    unchanged = not before or before.get("spec", {}).get("replicas") == manifest
    return current if manifest is None or unchanged else int(manifest)


def allocated(live: Object, wanted: Object) -> Object:
    """Keep a Service's addresses and node ports where the manifest leaves them to the server."""
    kept = {key: live[key] for key in ALLOCATED if key in live and key not in wanted}
    if live.get("type", "ClusterIP") != wanted.get("type", "ClusterIP"):
        return kept | wanted  # another type: its ports are the server's to choose anew
    old = {_port_key(port): port.get("nodePort") for port in live.get("ports") or []}
    ports = [
        {"nodePort": old[_port_key(port)], **port} if old.get(_port_key(port)) else dict(port)
        for port in wanted.get("ports") or []
    ]
    return kept | wanted | {"ports": ports}


def last_applied(live: Object) -> Object:
    """Read kubectl's annotation; empty if it is missing or not readable."""
    text = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED) or "{}"
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def write_last_applied(wanted: Object, namespace: str) -> str:
    """Write kubectl's annotation as kubectl does: sorted keys, no blanks, a line feed."""
    metadata: dict[str, Any] = {"annotations": {}, **wanted["metadata"], "namespace": namespace}
    document = {**wanted, "metadata": metadata}
    return json.dumps(document, sort_keys=True, separators=(",", ":")) + "\n"


def _with_replicas(replicaset: Object, replicas: int) -> Object:
    if replicaset["kind"] != "ReplicaSet":
        return replicaset
    return {**replicaset, "spec": {**replicaset["spec"], "replicas": replicas}}


def _port_key(port: Object) -> tuple[Any, str]:
    return port.get("port"), port.get("protocol", "TCP")
