"""What the sale is made of, as people see it: pods, ReplicaSet, Service, in kubectl's words.

Everything here is pure: API objects (plain JSON dicts) in, frozen views out. The columns that
``columns`` derives are used on both sides: by the commands, and by the embedded cluster when it
prints server-side tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from flashsale.base.known_images import foreign_language
from flashsale.objects.columns import (
    find_condition,
    has_ended,
    human_duration,
    is_ready,
    pod_columns,
    service_ports,
)
from flashsale.objects.fields import Section, sections, timestamp

__all__ = [
    "Object",
    "Pod",
    "ReplicaSet",
    "Service",
    "controller_uid",
    "find_condition",
    "has_ended",
    "human_duration",
    "is_ready",
    "rfc3339",
    "service_ports",
    "timestamp",
]

Object = dict[str, Any]  # an API object as JSON


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod as `kubectl get pods -o wide` shows it, plus what tells pods apart."""

    name: str
    uid: str
    ready: bool  # all containers are ready
    status: str  # kubectl's STATUS word: Running, Terminating, CrashLoopBackOff, ...
    restarts: int
    created: float  # unix seconds, whole
    ip: str
    node: str
    containers: int = 1
    containers_ready: int = 0
    terminating: bool = False
    owner_uid: str = ""  # of the controlling ReplicaSet, empty for an orphan
    image_id: str = ""  # of the app's container
    restarted: float = 0.0  # unix seconds of the last restart, whole; 0 if there was none
    waiting: str = ""  # what the first container that waits is waiting for, in the kubelet's words
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)  # as sent

    @classmethod
    def from_object(cls, pod: Mapping[str, Any]) -> Pod:
        """Read a pod as the API server sends it; missing parts read as empty."""
        meta, spec, status = pod["metadata"], pod.get("spec") or {}, pod.get("status") or {}
        statuses = status.get("containerStatuses") or []
        columns = pod_columns(pod)
        return cls(
            name=meta["name"],
            uid=meta.get("uid", ""),
            ready=0 < columns.total == columns.ready,
            status=columns.status,
            restarts=columns.restarts,
            created=timestamp(meta.get("creationTimestamp")),
            ip=status.get("podIP", ""),
            node=spec.get("nodeName", ""),
            containers=columns.total,
            containers_ready=columns.ready,
            terminating=bool(meta.get("deletionTimestamp")),
            owner_uid=controller_uid(pod),
            image_id=_image_id(pod, statuses),
            restarted=columns.restarted,
            waiting=_waiting(statuses),
            raw=pod,
        )

    @property
    def app_container(self) -> Section:
        """The container of its spec that is the app's; empty without one."""
        return app_container(sections(self.raw, "spec", "containers"))


def app_container(containers: Sequence[Section]) -> Section:
    """Return the first of some containers that is not a well-known other program's; else the first.

    The others stand beside the app: a cache, a proxy.
    """
    own = (each for each in containers if not foreign_language(str(each.get("image") or "")))
    return next(own, next(iter(containers), {}))


def _image_id(pod: Mapping[str, Any], statuses: Sequence[Mapping[str, Any]]) -> str:
    """Return the imageID of the app's container; the kubelet sorts their statuses by name."""
    name = app_container(sections(pod, "spec", "containers")).get("name")
    matching = (status for status in statuses if status.get("name") == name)
    return str(next(matching, next(iter(statuses), {})).get("imageID") or "")


def _waiting(statuses: Sequence[Mapping[str, Any]]) -> str:
    waits = ((status.get("state") or {}).get("waiting") or {} for status in statuses)
    return next((str(wait["message"]) for wait in waits if wait.get("message")), "")


@dataclass(frozen=True, slots=True)
class ReplicaSet:
    """A ReplicaSet's DESIRED, CURRENT and READY."""

    name: str
    uid: str
    desired: int
    current: int
    ready: int
    created: float  # unix seconds
    observed: bool = True  # the controller has acted on the newest spec
    selector: str = ""
    containers: tuple[str, ...] = ()
    images: tuple[str, ...] = ()

    @classmethod
    def from_object(cls, replicaset: Mapping[str, Any]) -> ReplicaSet:
        """Read a ReplicaSet as the API server sends it."""
        meta, spec, status = (replicaset.get(part) or {} for part in ("metadata", "spec", "status"))
        template = (spec.get("template") or {}).get("spec") or {}
        containers = template.get("containers") or []
        return cls(
            name=meta["name"],
            uid=meta.get("uid", ""),
            desired=spec.get("replicas", 1),
            current=status.get("replicas", 0),
            ready=status.get("readyReplicas", 0),
            created=timestamp(meta.get("creationTimestamp")),
            observed=status.get("observedGeneration", 0) >= meta.get("generation", 0),
            selector=",".join(_requirements(spec.get("selector") or {})),
            containers=tuple(container.get("name", "") for container in containers),
            images=tuple(container.get("image", "") for container in containers),
        )


def _requirements(selector: Mapping[str, Any]) -> Iterator[str]:
    """Write a label selector as a query has it (apimachinery, LabelSelectorAsSelector)."""
    for key, value in sorted((selector.get("matchLabels") or {}).items()):
        yield f"{key}={value}"
    for requirement in selector.get("matchExpressions") or []:
        values = ",".join(requirement.get("values") or [])
        match requirement["operator"]:
            case "Exists":
                yield requirement["key"]
            case "DoesNotExist":
                yield f"!{requirement['key']}"
            case operator:
                yield f"{requirement['key']} {operator.lower()} ({values})"


@dataclass(frozen=True, slots=True)
class Service:
    """A Service as `kubectl get service` shows it."""

    name: str
    type: str
    cluster_ip: str
    node_port: int | None  # of the first port
    ports: str  # PORT(S), for example 80:30080/TCP
    created: float  # unix seconds
    external: str = ""  # first load balancer address, empty if none
    namespace: str = "default"
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)  # as sent

    @classmethod
    def from_object(cls, service: Mapping[str, Any]) -> Service:
        """Read a Service as the API server sends it."""
        meta, spec, status = (service.get(part) or {} for part in ("metadata", "spec", "status"))
        ports = spec.get("ports") or []
        ingress = (status.get("loadBalancer") or {}).get("ingress") or [{}]
        return cls(
            name=meta["name"],
            type=spec.get("type", "ClusterIP"),
            cluster_ip=spec.get("clusterIP", ""),
            node_port=ports[0].get("nodePort") if ports else None,
            ports=service_ports(ports),
            created=timestamp(meta.get("creationTimestamp")),
            external=ingress[0].get("ip") or ingress[0].get("hostname") or "",
            namespace=meta.get("namespace", "default"),
            raw=service,
        )


def namespaced_name(thing: Mapping[str, Any]) -> tuple[str, str]:
    """Return what tells an object from others of its kind: namespace, empty if none, and name."""
    return thing["metadata"].get("namespace", ""), thing["metadata"]["name"]


def labels_of(thing: Mapping[str, Any]) -> Mapping[str, str]:
    return thing["metadata"].get("labels") or {}


def controller_uid(thing: Mapping[str, Any]) -> str:
    """Return the uid of the owner that controls an object, or an empty string."""
    for owner in thing["metadata"].get("ownerReferences") or []:
        if owner.get("controller"):
            return str(owner["uid"])
    return ""


def rfc3339(seconds: float) -> str:
    """Write unix seconds as the API does: UTC, whole seconds, `Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
