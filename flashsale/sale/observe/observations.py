"""What can be seen of a sale from outside: each observation with the moment of its arrival.

``at`` is always seconds on the monotonic clock, taken when the news arrived here: the API's own
times are whole seconds. ``version`` is a resourceVersion as a number, 0 where it is none; the fold
uses it only as a hint about the order of news that came over different streams.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flashsale.objects.models import Object, Pod, ReplicaSet, Service, find_condition, timestamp
from flashsale.objects.nodes import Node

Cause = Literal["deleted", "crashed", "failed", "evicted", "lost", "released"]
PodChange = Literal["listed", "added", "changed", "gone"]

ENDED = ("Succeeded", "Failed")  # phases that a pod never leaves
LOST = ("DeletionByTaintManager", "DeletionByPodGC", "NodeLost")
EVICTED = ("EvictionByEvictionAPI", "PreemptionByScheduler", "TerminationByKubelet", "Evicted")


@dataclass(frozen=True, slots=True)
class PodSeen:
    """One sight of a pod. ``listed`` pods were there before anybody looked."""

    at: float
    change: PodChange
    pod: Pod
    ready: bool  # its Ready condition, which is what the ReplicaSet counts
    running: bool  # every container runs
    ended: bool  # its phase is Succeeded or Failed
    cause: Cause  # why it leaves, if this is how it leaves
    version: int = 0
    heard: float | None = None  # the change was missed: it happened between this moment and `at`

    @property
    def earliest(self) -> float:
        """When the change happened, or the earliest moment at which it can have."""
        return self.at if self.heard is None else min(self.at, self.heard)

    @classmethod
    def from_object(
        cls,
        pod: Object,
        change: PodChange,
        at: float,
        *,
        relisted: bool = False,
        heard: float | None = None,
    ) -> PodSeen:
        """Read a pod as the API sends it.

        Args:
            relisted: the change was found by listing again, so its moment and reason were missed.
            heard: when the stream was last known to be live, for a change that was missed.
        """
        seen = Pod.from_object(pod)
        return cls(
            at=at,
            change=change,
            pod=seen,
            ready=find_condition(pod, "Ready").get("status") == "True",
            running=_running(pod),
            ended=(pod.get("status") or {}).get("phase") in ENDED,
            cause=_cause(pod, unseen=relisted and change == "gone"),
            version=version_of(pod),
            heard=heard,
        )


@dataclass(frozen=True, slots=True)
class ReplicaSetSeen:
    """The ReplicaSet as it is now; None once it is deleted or being deleted."""

    at: float
    replicaset: ReplicaSet | None
    version: int = 0

    @classmethod
    def from_object(cls, replicaset: Object, change: PodChange, at: float) -> ReplicaSetSeen:
        leaving = change == "gone" or bool(replicaset["metadata"].get("deletionTimestamp"))
        replicaset_seen = None if leaving else ReplicaSet.from_object(replicaset)
        return cls(at, replicaset_seen, version_of(replicaset))


@dataclass(frozen=True, slots=True)
class ServiceSeen:
    """The sale's Service as it is now; None where there is none."""

    at: float
    service: Service | None

    @classmethod
    def from_object(cls, service: Object, change: PodChange, at: float) -> ServiceSeen:
        return cls(at, None if change == "gone" else Service.from_object(service))


@dataclass(frozen=True, slots=True)
class SliceSeen:
    """One EndpointSlice: the pods to which its Service sends new connections now."""

    at: float
    name: str
    ready: frozenset[str]  # names of pods

    @classmethod
    def from_object(cls, obj: Object, change: PodChange, at: float) -> SliceSeen:
        """Read an EndpointSlice as the API sends it; a deleted one serves nobody."""
        endpoints = [] if change == "gone" else obj.get("endpoints") or []
        # An absent condition means ready: EndpointConditions in the discovery/v1 API.
        serving = (e for e in endpoints if (e.get("conditions") or {}).get("ready", True))
        names = frozenset((e.get("targetRef") or {}).get("name", "") for e in serving)
        return cls(at, obj["metadata"]["name"], names - {""})


@dataclass(frozen=True, slots=True)
class NodeSeen:
    """One sight of a node of the cluster."""

    at: float
    change: PodChange
    node: Node

    @classmethod
    def from_object(cls, node: Object, change: PodChange, at: float) -> NodeSeen:
        return cls(at, change, Node.from_object(node))


@dataclass(frozen=True, slots=True)
class EventSeen:
    """One Event of the API about the ReplicaSet or one of its pods."""

    at: float
    kind: str  # of what it is about
    name: str
    type: str  # Normal or Warning
    reason: str
    message: str
    count: int = 1
    old: bool = False  # from before anybody looked
    when: float = 0.0  # unix seconds, as the cluster's clock says, most of them whole
    version: int = 0
    uid: str = ""  # of what it is about

    @classmethod
    def from_object(cls, event: Object, change: PodChange, at: float) -> EventSeen:
        """Read an Event as the API sends it, in its core/v1 form."""
        about = event.get("involvedObject") or {}
        return cls(
            at=at,
            kind=about.get("kind", ""),
            name=about.get("name", ""),
            type=event.get("type", "Normal"),
            reason=event.get("reason", ""),
            message=event.get("message", ""),
            count=event.get("count") or 1,
            old=change == "listed",
            when=timestamp(
                event.get("lastTimestamp")
                or event.get("eventTime")
                or event["metadata"].get("creationTimestamp")
            ),
            version=version_of(event),
            uid=about.get("uid", ""),
        )


@dataclass(frozen=True, slots=True)
class StreamSeen:
    """The state of one stream: how fresh everything that came over it can be."""

    at: float
    source: str  # pods, replicasets, endpointslices, events, nodes
    state: Literal["live", "reconnecting", "resynced"]
    attempt: int = 0  # tries since the last success
    heard: float = 0.0  # when the server was last heard
    why: str = ""  # one line, for reconnecting


@dataclass(frozen=True, slots=True)
class Synced:
    """All streams have listed what was there when they began: the picture is complete."""

    at: float


@dataclass(frozen=True, slots=True)
class Mark:
    """Somebody killed a pod on purpose, and the API or the process took it at that moment."""

    at: float
    pod: str  # name
    cause: Cause = "deleted"


@dataclass(frozen=True, slots=True)
class Served:
    """A purchase that this pod answered was complete."""

    at: float
    pod: str  # name


Observation = (
    PodSeen
    | ReplicaSetSeen
    | ServiceSeen
    | SliceSeen
    | NodeSeen
    | EventSeen
    | StreamSeen
    | Synced
    | Mark
    | Served
)


def first_moment(before: float | None, at: float, happened: bool) -> float | None:
    """Keep when something happened for the first time; None until then."""
    return at if before is None and happened else before


def version_of(obj: Mapping[str, Any]) -> int:
    """Return an object's resourceVersion as a number; the API promises only a string."""
    text = str(obj["metadata"].get("resourceVersion", ""))
    return int(text) if text.isdecimal() else 0


def _running(pod: Mapping[str, Any]) -> bool:
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    return bool(statuses) and all((status.get("state") or {}).get("running") for status in statuses)


def _cause(pod: Mapping[str, Any], *, unseen: bool) -> Cause:
    """Say why a pod leaves, from what the API wrote on it.

    The reasons are those of the condition DisruptionTarget (`pkg/apis/core/types.go`) and of
    `status.reason`, which the kubelet and the node controller set.
    """
    status = pod.get("status") or {}
    reasons = {status.get("reason"), find_condition(pod, "DisruptionTarget").get("reason")}
    if reasons & set(LOST):
        return "lost"
    if reasons & set(EVICTED):
        return "evicted"
    if pod["metadata"].get("deletionTimestamp"):
        return "deleted"
    if status.get("phase") in ENDED:
        return "failed"
    return "lost" if unseen else "released"
