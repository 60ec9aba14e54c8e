"""A small ReplicaSet with its pods: histories as a real cluster could make them, and the truth.

The controller here keeps the rules that `sale.observe.healing_tracker` names: it creates while too
few are active, deletes while too many are, and says so. Kills, failures, crashes and relabelling
happen to it at any time, between any two of its steps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from flashsale.objects.models import Pod, ReplicaSet
from flashsale.sale.observe.observations import (
    Cause,
    EventSeen,
    Observation,
    PodChange,
    PodSeen,
    ReplicaSetSeen,
)

RS = ReplicaSet("rs", "rs-uid", desired=3, current=0, ready=0, created=0.0)
ACTIONS = (
    "kill",
    "fail",
    "release",
    "crash",
    "adopt",
    "scale",
    "sync",
    "grow",
    "grow",
    "grow",
    "finish",
    "wait",
)


@dataclass(slots=True)
class Being:
    """One pod as it truly is."""

    pod: Pod
    running: bool = False
    ended: bool = False
    cause: Cause = "released"

    @property
    def active(self) -> bool:
        return bool(self.pod.owner_uid) and not self.ended and not self.pod.terminating


class World:
    """The cluster, a clock, and one queue of news for each stream."""

    def __init__(self, desired: int = 3) -> None:
        self.now = 10.0
        self.version = 100
        self.rs = replace(RS, desired=desired)
        self.pods: list[Being] = []
        self.news: dict[str, list[Observation]] = {"pods": [], "replicasets": [], "events": []}
        self.killed: list[str] = []  # names of pods that somebody or something else took away
        self.created: list[str] = []  # names of pods that the controller created
        self.surplus: list[str] = []  # names of pods that the controller deleted
        self.lowered = 0  # by how much the number of wanted pods was lowered, in all
        self._names = 0
        self.replicaset("listed")
        for _ in range(desired):
            self.born("rs-uid", "listed")
        for being in self.pods:
            being.running = True
            being.pod = replace(being.pod, ready=True, node="node")
            self.news["pods"].pop(0)
            self.seen(being, "listed")

    def act(self, action: str, number: int) -> None:
        """Do one thing; ``number`` chooses the pod, or the number of pods."""
        self.now += 0.01 + (number % 3) * 0.1
        own = [pod for pod in self.pods if pod.active]
        if action in ("kill", "fail", "release", "crash", "grow") and own:
            self.happen(action, own[number % len(own)])
        match action:
            case "adopt":
                self.born("", "added")
            case "scale":
                self.scale(number % 6)
            case "raise":
                self.scale(self.rs.desired + number % 3)
            case "lower":
                self.scale(max(0, self.rs.desired - number % 3))
            case "sync":
                self.sync()
            case "finish":
                self.finish(number)
            case "wait":
                self.now += number

    def happen(self, what: str, being: Being) -> None:
        """Let something happen to one active pod."""
        if what == "grow":
            self.grow(being)
        elif what != "crash":
            self.take(being, what)
        elif being.running:
            self.crash(being)

    def scale(self, desired: int) -> None:
        self.lowered += max(0, self.rs.desired - desired)
        self.rs = replace(self.rs, desired=desired)
        self.replicaset("changed")

    def take(self, being: Being, how: str) -> None:
        """Take a pod away from the ReplicaSet."""
        self.killed.append(being.pod.name)
        if how == "kill":
            being.cause = "deleted"
            being.pod = replace(being.pod, terminating=True)
        elif how == "fail":
            being.cause, being.ended, being.running = "failed", True, False
            being.pod = replace(being.pod, ready=False)
        else:
            being.pod = replace(being.pod, owner_uid="")
        self.seen(being, "changed")

    def crash(self, being: Being) -> None:
        being.running = False
        being.pod = replace(being.pod, ready=False)
        self.seen(being, "changed")

    def grow(self, being: Being) -> None:
        """Bring a pod one step nearer to ready."""
        if not being.pod.node:
            being.pod = replace(being.pod, node="node")
        elif not being.running:
            again = being.pod.restarts + 1 if being.pod.ip else 0
            being.running, being.pod = True, replace(being.pod, ip="10.0.0.1", restarts=again)
        elif not being.pod.ready:
            being.pod = replace(being.pod, ready=True)
        else:
            return
        self.seen(being, "changed")

    def finish(self, number: int) -> None:
        """Let a terminating pod disappear."""
        leaving = [pod for pod in self.pods if pod.pod.terminating]
        if leaving:
            being = leaving[number % len(leaving)]
            self.pods.remove(being)
            self.seen(being, "gone")

    def sync(self) -> None:
        """Let the controller do what it does, as long as there is something to do."""
        for being in self.pods:
            if not being.pod.owner_uid and being.cause == "lost":
                being.cause, being.pod = "released", replace(being.pod, owner_uid="rs-uid")
                self.seen(being, "changed")
        self.replicaset("changed")
        active = [pod for pod in self.pods if pod.active]
        for _ in range(self.rs.desired - len(active)):
            self.now += 0.01
            self.created.append(self.born("rs-uid", "added"))
        leaving = sorted(active, key=lambda one: one.pod.ready)[
            : max(0, len(active) - self.rs.desired)
        ]
        for being in leaving:
            self.surplus.append(being.pod.name)
            being.cause, being.pod = "deleted", replace(being.pod, terminating=True)
            self.seen(being, "changed")
            text = f"Deleted pod: {being.pod.name}"
            event_seen = EventSeen(self.now, "ReplicaSet", "rs", "Normal", "SuccessfulDelete", text)
            self.news["events"].append(event_seen)
        self.replicaset("changed")

    def born(self, owner: str, change: PodChange) -> str:
        """Make a pod; one without an owner waits to be adopted."""
        self._names += 1
        name = f"rs-{self._names}"
        pod = Pod(name, f"uid-{name}", False, "Pending", 0, 0.0, "", "", owner_uid=owner)
        being = Being(pod, cause="released" if owner else "lost")
        self.pods.append(being)
        self.seen(being, change)
        return name

    def seen(self, being: Being, change: PodChange) -> None:
        self.version += 1
        cause: Cause = "released" if being.cause == "lost" else being.cause
        sight = PodSeen(
            self.now,
            change,
            being.pod,
            being.pod.ready,
            being.running,
            being.ended,
            cause,
            self.version,
        )
        self.news["pods"].append(sight)

    def replicaset(self, change: PodChange) -> None:
        self.version += 1
        self.news["replicasets"].append(ReplicaSetSeen(self.now, self.rs, self.version))

    def settle(self) -> None:
        """Let everything come to rest: all pods there, all ready, nobody leaving."""
        for _ in range(4):
            self.now += 1.0
            self.sync()
            for _ in range(3):
                for being in [pod for pod in self.pods if pod.active]:
                    self.now += 0.01
                    self.grow(being)
            while any(pod.pod.terminating for pod in self.pods):
                self.finish(0)

    def arrivals(self, rng: Random, lag: float) -> list[Observation]:
        """Merge the streams, each in its own order and each up to ``lag`` seconds late."""
        merged = []
        for stream in self.news.values():
            last = 0.0
            for observation in stream:
                last = max(last, observation.at + rng.uniform(0.0, lag))
                merged.append((last, observation))
        first = [
            replica_set_seen
            for _, replica_set_seen in merged
            if isinstance(replica_set_seen, ReplicaSetSeen)
        ][:1]
        listed = [
            pod_seen
            for _, pod_seen in merged
            if isinstance(pod_seen, PodSeen) and pod_seen.change == "listed"
        ]
        rest = sorted(
            ((at, one) for at, one in merged if one not in first and one not in listed),
            key=lambda pair: pair[0],
        )
        return [*first, *listed, *(replace(one, at=at) for at, one in rest)]
