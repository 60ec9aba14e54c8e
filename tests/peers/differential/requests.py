"""Requests that a client could plausibly send: the exercise's objects, with mistakes of people."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

Object = dict[str, Any]
Step = str | int
COLLECTIONS = {
    "Pod": "/api/v1/namespaces/{namespace}/pods",
    "ReplicaSet": "/apis/apps/v1/namespaces/{namespace}/replicasets",
    "Service": "/api/v1/namespaces/{namespace}/services",
    "ConfigMap": "/api/v1/namespaces/{namespace}/configmaps",
    "EndpointSlice": "/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices",
    "Event": "/api/v1/namespaces/{namespace}/events",
    "Lease": "/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases",
    "ServiceAccount": "/api/v1/namespaces/{namespace}/serviceaccounts",
}
VERSIONS = {  # of kinds that are not in v1
    "ReplicaSet": "apps/v1",
    "EndpointSlice": "discovery.k8s.io/v1",
    "Lease": "coordination.k8s.io/v1",
}
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"
OPERATIONS: tuple[Any, ...] = (
    {"op": "add", "path": "/metadata/labels/a", "value": "b"},
    {"op": "add", "path": "/metadata/annotations", "value": "x"},
    {"op": "replace", "path": "/metadata/name", "value": "other"},
    {"op": "remove", "path": "/metadata/labels/none"},
    {"op": "test", "path": "/kind", "value": "x"},
    {"op": "copy", "from": "/metadata/name", "path": "/metadata/labels/a"},
    {"op": "add", "path": "/spec", "value": {}},
)
PATCHES = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
}

# What people write into a field, right and wrong. GONE takes the field away.
GONE = object()
NAMES = ("ok", "", "Not_a_name", "a.b", "-x", "a" * 64, 5, None, GONE)
LABELS: tuple[Any, ...] = (
    {"app": "{name}"},
    {"app": ""},
    {"app": "not ok"},
    {"/": "x"},
    {"app": 1},
    {},
    None,
    "x",
    GONE,
)
COUNTS = (0, 1, 3, -1, "3", 1.5, True, None, 2**31, GONE)
PORTS = (1, 80, 0, 65536, -1, "80", None, GONE)
TARGETS = (5000, "http", "", "UPPER", 0, 70000, "5000", None, GONE)
QUANTITIES = ("100m", "1", 1, "1Gi", "", "x", "-1", 0.5, "1e3", None, GONE)
CHOICES = ("Always", "Never", "IfNotPresent", "OnFailure", "always", "", 1, None, GONE)
VOLUMES: tuple[Any, ...] = (
    {},
    {"emptyDir": {"sizeLimit": "-1"}},
    {"configMap": {"name": "x", "items": [{"key": "a", "path": "../b"}]}},
    {"projected": {"sources": [{}]}},
    {"projected": {"sources": [{"configMap": {"name": "x"}}, {"secret": {}}]}},
    {"downwardAPI": {"items": [{"path": "a", "resourceFieldRef": {"resource": "limits.cpu"}}]}},
    {"iscsi": {}},
    {"image": {"reference": "x"}},
    {"hostPath": {"path": "/x", "type": "Bad"}},
)
TOLERATIONS: tuple[Any, ...] = (
    [{"operator": "Exists"}],
    [{"key": "a", "operator": "Exists", "value": "b"}],
    [{"key": "a", "tolerationSeconds": 5}],
    [{}],
    None,
)
SPREAD = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
SPREADING: tuple[Any, ...] = (
    [SPREAD],
    [SPREAD, SPREAD],
    [SPREAD | {"maxSkew": 0, "minDomains": 0}],
    [SPREAD | {"matchLabelKeys": ["app"]}],
    [{}],
)
AFFINITIES: tuple[Any, ...] = (
    {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}},
    {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{}]}},
    {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 500}]}},
)
REFERENCES: tuple[Any, ...] = (
    {"fieldRef": {"fieldPath": "metadata.name"}},
    {"fieldRef": {"fieldPath": "metadata.name['a']"}},
    {"fieldRef": {"fieldPath": "metadata.name", "apiVersion": "v2"}},
    {"resourceFieldRef": {"resource": "limits.cpu"}},
    {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "3"}},
    {"configMapKeyRef": {"name": "x", "key": ".."}},
    {},
)
LIFECYCLES: tuple[Any, ...] = (
    {"preStop": {"sleep": {"seconds": 100}}},
    {"preStop": {}},
    {"postStart": {"httpGet": {"port": "no port"}}},
    {"stopSignal": "SIGUSR1"},
)
FINALIZERS: tuple[Any, ...] = (["a/b"], ["x"], [""], ["orphan", "foregroundDeletion"], None)
OWNERS: tuple[Any, ...] = (  # none that is possible: garbage collection comes in its own time
    [{"apiVersion": "v1", "kind": "Event", "name": "x", "uid": "u"}],
    [{"apiVersion": "a/b/c"}],
)
ANY: tuple[Any, ...] = (None, "", "x", 0, -1, [], {}, True, GONE)


@dataclass(frozen=True, slots=True)
class Request:
    """One request of an example; `{name}` and `{namespace}` stand in path and body."""

    method: str
    path: str
    body: str = ""
    content_type: str = ""
    accept: str = "application/json"

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.body}"


def container() -> Object:
    """Return a container that fits on no node."""
    return {
        "name": "c",
        "image": "flashsale:1.0",
        "ports": [{"containerPort": 5000, "name": "http"}],
        "env": [{"name": "A", "value": "b"}],
        "resources": {"requests": {"cpu": "9k"}},
        "readinessProbe": {"httpGet": {"path": "/health", "port": 5000}, "periodSeconds": 5},
    }


def template() -> Object:
    """Return what a ReplicaSet makes pods of."""
    return {"metadata": {"labels": {"app": "{name}"}}, "spec": {"containers": [container()]}}


def thing(kind: str) -> Object:
    """Return a valid object."""
    version = VERSIONS.get(kind, "v1")
    made: Object = {"apiVersion": version, "kind": kind, "metadata": {"name": "{name}"}}
    made["metadata"]["labels"] = {"app": "{name}"}
    if kind == "Pod":
        made["spec"] = template()["spec"] | {"schedulerName": "nobody"}  # it waits for ever
    elif kind == "ReplicaSet":
        selector = {"matchLabels": {"app": "{name}"}}
        made["spec"] = {"replicas": 0, "selector": selector, "template": template()}
    elif kind == "Service":
        port = {"port": 80, "targetPort": 5000, "protocol": "TCP", "name": "web"}
        made["spec"] = {"selector": {"app": "{name}"}, "ports": [port]}
    elif kind == "EndpointSlice":
        made |= {"addressType": "IPv4", "endpoints": [{"addresses": ["192.0.2.1"]}]}
        made["ports"] = [{"name": "web", "port": 80}]
    elif kind == "Event":
        about = {"kind": "Pod", "name": "{name}", "namespace": "{namespace}"}
        made |= {"involvedObject": about, "reason": "R", "message": "m", "type": "Normal"}
    elif kind == "Lease":
        made["spec"] = {"holderIdentity": "me", "leaseDurationSeconds": 5}
    elif kind == "ConfigMap":
        made["data"] = {"a": "1", "b": "2"}
    return made


def pod_changes(base: tuple[Step, ...]) -> dict[tuple[Step, ...], tuple[Any, ...]]:
    """Return what may be changed in a pod's spec."""
    one = (*base, "containers", 0)
    return {
        (*base, "restartPolicy"): CHOICES,
        (*base, "terminationGracePeriodSeconds"): COUNTS,
        (*base, "nodeSelector"): LABELS,
        (*base, "unknownField"): ("x",),
        (*base, "containers"): ([], None, GONE, "x", [container(), container()]),
        (*one, "name"): NAMES,
        (*one, "image"): ("flashsale:1.0", "", " x", 5, None, GONE),
        (*one, "imagePullPolicy"): CHOICES,
        (*one, "command"): (["true"], "true", [1], [], None),
        (*one, "env"): ([{"name": ""}], [{"name": "A B", "value": "x"}], [{"value": "x"}], None),
        (*one, "env", 0, "value"): ("x", 5, None, True, GONE),
        (*one, "ports", 0, "containerPort"): PORTS,
        (*one, "ports", 0, "name"): TARGETS,
        (*one, "ports", 0, "protocol"): ("TCP", "UDP", "tcp", "", None),
        (*one, "resources", "requests", "cpu"): QUANTITIES,
        (*one, "resources", "requests", "memory"): QUANTITIES,
        (*one, "resources", "limits"): ({"cpu": "1"}, {"cpu": "x"}, {"memory": "-1"}, None, "x"),
        (*one, "readinessProbe", "periodSeconds"): COUNTS,
        (*one, "readinessProbe", "successThreshold"): COUNTS,
        (*one, "readinessProbe", "httpGet", "port"): TARGETS,
        (*one, "readinessProbe", "httpGet", "path"): ("/", "", "x", None, GONE),
        (*one, "readinessProbe", "httpGet"): (None, {}, GONE),
        (*base, "volumes"): tuple([{"name": "v"} | source] for source in VOLUMES),
        (*base, "tolerations"): TOLERATIONS,
        (*base, "topologySpreadConstraints"): SPREADING,
        (*base, "affinity"): AFFINITIES,
        (*base, "resources"): ({"requests": {"cpu": "9k"}}, {"requests": {"x": "1"}}, None),
        (*base, "serviceAccountName"): ("default", "none", "", None),
        (*one, "env", 0, "valueFrom"): REFERENCES,
        (*one, "lifecycle"): LIFECYCLES,
        (*one, "livenessProbe"): ({}, {"exec": {"command": []}}, {"tcpSocket": {"port": 0}}),
    }


COMMON: dict[tuple[Step, ...], tuple[Any, ...]] = {
    ("kind",): ("Pod", "replicaset", "Nonsense", "", None, GONE),
    ("apiVersion",): ("v1", "apps/v1", "v2", "", 1, None, GONE),
    ("metadata", "name"): ("{name}", "Not_{name}", "-{name}", "", 5, None, GONE),
    ("metadata", "namespace"): ("{namespace}", "other", "", None),
    ("metadata", "labels"): LABELS,
    ("metadata", "annotations"): ({"a": "b"}, {"a b": "c"}, {"a": 1}, "x", None),
    ("metadata", "generateName"): ("x-", "", "X_"),
    ("metadata", "finalizers"): FINALIZERS,
    ("metadata", "ownerReferences"): OWNERS,
    ("metadata", "managedFields"): ([], [{}], None),
    ("metadata", "selfLink"): ("/x",),
    ("metadata", "generation"): (7,),
    ("metadata",): (None, "x", GONE),
    ("spec",): (None, "x", {}, [], GONE),
    ("unknown",): ("x", {}),
}
OWN: dict[str, dict[tuple[Step, ...], tuple[Any, ...]]] = {
    "Pod": pod_changes(("spec",)),
    "ReplicaSet": {
        ("spec", "replicas"): COUNTS,
        ("spec", "minReadySeconds"): COUNTS,
        ("spec", "selector"): ({}, {"matchLabels": {}}, None, "x", GONE),
        ("spec", "selector", "matchLabels"): LABELS,
        ("spec", "selector", "matchExpressions"): (
            [{"key": "app", "operator": "In", "values": ["{name}"]}],
            [{"key": "app", "operator": "In"}],
            [{"key": "app", "operator": "Exists", "values": ["x"]}],
            [{"key": "app", "operator": "in", "values": ["{name}"]}],
            [{"operator": "Exists"}],
        ),
        ("spec", "template", "metadata", "labels"): LABELS,
        ("spec", "template"): ({}, None, "x", GONE),
        **pod_changes(("spec", "template", "spec")),
    },
    "Service": {
        ("spec", "type"): ("ClusterIP", "NodePort", "nodeport", "", 1, None),
        ("spec", "selector"): LABELS,
        ("spec", "ports"): ([], None, "x", [{"port": 80}, {"port": 80}], GONE),
        ("spec", "ports", 0, "port"): PORTS,
        ("spec", "ports", 0, "targetPort"): TARGETS,
        ("spec", "ports", 0, "protocol"): ("TCP", "UDP", "SCTP", "tcp", "", None),
        ("spec", "ports", 0, "name"): NAMES,
        ("spec", "ports", 0, "nodePort"): (0, 80, 70000, "30080", None),
        ("spec", "clusterIP"): ("None", "", "x", "8.8.8.8", None),
        ("spec", "sessionAffinity"): ("None", "ClientIP", "clientip", ""),
        ("spec", "externalTrafficPolicy"): ("Local", "Cluster", "local", ""),
    },
    "ConfigMap": {
        ("data",): ({"a": "x"}, {"a b": "x"}, {"a": 1}, {"": "x"}, {"a": None}, [], "x", None),
        ("binaryData",): ({"c": "eA=="}, {"c": "not base64!"}, {"a": "eA=="}),
        ("immutable",): (True, "true", None),
    },
    "EndpointSlice": {
        ("addressType",): ("IPv6", "FQDN", "ipv4", "", None),
        ("endpoints",): ([], None, [{}], [{"addresses": ["x"]}], [{"addresses": ["127.0.0.1"]}]),
        ("ports",): ([], None, [{}], [{"port": 0}], [{"name": "A_"}], [{"protocol": "x"}]),
    },
    "Event": {
        ("involvedObject",): ({}, None, {"kind": "Pod", "name": "x", "namespace": "other"}),
        ("type",): ("Warning", "x", "", None),
        ("eventTime",): ("2020-01-01T00:00:00.000000Z", "x", None),
        ("reportingComponent",): ("a/b", "a b", ""),
        ("reason",): ("", "x" * 129, None),
        ("count",): (3, -1, "x"),
    },
    "Lease": {
        ("spec", "leaseDurationSeconds"): COUNTS,
        ("spec", "leaseTransitions"): COUNTS,
        ("spec", "renewTime"): ("2020-01-01T00:00:00.000000Z", "x", None),
        ("spec", "preferredHolder"): ("you",),
    },
    "ServiceAccount": {
        ("automountServiceAccountToken",): (True, "x", None),
        ("imagePullSecrets",): ([{"name": "x"}], [{"name": "x"}, {"name": "x"}], "x"),
    },
}


def put(thing: Any, path: tuple[Step, ...], value: Any) -> None:
    """Set a field, as far as the way to it is there."""
    for step, following in pairwise(path):
        if isinstance(thing, dict):
            thing = thing.setdefault(step, [] if isinstance(following, int) else {})
        elif isinstance(thing, list) and isinstance(step, int) and step < len(thing):
            thing = thing[step]
        else:
            return
    last = path[-1]
    if isinstance(thing, dict):
        if value is GONE:
            thing.pop(last, None)
        else:
            thing[last] = copy.deepcopy(value)


@st.composite
def changed(draw: st.DrawFn, kind: str) -> Object:
    """Draw an object with up to two fields changed."""
    made = thing(kind)
    choices = {**COMMON, **OWN[kind]}
    for path in draw(st.lists(st.sampled_from(sorted(choices, key=repr)), max_size=2)):
        put(made, path, draw(st.sampled_from(choices[path])))
    return made


@st.composite
def partial(draw: st.DrawFn, kind: str) -> Object:
    """Draw a patch of one field."""
    choices = OWN[kind] | {
        ("metadata", "labels"): LABELS,
        ("metadata", "annotations"): ({"a": "b"},),
    }
    path = draw(st.sampled_from(sorted(choices, key=repr)))
    value = draw(st.sampled_from(choices[path]))
    made: Object = {}
    if not any(isinstance(step, int) for step in path):
        put(made, path, None if value is GONE else value)
    return made


@st.composite
def examples(draw: st.DrawFn) -> list[Request]:
    """Draw the creation of an object and what may happen to it afterwards."""
    kind = draw(st.sampled_from(sorted(COLLECTIONS)))
    collection = COLLECTIONS[kind]
    one = collection + "/{name}"
    query = draw(st.sampled_from(["", "", "?fieldValidation=Strict", "?dryRun=All", "?dryRun=x"]))
    steps = [send("POST", collection + query, draw(changed(kind)))]
    followers: list[Callable[[], Request]] = [
        lambda: Request("GET", one),
        lambda: Request("GET", one, accept=TABLE),
        lambda: send("PATCH", one, draw(partial(kind)), PATCHES["merge"]),
        lambda: send("PATCH", one, draw(partial(kind)), PATCHES["strategic"]),
        lambda: send("PUT", one, draw(changed(kind))),
        lambda: send("PATCH", one, [draw(st.sampled_from(OPERATIONS))], JSON_PATCH),
        lambda: send("PATCH", f"{one}?fieldManager=me", draw(changed(kind)), APPLY),
        lambda: send("DELETE", one, {"propagationPolicy": draw(st.sampled_from(ANY[:4]))}),
        lambda: Request(
            "DELETE", one + draw(st.sampled_from(["?dryRun=All", "?gracePeriodSeconds=-1"]))
        ),
    ]
    if kind == "ReplicaSet":
        followers.append(lambda: scaled(one, draw(st.sampled_from(COUNTS))))
    for follower in draw(st.lists(st.sampled_from(range(len(followers))), max_size=2)):
        steps.append(followers[follower]())
    return steps


def scaled(one: str, replicas: Any) -> Request:
    """Describe a change of the scale subresource."""
    spec = {} if replicas is GONE else {"replicas": replicas}
    return send("PATCH", one + "/scale", {"spec": spec}, PATCHES["merge"])


def send(method: str, path: str, body: Any, content_type: str = "application/json") -> Request:
    """Describe a request with a body."""
    return Request(method, path, json.dumps(body, sort_keys=True), content_type)
