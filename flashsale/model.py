"""What the sale is made of, as people see it: pods, ReplicaSet, Service, in kubectl's words.

Everything here is pure: API objects (plain JSON dicts) in, frozen views out. The functions that
derive a pod's STATUS column and an AGE are used on both sides: by the commands, and by the embedded
cluster when it prints server-side tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Object = dict[str, Any]  # an API object as JSON
MINUTE, HOUR, DAY = 60, 3600, 86400
YEAR = 365 * DAY


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
    image_id: str = ""  # of the first container
    restarted: float = 0.0  # unix seconds of the last restart, whole; 0 if there was none

    @classmethod
    def from_object(cls, pod: Mapping[str, Any]) -> Pod:
        """Read a pod as the API server sends it; missing parts read as empty."""
        meta, spec, status = pod["metadata"], pod.get("spec") or {}, pod.get("status") or {}
        statuses = status.get("containerStatuses") or []
        total = len(spec.get("containers") or [])
        ready = sum(1 for container in statuses if container.get("ready"))
        return cls(
            name=meta["name"],
            uid=meta.get("uid", ""),
            ready=total > 0 and ready == total,
            status=pod_status(pod),
            restarts=sum(container.get("restartCount", 0) for container in statuses),
            created=timestamp(meta.get("creationTimestamp")),
            ip=status.get("podIP", ""),
            node=spec.get("nodeName", ""),
            containers=total,
            containers_ready=ready,
            terminating=bool(meta.get("deletionTimestamp")),
            owner_uid=controller_uid(pod),
            image_id=statuses[0].get("imageID", "") if statuses else "",
            restarted=max(map(_ended_at, statuses), default=0.0),
        )


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
        labels = (spec.get("selector") or {}).get("matchLabels") or {}
        return cls(
            name=meta["name"],
            uid=meta.get("uid", ""),
            desired=spec.get("replicas", 1),
            current=status.get("replicas", 0),
            ready=status.get("readyReplicas", 0),
            created=timestamp(meta.get("creationTimestamp")),
            observed=status.get("observedGeneration", 0) >= meta.get("generation", 0),
            selector=",".join(f"{key}={value}" for key, value in sorted(labels.items())),
            containers=tuple(container.get("name", "") for container in containers),
            images=tuple(container.get("image", "") for container in containers),
        )


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
        )


def controller_uid(thing: Mapping[str, Any]) -> str:
    """Return the uid of the owner that controls an object, or an empty string."""
    for owner in thing["metadata"].get("ownerReferences") or []:
        if owner.get("controller"):
            return str(owner["uid"])
    return ""


def pod_condition(pod: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """Return the pod's condition of that type, empty if it has none."""
    for condition in (pod.get("status") or {}).get("conditions") or []:
        if condition.get("type") == kind:
            return dict(condition)
    return {}


def pod_status(pod: Mapping[str, Any]) -> str:
    """Derive the STATUS column as `printPod` in pkg/printers/internalversion/printers.go does."""
    status = pod.get("status") or {}
    reason = status.get("reason") or status.get("phase") or ""
    scheduled = pod_condition(pod, "PodScheduled")
    if scheduled.get("reason") == "SchedulingGated":
        reason = "SchedulingGated"
    reason = _init_status(pod) or _containers_status(pod, reason)
    if pod["metadata"].get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            return "Unknown"
        if status.get("phase") not in ("Succeeded", "Failed"):
            return "Terminating"
    return str(reason)


def _init_status(pod: Mapping[str, Any]) -> str:
    """Say what the first unfinished init container is at, or nothing once all are done."""
    wanted = (pod.get("spec") or {}).get("initContainers") or []
    statuses = (pod.get("status") or {}).get("initContainerStatuses") or []
    for index, container in enumerate(statuses):
        state = container.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting") or {}
        if ended and ended.get("exitCode") == 0:
            continue
        if ended:
            return "Init:" + _ended(ended)
        if waiting.get("reason") not in (None, "", "PodInitializing"):
            return f"Init:{waiting['reason']}"
        return f"Init:{index}/{len(wanted)}"
    return ""


def _containers_status(pod: Mapping[str, Any], reason: str) -> str:
    error, running = "", False
    for container in reversed((pod.get("status") or {}).get("containerStatuses") or []):
        state = container.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting") or {}
        if waiting.get("reason"):
            reason = waiting["reason"]
        elif ended:
            reason = _ended(ended)
            if ended.get("exitCode") != 0:
                error = reason
        elif container.get("ready") and state.get("running"):
            running = True
    if reason != "Completed":
        return reason
    if running and pod_condition(pod, "Ready").get("status") == "True":
        return "Running"
    return error or ("NotReady" if running else reason)


def _ended_at(container: Mapping[str, Any]) -> float:
    """When a container's life before this one ended, as kubectl's RESTARTS column counts it."""
    before = (container.get("lastState") or {}).get("terminated") or {}
    return timestamp(before.get("finishedAt"))


def _ended(ended: Mapping[str, Any]) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    if ended.get("signal"):
        return f"Signal:{ended['signal']}"
    return f"ExitCode:{ended.get('exitCode', 0)}"


def service_ports(ports: list[Mapping[str, Any]]) -> str:
    """Write the PORT(S) column: `80:30080/TCP`, several joined by commas, `<none>` without any."""
    words = []
    for port in ports:
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        words.append(f"{port['port']}{node}/{port.get('protocol', 'TCP')}")
    return ",".join(words) or "<none>"


def timestamp(text: str | None) -> float:
    """Turn an API time (RFC 3339, with or without a fraction) into unix seconds; 0 for none."""
    return datetime.fromisoformat(text).timestamp() if text else 0.0


def rfc3339(seconds: float) -> str:
    """Write unix seconds as the API does: UTC, whole seconds, `Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def human_duration(seconds: float) -> str:
    """Write an AGE as `HumanDuration` in apimachinery/pkg/util/duration does, truncating."""
    if seconds < -1:
        return "<invalid>"
    whole = max(0, int(seconds))
    if whole < 2 * MINUTE:
        return f"{whole}s"
    for below, big, big_name, small, small_name in (
        (10 * MINUTE, MINUTE, "m", 1, "s"),
        (3 * HOUR, MINUTE, "m", 0, ""),
        (8 * HOUR, HOUR, "h", MINUTE, "m"),
        (2 * DAY, HOUR, "h", 0, ""),
        (8 * DAY, DAY, "d", HOUR, "h"),
        (2 * YEAR, DAY, "d", 0, ""),
        (8 * YEAR, YEAR, "y", DAY, "d"),
    ):
        if whole < below:
            rest = whole % big // small if small else 0
            return f"{whole // big}{big_name}" + (f"{rest}{small_name}" if rest else "")
    return f"{whole // YEAR}y"
