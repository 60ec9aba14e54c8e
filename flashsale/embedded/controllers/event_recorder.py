"""Events: what happened to whom, counted instead of repeated (client-go tools/record).

The same message about the same object raises a count; many messages that differ only in their text
become one "(combined from similar events)"; and an object that never stops is cut off.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, TypeVar

from flashsale.embedded.apiserver.registry.deletion import DeleteOptions
from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.types.api_errors import StatusError
from flashsale.embedded.types.resources import EVENTS, PODS, Resource
from flashsale.objects.models import Object, namespaced_name, rfc3339, timestamp

SIMILAR_MAX = 10  # different texts within SIMILAR_SECONDS, from then on they are combined
SIMILAR_SECONDS = 600
BURST = 25  # events about one object from one source, then one every REFILL_SECONDS
REFILL_SECONDS = 300
REMEMBERED = 4096  # entries a cache may have
TTL_SECONDS = 3600
EventType = Literal["Normal", "Warning"]
Key = tuple[str, ...]
T = TypeVar("T")


@dataclass(slots=True)
class _Similar:
    since: float
    texts: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class EventRecorder:
    """Writes core/v1 Events as one component of the cluster."""

    def __init__(self, registry: Registry, component: str, host: str = "") -> None:
        self._registry = registry
        self._component = component
        self._host = host
        self._clock = registry.clock
        self._names: OrderedDict[Key, str] = OrderedDict()  # of the event to count up
        self._similar: OrderedDict[Key, _Similar] = OrderedDict()
        self._buckets: OrderedDict[Key, _Bucket] = OrderedDict()

    def record(
        self,
        resource: Resource,
        thing: Object,
        type_: EventType,
        reason: str,
        message: str,
        field_path: str = "",
    ) -> None:
        """Record an event about an object; one that cannot be written is dropped, as real ones."""
        involved = _reference(resource, thing, field_path)
        about = tuple(involved.get(key, "") for key in ("kind", "namespace", "name", "uid"))
        if not self._admit(about):
            return
        similar: Key = (*about, field_path, type_, reason)
        key, message = self._combine(similar, message)
        namespace = involved.get("namespace") or "default"
        old = self._registry.store.get(EVENTS, namespace, self._names.get(key, ""))
        try:
            if old:
                self._count(namespace, old, message)
            else:
                _put(self._names, key, self._create(namespace, involved, type_, reason, message))
        except StatusError:
            return  # the namespace is going away

    def _admit(self, about: Key) -> bool:
        now = self._clock()
        bucket = self._buckets.get(about) or _Bucket(BURST, now)
        passed = max(0.0, now - bucket.at)  # a clock that is set back takes nothing away
        bucket.tokens = min(BURST, bucket.tokens + passed / REFILL_SECONDS)
        bucket.at = now
        _put(self._buckets, about, bucket)
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True

    def _combine(self, similar: Key, message: str) -> tuple[Key, str]:
        now = self._clock()
        record = self._similar.get(similar)
        if record is None or now - record.since > SIMILAR_SECONDS:
            record = _Similar(now)
        record.texts.add(message)
        record.since = now
        _put(self._similar, similar, record)
        if len(record.texts) < SIMILAR_MAX:
            return (*similar, message), message
        if len(record.texts) > SIMILAR_MAX:
            record.texts.pop()  # enough are known; do not grow with every new text
        return similar, f"(combined from similar events): {message}"

    def _create(
        self, namespace: str, involved: Object, type_: EventType, reason: str, message: str
    ) -> str:
        now = self._clock()
        body = {
            "metadata": {"name": event_name(involved["name"], now)},
            "involvedObject": involved,
            "reason": reason,
            "message": message,
            "source": {"component": self._component} | ({"host": self._host} if self._host else {}),
            "firstTimestamp": rfc3339(now),
            "lastTimestamp": rfc3339(now),
            "count": 1,
            "type": type_,
            "eventTime": None,
            "reportingComponent": self._component,
            "reportingInstance": self._host,
        }
        created = self._registry.create(EVENTS, namespace, body, manager=self._component)
        return str(created["metadata"]["name"])

    def _count(self, namespace: str, old: Object, message: str) -> None:
        more = {
            "count": old.get("count", 1) + 1,
            "lastTimestamp": rfc3339(self._clock()),
            "message": message,
        }
        self._registry.update(EVENTS, namespace, old["metadata"]["name"], old | more)


def record_scheduling(
    registry: Registry,
    pod: Object,
    type_: EventType,
    reason: str,
    message: str,
    *,
    action: str = "",
) -> None:
    """Record the scheduler's kind of event: events.k8s.io fields, no first and last time."""
    now = registry.clock()
    involved = _reference(PODS, pod, "")
    body = {
        "metadata": {"name": event_name(involved["name"], now)},
        "involvedObject": involved,
        "reason": reason,
        "message": message,
        "source": {},
        "firstTimestamp": None,
        "lastTimestamp": None,
        "type": type_,
        "eventTime": micro_time(math.floor(now)),  # by this kubectl sorts, and by others' seconds
        "action": action or ("Binding" if type_ == "Normal" else "Scheduling"),
        "reportingComponent": "default-scheduler",
        "reportingInstance": "default-scheduler-embedded",
    }
    registry.create(EVENTS, involved["namespace"], body)


def expire(registry: Registry) -> None:
    """Delete events whose last time is over an hour ago (kube-apiserver's --event-ttl)."""
    oldest = registry.clock() - TTL_SECONDS
    for event in registry.store.all(EVENTS):
        if event_time(event) < oldest:
            registry.delete(EVENTS, *namespaced_name(event), DeleteOptions())


def event_time(event: Object) -> float:
    """Return when an event was last seen, in unix seconds."""
    for key in ("lastTimestamp", "eventTime"):
        if event.get(key):
            return timestamp(event[key])
    return timestamp(event["metadata"]["creationTimestamp"])


def event_name(name: str, now: float) -> str:
    """Name an event as client-go does: the object's name, a dot, hex nanoseconds."""
    return f"{name}.{int(now * 1e9):x}"


def micro_time(seconds: float) -> str:
    """Write unix seconds as a MicroTime: UTC with six decimals."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _reference(resource: Resource, thing: Object, field_path: str) -> Object:
    meta = thing["metadata"]
    reference: Object = {"kind": resource.kind}
    if resource.namespaced:
        reference["namespace"] = meta["namespace"]
    reference["name"] = meta["name"]
    if meta.get("uid"):
        reference["uid"] = meta["uid"]
    reference["apiVersion"] = resource.api_version
    if meta.get("resourceVersion"):
        reference["resourceVersion"] = meta["resourceVersion"]
    return reference | ({"fieldPath": field_path} if field_path else {})


def _put(cache: OrderedDict[Key, T], key: Key, value: T) -> None:
    cache[key] = value
    cache.move_to_end(key)
    if len(cache) > REMEMBERED:
        cache.popitem(last=False)
