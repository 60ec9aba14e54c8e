"""A node's life, lived on a cluster and recorded: what a client can see of it, change by change."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from tests.conformance.api import STRATEGIC, Api, Object
from tests.conformance.scene import Change, Recording
from tests.peers.nodes.hand_made import NODES, Kubelets, pod, replicaset, running, service

T = TypeVar("T")
PATIENCE = 40.0  # seconds for one step: a second lost node waits ten
PODS, EVENTS = "/api/v1/namespaces/default/pods", "/api/v1/namespaces/default/events"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
REPLICASETS = "/apis/apps/v1/namespaces/default/replicasets"


class Life:
    """One cluster with nodes made by hand, and recordings of all that happens there."""

    def __init__(self, api: Api, kubelets: Kubelets, stack: ExitStack) -> None:
        self.api, self.kubelets = api, kubelets
        self._happened = threading.Condition()
        self.nodes, self.pods, self.slices, self.events = (
            Recording(stack.enter_context(api.stream(f"{path}?watch=1")), self._happened)
            for path in (NODES, PODS, SLICES, EVENTS)
        )
        self._addresses = 0

    def until(self, what: str, condition: Callable[[], T]) -> T:
        """Wait until a condition of the recordings holds; returns what it gave."""
        deadline = time.monotonic() + PATIENCE
        with self._happened:
            while not (value := condition()):
                assert time.monotonic() < deadline, f"not within {PATIENCE:g} s: {what}"
                self._happened.wait(0.2)
        return value

    def until_tainted(self, node: str, *taints: str) -> None:
        """Wait until a node has exactly these taints, each written `key:effect`."""
        self.until(
            f"{node} has {taints}",
            lambda: sorted(taints_of(self.nodes.now.get(node))) == sorted(taints),
        )

    def until_event(self, text: str) -> None:
        """Wait for an event with that message."""
        self.until(text, lambda: any(row["message"] == text for row in self.events.now.values()))

    def until_leaving(self, *names: str) -> None:
        """Wait until pods were told to leave."""
        self.until(f"{names} leave", lambda: all(map(self.is_leaving, names)))

    def is_leaving(self, name: str) -> bool:
        """Whether a pod was told to leave."""
        return "deletionTimestamp" in self.pods.now.get(name, {"metadata": {}})["metadata"]

    def until_bound(self, app: str, node: str) -> str:
        """Wait until a node was given a pod of a ReplicaSet, and return its name."""
        return self.until(
            f"a pod of {app} is on {node}",
            lambda: next(
                (
                    name
                    for name, one in self.pods.now.items()
                    if one["metadata"]["labels"]["app"] == app
                    and one["spec"].get("nodeName") == node
                ),
                "",
            ),
        )

    def until_served(self, *names: str) -> None:
        """Wait until the ready endpoints are these pods'."""
        self.until(f"endpoints {names}", lambda: self._served() == set(names))

    def place(self, name: str, node: str, **tolerations: int | None) -> None:
        """Bind a pod to a node, where it runs."""
        self.api.create(PODS, pod(name, node, **tolerations))
        self.run(name)

    def run(self, name: str) -> None:
        """Write a pod's status as a kubelet whose pod is ready."""
        self._addresses += 1
        status = running(f"10.244.9.{self._addresses}")
        self.api.patch(f"{PODS}/{name}/status", {"status": status}, STRATEGIC)

    def end(self, name: str) -> None:
        """Let go of a pod that was told to leave, as its kubelet does."""
        self.api.send("DELETE", f"{PODS}/{name}", {"gracePeriodSeconds": 0})
        self.until(f"{name} is gone", lambda: name not in self.pods.now)

    def change_spec(self, node: str, **change: object) -> None:
        """Change a node as `kubectl cordon` and `kubectl taint` do."""
        self.api.patch(f"{NODES}/{node}", {"spec": change}, STRATEGIC)

    def remove(self, node: str) -> None:
        """Delete a node and its lease."""
        self.kubelets.stop(node)
        self.api.send("DELETE", f"{NODES}/{node}")

    def _served(self) -> set[str]:
        return {
            endpoint["targetRef"]["name"]
            for found in self.slices.now.values()
            for endpoint in found.get("endpoints") or []
            if endpoint["conditions"].get("ready")
        }


@contextmanager
def lived(api: Api) -> Iterator[Life]:
    """Start recording, and kubelets of no node yet."""
    with ExitStack() as stack:
        kubelets = stack.enter_context(Kubelets(api).running())
        yield Life(api, kubelets, stack)


def live(life: Life) -> None:
    """One node goes silent and comes back, another is in trouble, tainted, cordoned, removed."""
    unreachable, not_ready = (
        [f"node.kubernetes.io/{key}:{effect}" for effect in ("NoSchedule", "NoExecute")]
        for key in ("unreachable", "not-ready")
    )
    kubelets = life.kubelets
    life.api.create("/api/v1/namespaces/default/services", service("shop"))
    kubelets.register("a")
    life.until_tainted("a")
    life.api.create(REPLICASETS, replicaset("shop"))
    victim = life.until_bound("shop", "a")
    life.run(victim)
    life.until_served(victim)
    life.place("usual", "a")
    life.place("hasty", "a", unreachable=1)  # with 0 it may leave before it is not ready
    life.place("later", "a", unreachable=300)
    life.place("forever", "a", any=None)
    kubelets.register("b")
    life.until_tainted("b")

    kubelets.stop("a")
    life.until_tainted("a", *unreachable)
    life.until_leaving("hasty", "usual", victim)
    replacement = life.until_bound("shop", "b")
    life.run(replacement)
    life.until_served(replacement)
    kubelets.start("a")
    life.until_tainted("a")
    life.until_event("Cancelling deletion of Pod default/later")
    for name in ("hasty", "usual", victim):
        life.end(name)

    kubelets.register("c")
    life.until_tainted("c")
    kubelets.post_status("c", ready="False")
    life.until_tainted("c", *not_ready)
    kubelets.stop("c")
    life.until_tainted("c", *unreachable)
    kubelets.start("c")
    life.until_tainted("c")
    pressures = {"MemoryPressure": "True", "DiskPressure": "True", "PIDPressure": "True"}
    kubelets.post_status("c", NetworkUnavailable="True", **pressures)
    keys = ("memory-pressure", "disk-pressure", "pid-pressure", "network-unavailable")
    life.until_tainted("c", *(f"node.kubernetes.io/{key}:NoSchedule" for key in keys))
    kubelets.post_status("c", NetworkUnavailable="False")
    life.until_tainted("c")

    life.place("swept", "c")
    life.place("tolerant", "c", any=None)
    life.change_spec("c", unschedulable=True)
    life.until_tainted("c", "node.kubernetes.io/unschedulable:NoSchedule")
    life.change_spec("c", unschedulable=None)
    life.until_tainted("c")
    life.change_spec("c", taints=[{"key": "broken", "value": "yes", "effect": "NoExecute"}])
    life.until_leaving("swept")
    life.end("swept")
    life.change_spec("c", taints=[])
    life.remove("c")
    life.until_event("Node c event: Removing Node c from Controller")


def taints_of(node: Object | None) -> list[str]:
    """Write a node's taints, in their order; of one that is not there, something else."""
    if node is None:
        return ["no node"]
    return [f"{taint['key']}:{taint['effect']}" for taint in node["spec"].get("taints") or []]


def changes(recording: Recording, show: Callable[[Object], object]) -> dict[str, list[object]]:
    """Return what each object of a recording became, as far as it is shown, one after the other."""
    found: dict[str, list[object]] = {}
    for change in recording.changes:
        shown = "deleted" if change.type == "DELETED" else show(change.object)
        seen = found.setdefault(change.name, [])
        if not seen or seen[-1] != shown:
            seen.append(shown)
    return found


def first(recording: Recording, name: str, condition: Callable[[Object], object]) -> Change:
    """Return the first change of an object after which a condition holds."""
    return next(one for one in recording.of(name) if condition(one.object))
