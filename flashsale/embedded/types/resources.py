"""The kinds that the embedded cluster serves, and how they are named in paths."""

from __future__ import annotations

from dataclasses import dataclass

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Subresource:
    """A path below an object: its kind may belong to another group (Scale)."""

    name: str
    kind: str
    verbs: tuple[str, ...]
    group: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of object. ``group`` is empty for the core group."""

    group: str
    version: str
    plural: str
    singular: str
    kind: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[Subresource, ...] = ()
    verbs: tuple[str, ...] = VERBS

    @property
    def api_version(self) -> str:
        """`v1` or `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """The name in messages: `pods`, `replicasets.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def has_status(self) -> bool:
        """Whether the status is written apart from the rest."""
        return any(below.name == "status" for below in self.subresources)


_STATUS_VERBS = ("get", "patch", "update")

PODS = Resource(
    "", "v1", "pods", "pod", "Pod", True, ("po",), ("all",),
    (
        Subresource("attach", "PodAttachOptions", ("create", "get")),
        Subresource("binding", "Binding", ("create",)),
        Subresource("eviction", "Eviction", ("create",), "policy", "v1"),
        Subresource("exec", "PodExecOptions", ("create", "get")),
        Subresource("log", "Pod", ("get",)),
        Subresource("portforward", "PodPortForwardOptions", ("create", "get")),
        Subresource("status", "Pod", _STATUS_VERBS),
    ),
)  # fmt: skip
SERVICES = Resource(
    "", "v1", "services", "service", "Service", True, ("svc",), ("all",),
    (Subresource("status", "Service", _STATUS_VERBS),),
)  # fmt: skip
NODES = Resource(
    "", "v1", "nodes", "node", "Node", False, ("no",), (),
    (Subresource("status", "Node", _STATUS_VERBS),),
)  # fmt: skip
NAMESPACES = Resource(
    "", "v1", "namespaces", "namespace", "Namespace", False, ("ns",), (),
    (
        Subresource("finalize", "Namespace", ("update",)),
        Subresource("status", "Namespace", _STATUS_VERBS),
    ),
    tuple(verb for verb in VERBS if verb != "deletecollection"),
)  # fmt: skip
BINDINGS = Resource("", "v1", "bindings", "binding", "Binding", verbs=("create",))  # never stored
EVENTS = Resource("", "v1", "events", "event", "Event", True, ("ev",))
ENDPOINTS = Resource("", "v1", "endpoints", "endpoints", "Endpoints", True, ("ep",))
SERVICE_ACCOUNTS = Resource(
    "", "v1", "serviceaccounts", "serviceaccount", "ServiceAccount", True, ("sa",)
)
CONFIG_MAPS = Resource("", "v1", "configmaps", "configmap", "ConfigMap", True, ("cm",))
REPLICA_SETS = Resource(
    "apps", "v1", "replicasets", "replicaset", "ReplicaSet", True, ("rs",), ("all",),
    (
        Subresource("scale", "Scale", _STATUS_VERBS, "autoscaling", "v1"),
        Subresource("status", "ReplicaSet", _STATUS_VERBS),
    ),
)  # fmt: skip
ENDPOINT_SLICES = Resource(
    "discovery.k8s.io", "v1", "endpointslices", "endpointslice", "EndpointSlice"
)
DISRUPTION_BUDGETS = Resource(
    "policy", "v1", "poddisruptionbudgets", "poddisruptionbudget", "PodDisruptionBudget",
    True, ("pdb",), (), (Subresource("status", "PodDisruptionBudget", _STATUS_VERBS),),
)  # fmt: skip
PRIORITY_CLASSES = Resource(
    "scheduling.k8s.io", "v1", "priorityclasses", "priorityclass", "PriorityClass", False, ("pc",)
)
LEASES = Resource("coordination.k8s.io", "v1", "leases", "lease", "Lease")

ALL = (  # groups by priority, as `/apis` lists them
    BINDINGS, CONFIG_MAPS, ENDPOINTS, EVENTS, NAMESPACES, NODES, PODS, SERVICE_ACCOUNTS, SERVICES,
    REPLICA_SETS, DISRUPTION_BUDGETS, PRIORITY_CLASSES, LEASES, ENDPOINT_SLICES,
)  # fmt: skip


def find_resource(group: str, version: str, plural: str) -> Resource | None:
    """Return the resource at that path, or None where nothing is served."""
    for resource in ALL:
        if (resource.group, resource.version, resource.plural) == (group, version, plural):
            return resource
    return None
