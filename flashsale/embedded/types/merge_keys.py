"""Which lists of the API merge, by which keys, and which fields are all of a piece.

Strategic merge patches and server-side apply read different marks of the Go types (`patchMergeKey`
of k8s.io/api, `listMapKey` and `mapType` of its OpenAPI) and do not always agree. A path is the
tuple of field names from the object's root; list elements leave no trace in it:
``("spec", "template", "spec", "containers", "ports")``.
"""

from __future__ import annotations

from typing import TypeVar

FieldNames = tuple[str, ...]
Keys = TypeVar("Keys", str, FieldNames)

SCALARS = ""  # the strategic merge key of lists of plain values, which merge as sets
CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
SETS = ("finalizers", "podCIDRs")
STRATEGIC = {
    "addresses": "type",
    "conditions": "type",
    "containers": "name",
    "env": "name",
    "ephemeralContainers": "name",
    "hostAliases": "ip",
    "hostIPs": "ip",
    "imagePullSecrets": "name",
    "initContainers": "name",
    "ownerReferences": "uid",
    "podIPs": "ip",
    "resourceClaims": "name",
    "schedulingGates": "name",
    "secrets": "name",
    "topologySpreadConstraints": "topologyKey",
    "volumeDevices": "devicePath",
    "volumeMounts": "mountPath",
    "volumes": "name",
} | dict.fromkeys(SETS, SCALARS)
APPLY: dict[str, FieldNames] = {
    "addresses": ("type",),
    "claims": ("name",),
    "conditions": ("type",),
    "containers": ("name",),
    "env": ("name",),
    "ephemeralContainers": ("name",),
    "hostAliases": ("ip",),
    "imagePullSecrets": ("name",),
    "initContainers": ("name",),
    "ownerReferences": ("uid",),
    "podIPs": ("ip",),
    "resourceClaims": ("name",),
    "schedulingGates": ("name",),
    "secrets": ("name",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "volumeDevices": ("devicePath",),
    "volumeMounts": ("mountPath",),
    "volumes": ("name",),
} | dict.fromkeys(SETS, ())
KEY_DEFAULTS = {"protocol": "TCP", "containerPort": 0, "port": 0}  # of others it is empty
ATOMIC_MAPS = (  # LabelSelector, references, nodeSelector: applied and owned as a whole
    "configMapKeyRef",
    "fieldRef",
    "fileKeyRef",
    "involvedObject",
    "labelSelector",
    "namespaceSelector",
    "nodeSelector",
    "related",
    "requiredDuringSchedulingIgnoredDuringExecution",  # of nodes; of pods it is a list
    "resourceFieldRef",
    "secretKeyRef",
    "secretRef",
    "selector",
    "targetRef",
)
ATOMIC_ELEMENTS = (
    "imagePullSecrets",
    "ownerReferences",
    "secrets",
)  # owned whole, though listed by a key
NO_MERGE_AT_ROOT = ("imagePullSecrets", "ports")  # of a ServiceAccount and of an EndpointSlice


def patch_merge_key(path: FieldNames) -> str | None:
    """Return the strategic merge key of a list, ``SCALARS``, or None where a patch replaces it."""
    if len(path) == 1 and path[0] in NO_MERGE_AT_ROOT:
        return None
    if path[-1] == "ports":
        return _ports(path, "containerPort", "port")
    return STRATEGIC.get(path[-1])


def list_map_keys(path: FieldNames) -> FieldNames | None:
    """Return a list's keys for server-side apply, `()` for a set, None for an atomic list."""
    if len(path) == 1 and path[0] in NO_MERGE_AT_ROOT:
        return None
    if path[-1] == "ports":
        return _ports(path, ("containerPort", "protocol"), ("port", "protocol"))
    return APPLY.get(path[-1])


def is_atomic_map(path: FieldNames, *, element: bool = False) -> bool:
    """Whether a map, or the elements of a list, are owned as a whole in server-side apply."""
    return path[-1] in (ATOMIC_ELEMENTS if element else ATOMIC_MAPS)


def _ports(path: FieldNames, of_container: Keys, of_service: Keys) -> Keys | None:
    if path[-2:-1] and path[-2] in CONTAINERS:
        return of_container
    return of_service if path == ("spec", "ports") else None
