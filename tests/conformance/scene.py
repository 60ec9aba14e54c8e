"""A namespace of a test's own: what happens in it is recorded, and what is in it goes with it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from tests.conformance.api import Api, Object, Stream, path_of
from tests.conformance.kubectl import Kubectl

T = TypeVar("T")
PATIENCE = 50.0  # seconds; a limit for what takes one or two on an idle machine
RECORDED = ("pods", "replicasets", "endpointslices", "events")
FURNITURE = ("serviceaccounts/default", "configmaps/kube-root-ca.crt")  # no pod starts without


@dataclass(frozen=True, slots=True)
class Change:
    """One watch event, and when it arrived (monotonic seconds)."""

    at: float
    type: str
    object: Object

    @property
    def name(self) -> str:
        """The object's name."""
        return str(self.object["metadata"]["name"])

    @property
    def version(self) -> int:
        """The write's place in the order of all writes, across kinds."""
        return int(self.object["metadata"]["resourceVersion"])


class Recording:
    """Everything that happens to one kind of object in a namespace, from its beginning."""

    def __init__(self, stream: Stream, happened: threading.Condition) -> None:
        self.changes: list[Change] = []
        self._happened = happened
        self._stream = stream
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def now(self) -> dict[str, Object]:
        """The objects that exist, by name."""
        found: dict[str, Object] = {}
        for change in list(self.changes):
            if change.type == "DELETED":
                found.pop(change.name, None)
            else:
                found[change.name] = change.object
        return found

    def of(self, name: str) -> list[Change]:
        """All changes of one object."""
        return [change for change in list(self.changes) if change.name == name]

    def stop(self) -> None:
        """Stop recording."""
        self._stream.stop()
        self._thread.join()

    def _read(self) -> None:
        for line in self._stream.lines():
            event = json.loads(line)
            with self._happened:
                self.changes.append(Change(time.monotonic(), event["type"], event["object"]))
                self._happened.notify_all()


class Scene:
    """One namespace with its recordings."""

    def __init__(self, namespace: str, api: Api, kubectl: Kubectl, streams: list[Stream]) -> None:
        self.namespace = namespace
        self.api = api
        self.kubectl = kubectl.inside(namespace)
        self._happened = threading.Condition()
        self.pods, self.replicasets, self.slices, self.events = self.recordings = [
            Recording(stream, self._happened) for stream in streams
        ]

    def path(self, kind: str, name: str = "", subresource: str = "") -> str:
        """Return the path of something in this namespace."""
        return path_of(self.namespace, kind, name, subresource)

    def create(self, *things: Object) -> None:
        """Create objects; returns when the recordings have those that are recorded."""
        for thing in things:
            plural = f"{thing['kind'].lower()}s"
            name = self.api.create(self.path(plural), thing)["metadata"]["name"]
            if plural in RECORDED:
                self.until(partial(self._recorded, plural, name), f"{plural}/{name} is recorded")

    def patch(self, kind: str, name: str, change: Object) -> Object:
        """Change an object with a merge patch."""
        return self.api.patch(self.path(kind, name), change)

    def scale(self, name: str, replicas: int) -> None:
        """Set the replicas of a ReplicaSet."""
        self.api.patch(self.path("replicasets", name, "scale"), {"spec": {"replicas": replicas}})

    def delete(self, kind: str, name: str, **options: object) -> Object:
        """Delete an object; options are those of DeleteOptions."""
        answer = self.api.send("DELETE", self.path(kind, name), options or None)
        assert answer.status in (200, 202), answer.body
        deleted: Object = answer.json
        return deleted

    def until(self, condition: Callable[[], T], what: str, *, timeout: float = PATIENCE) -> T:
        """Wait until a condition holds, looking again after each change; returns what it gave.

        Args:
            timeout: in seconds.
        """
        deadline = time.monotonic() + timeout
        with self._happened:
            while not (value := condition()):
                left = deadline - time.monotonic()
                assert left > 0, f"not within {timeout:.0f} s: {what}\n{self.history()}"
                self._happened.wait(min(left, 0.2))
        return value

    def until_ready(self, count: int, name: str = "flashsale-rs") -> list[Object]:
        """Wait until a ReplicaSet says that all its pods are ready; returns those pods."""
        self.until(lambda: self._settled(name, count), f"{name} has {count} ready pods")
        return self.owned(name)

    def owned(self, name: str = "flashsale-rs") -> list[Object]:
        """Return the pods of a ReplicaSet that are not on their way out."""
        return [pod for pod in self.pods.now.values() if owner(pod) == name and not leaving(pod)]

    def events_about(self, name: str) -> list[Object]:
        """Return the Events about an object."""
        events = self.events.now.values()
        return [event for event in events if event["involvedObject"]["name"] == name]

    def reasons(self, name: str) -> list[str]:
        """Return the reasons of the Events about an object."""
        return [event["reason"] for event in self.events_about(name)]

    def until_event(self, name: str, reason: str, *, count: int = 1, text: str = "") -> Object:
        """Wait for the Event with that reason to have been seen so often; returns it.

        Events come on their own way, some time after what they tell about.

        Args:
            text: a part of its message.
        """

        def found() -> Object | None:
            of_reason = [event for event in self.events_about(name) if event["reason"] == reason]
            events = [event for event in of_reason if text in event.get("message", "")]
            times = sum(event.get("count") or 1 for event in events)
            return events[-1] if events and times >= count else None

        event = self.until(found, f"{count} x {reason} {text!r} about {name}")
        assert event is not None
        return event

    def endpoints(self, service: str = "flashsale-svc") -> dict[str, Object]:
        """Return the conditions of a Service's endpoints by the pod's name."""
        return {
            endpoint["targetRef"]["name"]: endpoint["conditions"]
            for one in self.slices.now.values()
            if one["metadata"]["labels"].get("kubernetes.io/service-name") == service
            for endpoint in one.get("endpoints") or []
        }

    def history(self) -> str:
        """Tell the last changes, for a test that failed."""
        lines = [
            f"{change.at:.2f} {change.type} {change.object['kind']} {change.name} "
            f"{json.dumps(change.object.get('status') or change.object.get('message'))[:400]}"
            for change in sorted(self._all(), key=lambda change: change.at)[-40:]
        ]
        return "\n".join(lines)

    def _recorded(self, kind: str, name: str) -> bool:
        return bool(self.recordings[RECORDED.index(kind)].of(name))

    def _all(self) -> Iterator[Change]:
        for recording in self.recordings:
            yield from list(recording.changes)

    def _settled(self, name: str, count: int) -> bool:
        replicaset = self.replicasets.now.get(name)
        if replicaset is None:
            return False
        status, meta = replicaset.get("status") or {}, replicaset["metadata"]
        acted = status.get("observedGeneration", 0) >= meta["generation"]
        counts = status.get("replicas", 0), status.get("readyReplicas", 0)
        pods = self.owned(name)  # the status may still tell of a pod that was just replaced
        whole = len(pods) == count and all(map(ready, pods))
        return bool(acted and counts == (count, count) and whole)


@contextmanager
def scene(namespace: str, api: Api, kubectl: Kubectl) -> Iterator[Scene]:
    """Make a namespace and record it; asks for its deletion at the end, and does not wait."""
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    listed = api.create("/api/v1/namespaces", body)["metadata"]["resourceVersion"]
    with ExitStack() as stack:
        stack.callback(api.send, "DELETE", f"/api/v1/namespaces/{namespace}")
        streams = [
            stack.enter_context(
                api.stream(f"{path_of(namespace, kind)}?watch=1&resourceVersion={listed}")
            )
            for kind in RECORDED
        ]
        made = Scene(namespace, api, kubectl, streams)
        for recording in made.recordings:
            stack.callback(recording.stop)
        made.until(partial(furnished, made), "pods can start here")
        yield made


def furnished(scene: Scene) -> bool:
    """Whether the controllers gave a new namespace what the pods in it need."""
    paths = [f"/api/v1/namespaces/{scene.namespace}/{thing}" for thing in FURNITURE]
    return all(scene.api.send("GET", path).status == 200 for path in paths)


def names(things: Iterable[Object]) -> set[str]:
    """Return the names of objects."""
    return {thing["metadata"]["name"] for thing in things}


def uids(things: Iterable[Object]) -> set[str]:
    """Return the uids of objects."""
    return {thing["metadata"]["uid"] for thing in things}


def owner(thing: Object) -> str:
    """Return the name of an object's controller, empty if it has none."""
    owners = thing["metadata"].get("ownerReferences") or []
    return next((str(entry["name"]) for entry in owners if entry.get("controller")), "")


def leaving(pod: Object) -> bool:
    """Whether a pod is being deleted, or has ended."""
    ended = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    return ended or "deletionTimestamp" in pod["metadata"]


def condition(pod: Object, kind: str) -> Object:
    """Return one condition of a pod, empty if it has none of that type."""
    found = (pod.get("status") or {}).get("conditions") or []
    return next((line for line in found if line["type"] == kind), {})


def ready(pod: Object) -> bool:
    """Whether a pod's Ready condition holds."""
    return condition(pod, "Ready").get("status") == "True"


def container(pod: Object) -> Object:
    """Return the status of a pod's only container, empty before it has one."""
    statuses: list[Object] = (pod.get("status") or {}).get("containerStatuses") or [{}]
    return statuses[0]
