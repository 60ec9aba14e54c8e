"""What has happened to the pods, as far as it can still be seen. Pure.

Kubernetes keeps events for an hour; a course that runs sees more, and adds it up. What had happened
before a step began does not count for the step: a :class:`Baseline` remembers what that was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flashsale.objects.models import Object, Pod, find_condition, timestamp
from flashsale.sale.observe.healing import Healing
from flashsale.sale.observe.observations import EventSeen

COMBINED = "(combined from similar events): "  # how the events of many pods begin
CREATED, DELETED = "Created pod: ", "Deleted pod: "
SALE = re.compile(r"(?P<at>\S+) sold (?P<item>\w+) to ")
WHOLE = 1.0  # seconds: what the API's own times may be wrong by


@dataclass(frozen=True, slots=True)
class Purchase:
    """One that a pod has logged."""

    at: str  # RFC 3339 with nanoseconds, as the node's clock says: sorts as text
    pod: str
    item: str


@dataclass(frozen=True, slots=True)
class Counts:
    """The three numbers of `kubectl get rs` at one moment, in monotonic seconds."""

    at: float
    desired: int
    current: int
    ready: int


@dataclass(frozen=True, slots=True)
class Evidence:
    created: Mapping[str, float] = field(default_factory=dict)  # pods by name; unix seconds
    surplus: frozenset[str] = frozenset()  # pods that the ReplicaSet deleted
    healings: Mapping[str, Healing] = field(default_factory=dict)  # by the victim's name
    released: frozenset[str] = frozenset()  # pods that left the ReplicaSet alive
    adopted: frozenset[str] = frozenset()
    restarts: Mapping[str, int] = field(default_factory=dict)  # by the pod's name, the most seen
    counts: tuple[Counts, ...] = ()
    purchases: frozenset[Purchase] = frozenset()

    def plus(self, other: Evidence) -> Evidence:
        """Add what was seen at another time; what ``other`` says of the same healing wins."""
        known = set(self.counts)
        back = self.released & frozenset(other.restarts)  # released once, and owned again
        return Evidence(
            created={**other.created, **self.created},
            surplus=self.surplus | other.surplus,
            healings={**self.healings, **other.healings},
            released=self.released | other.released,
            adopted=self.adopted | other.adopted | back,
            restarts={
                name: max(self.restarts.get(name, 0), other.restarts.get(name, 0))
                for name in {**self.restarts, **other.restarts}
            },
            counts=self.counts + tuple(count for count in other.counts if count not in known),
            purchases=self.purchases | other.purchases,
        )


@dataclass(frozen=True, slots=True)
class StepBaseline:
    """What was there, and what had happened, when a step began."""

    desired: int | None = None
    pods: tuple[str, ...] = ()  # names of the ReplicaSet's pods
    created: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()
    victims: tuple[str, ...] = ()
    released: tuple[str, ...] = ()
    adopted: tuple[str, ...] = ()
    replicaset: str = ""  # its uid: a sale that is opened again is another one
    restarts: Mapping[str, int] = field(default_factory=dict)
    bought: str = ""  # time of the last purchase
    drill: str = ""  # when the last drill began
    moment: float = 0.0  # monotonic seconds; counts for this process alone

    @classmethod
    def of(
        cls,
        evidence: Evidence,
        pods: Sequence[Pod],
        *,
        desired: int | None,
        drill: str,
        moment: float,
        replicaset: str = "",
    ) -> StepBaseline:
        """Remember this moment."""
        return cls(
            desired=desired,
            pods=tuple(sorted(pod.name for pod in pods)),
            created=tuple(sorted(evidence.created)),
            surplus=tuple(sorted(evidence.surplus)),
            victims=tuple(sorted(evidence.healings)),
            released=tuple(sorted(evidence.released)),
            adopted=tuple(sorted(evidence.adopted)),
            replicaset=replicaset,
            restarts=dict(evidence.restarts),
            bought=max((purchase.at for purchase in evidence.purchases), default=""),
            drill=drill,
            moment=moment,
        )


def since(evidence: Evidence, before: StepBaseline) -> Evidence:
    """Leave out what had happened already, and deaths that turned out to be the ReplicaSet's own.

    A pod that it deletes may be seen leaving a moment before its event says so. One that had been
    released before, and was adopted, may die or be released once more: it counts again as soon as
    another one than then has taken its place.
    """
    new = {
        name: healing.cause
        for name, healing in evidence.healings.items()
        if healing.replacement and healing.replacement not in before.created
    }
    again = {name for name, cause in new.items() if cause == "released"}
    known = {*before.victims} - again - {name for name in new if name in before.pods}
    known |= evidence.surplus - again
    return replace(
        evidence,
        created={k: v for k, v in evidence.created.items() if k not in before.created},
        surplus=evidence.surplus - {*before.surplus},
        healings={k: v for k, v in evidence.healings.items() if k not in known},
        released=evidence.released - ({*before.released} - again),
        adopted=evidence.adopted - {*before.adopted},
        restarts={
            name: count - before.restarts.get(name, 0)
            for name, count in evidence.restarts.items()
            if count > before.restarts.get(name, 0)
        },
        counts=tuple(count for count in evidence.counts if count.at >= before.moment),
        purchases=frozenset(each for each in evidence.purchases if each.at > before.bought),
    )


def from_api(
    replicaset: Object | None, pods: Sequence[Pod], events: Sequence[EventSeen]
) -> Evidence:
    """Read what has happened from the objects that are there now; moments are unix seconds.

    Where many pods were made within ten minutes, Kubernetes keeps the last of their events alone:
    so a pod counts as the ReplicaSet's by the beginning of its name as well.

    Args:
        pods: all of the namespace.
        events: all of the namespace.
    """
    if replicaset is None:
        return Evidence()
    meta = replicaset["metadata"]
    owner, ours = meta["uid"], f"{meta['name']}-"
    began = timestamp(meta.get("creationTimestamp"))
    mine = [event for event in events if event.kind == "ReplicaSet" and event.uid in ("", owner)]
    own = [pod for pod in pods if pod.owner_uid == owner]
    free = [pod for pod in pods if not pod.owner_uid and not pod.terminating]
    ended = {
        event.name: event.when
        for event in events
        if event.reason == "Killing"
        and event.kind == "Pod"
        and event.name.startswith(ours)
        and event.when >= began  # pods of an earlier sale had names like these
    }
    ended.update({pod.name: _deleted(pod) for pod in own if pod.terminating})
    created = {pod.name: pod.created for pod in own}
    created.update({name: event.when for event in mine if (name := _named(event, CREATED))})
    released = {pod.name: pod.created for pod in free if pod.name.startswith(ours)}
    surplus = frozenset(name for event in mine if (name := _named(event, DELETED)))
    alive = {pod.name: pod for pod in own if not pod.terminating}
    once = {**ended, **created, **released}
    dead = sorted(
        (ended.get(name, when), name)
        for name, when in once.items()
        if name not in alive and name not in surplus
    )
    return Evidence(
        created=created,
        surplus=surplus,
        healings=_paired(dead, created, alive, frozenset(released)),
        released=frozenset(released),
        restarts={pod.name: pod.restarts for pod in own},
    )


def _named(event: EventSeen, begins: str) -> str:
    text = event.message.removeprefix(COMBINED)
    return text.removeprefix(begins) if text.startswith(begins) else ""


def _deleted(pod: Pod) -> float:
    """Say when a pod was deleted: its timestamp is when its grace period ends."""
    meta: Mapping[str, Any] = pod.raw["metadata"]
    grace = float(meta.get("deletionGracePeriodSeconds") or 0)
    return timestamp(meta.get("deletionTimestamp")) - grace


def _paired(
    dead: Sequence[tuple[float, str]],
    created: Mapping[str, float],
    alive: Mapping[str, Pod],
    released: frozenset[str],
) -> dict[str, Healing]:
    """Give each dead pod the pod whose creation fits best, that replaces no other.

    Nothing says when a pod was released, so its replacement is the youngest pod that is left by
    those that died when another was made. What an older death gets comes last: the events of its
    own replacement may be gone.
    """
    free = sorted((when, name) for name, when in created.items())

    def turn(birth: tuple[float, str]) -> int:
        died, victim = birth
        if victim in released:
            return 1
        return 0 if any(abs(born - died) <= WHOLE for born, name in free if name != victim) else 2

    healings = {}
    for died, victim in sorted(dead, key=turn):
        later = [birth for birth in free if birth[0] >= died - WHOLE and birth[1] != victim]
        if victim in released:
            born, name = nearest = max(later, default=(0.0, ""))
            died = born if name else died
        else:
            born, name = nearest = min(later, key=_distance_from(died), default=(0.0, ""))
        if name:
            free.remove(nearest)
        pod = alive.get(name)
        ready = find_condition(pod.raw, "Ready") if pod else {}
        at = timestamp(ready.get("lastTransitionTime")) if ready.get("status") == "True" else None
        healings[victim] = Healing(
            victim,
            victim,
            "released" if victim in released else "deleted",
            died,
            replacement=name or None,
            replacement_uid=pod.uid if pod else name or None,
            created=born if name else None,
            ready=at,
        )
    return healings


def _distance_from(moment: float) -> Callable[[tuple[float, str]], float]:
    return lambda birth: abs(birth[0] - moment)


def purchases_of(pod: str, log: str) -> frozenset[Purchase]:
    """Read a pod's log, each line with its time, as `kubectl logs --timestamps` has it."""
    lines = (SALE.match(line) for line in log.splitlines())
    return frozenset(Purchase(sold["at"], pod, sold["item"]) for sold in lines if sold)
