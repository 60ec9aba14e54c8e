"""What was seen of the sale during a drill, folded as it comes and read when it is over.

All moments are seconds on the monotonic clock, taken when the news arrived here. Nothing is kept
that grows with the number of purchases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from flashsale.sale.observe.healing import Closed, Died, Healed, Healing, NotReplaced, Replaced
from flashsale.sale.observe.observations import PodSeen, SliceSeen, StreamSeen, Synced, first_moment
from flashsale.sale.observe.state import SaleState, Update

HealingKey = tuple[str, float]  # the victim's uid, and when it died


@dataclass(frozen=True, slots=True)
class PodLifetime:
    """One pod, from its first sight to its end; None for what did not happen.

    ``leaving`` is when its deletion was first seen, ``gone`` when its object was removed. What had
    happened before anybody looked is in ``missed``: its moment here is only that of the first look.
    """

    name: str
    uid: str
    seen: float
    ready: float | None = None  # for the first time
    leaving: float | None = None
    gone: float | None = None
    missed: frozenset[str] = frozenset()  # of `ready` and `leaving`

    def known(self, name: str) -> float | None:
        """Give a moment by its name; None also where it was missed."""
        moment: float | None = getattr(self, name)
        return None if name in self.missed else moment


@dataclass(frozen=True, slots=True)
class Routing:
    """From this moment on, the Service sends new buyers to these pods, by name."""

    at: float
    pods: frozenset[str]


@dataclass(frozen=True, slots=True)
class ReplicaCount:
    """From this moment on, so many pods are wanted, and so many are ready."""

    at: float
    desired: int
    ready: int


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which the API server could not be heard."""

    heard: float  # when it was heard last
    noticed: float
    ended: float | None = None  # None if it was not heard again


@dataclass(slots=True)
class History:
    """Everything worth remembering, in the order of its arrival."""

    lifetimes: dict[str, PodLifetime] = field(default_factory=dict)  # by uid
    routings: list[Routing] = field(default_factory=list)
    replicas: list[ReplicaCount] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    healings: dict[HealingKey, Healing] = field(default_factory=dict)  # each death's newest state
    not_replaced: dict[HealingKey, str] = field(default_factory=dict)  # deaths, and the reasons

    def see(self, update: Update) -> None:
        """Remember one update of the sale's monitor."""
        seen, state = update.observation, update.state
        if isinstance(seen, PodSeen):
            self.lifetimes[seen.pod.uid] = updated_lifetime(self.lifetimes.get(seen.pod.uid), seen)
        if isinstance(seen, StreamSeen):
            self._add_stream(seen)
        self._add_counts(seen.at, state)
        known = bool(self.routings) or isinstance(seen, SliceSeen | Synced)
        if known and (not self.routings or self.routings[-1].pods != state.routed):
            self.routings.append(Routing(seen.at, state.routed))
        for happening in update.happenings:
            if isinstance(happening, Died | Replaced | Healed | Closed | NotReplaced):
                key = healing_key(happening.healing)
                self.healings[key] = happening.healing
                self.not_replaced.pop(key, None)  # a victim may be called back
                if isinstance(happening, NotReplaced):
                    self.not_replaced[key] = happening.why

    def _add_counts(self, at: float, state: SaleState) -> None:
        """Note how many pods the ReplicaSet wants, and how many of them are ready."""
        if state.replicaset is None:
            return
        count = ReplicaCount(at, state.replicaset.desired, state.ready)
        if not self.replicas or replace(self.replicas[-1], at=at) != count:
            self.replicas.append(count)

    def _add_stream(self, seen: StreamSeen) -> None:
        """Several streams tell of one outage: it begins with the first and ends with the first."""
        under_way = bool(self.outages) and self.outages[-1].ended is None
        if seen.state == "reconnecting" and not under_way:
            self.outages.append(Outage(seen.heard, seen.at))
        elif seen.state != "reconnecting" and under_way:
            self.outages[-1] = replace(self.outages[-1], ended=seen.at)

    def over(self, uid: str, since: float) -> bool:
        """Whether a killed pod's healing has ended: replaced and gone, or not to be replaced."""
        deaths = [
            healing.whole or key in self.not_replaced
            for key, healing in self.healings.items()
            if healing.victim_uid == uid and healing.died >= since
        ]
        return bool(deaths) and all(deaths)

    @property
    def healed(self) -> list[Healing]:
        """All deaths that needed a replacement, in their order."""
        kept = [each for key, each in self.healings.items() if key not in self.not_replaced]
        return sorted(kept, key=lambda healing: healing.died)


def healing_key(healing: Healing) -> HealingKey:
    """Identify a death: a container may crash many times in one pod."""
    return healing.victim_uid, healing.died


def updated_lifetime(before: PodLifetime | None, seen: PodSeen) -> PodLifetime:
    """Add one sight of a pod to its lifetime."""
    leaves = seen.pod.terminating or seen.ended or seen.change == "gone"
    ready = seen.ready and seen.running
    held = frozenset(name for name, holds in (("ready", ready), ("leaving", leaves)) if holds)
    missed = held if seen.change == "listed" else frozenset()
    lifetime = before or PodLifetime(seen.pod.name, seen.pod.uid, seen.at, missed=missed)
    return replace(
        lifetime,
        ready=first_moment(lifetime.ready, seen.at, ready),
        leaving=first_moment(lifetime.leaving, seen.at, leaves),
        gone=first_moment(lifetime.gone, seen.at, seen.change == "gone"),
    )


def assign_seats(
    lifetimes: Mapping[str, PodLifetime], healings: list[Healing]
) -> dict[str, tuple[int, int]]:
    """Give every pod, by uid, a seat from 1 and its turn on it: a replacement takes the seat.

    So a chart shows the place of a killed pod empty until its replacement sells.
    """
    replaced = {
        healing.replacement_uid: healing.victim_uid
        for healing in healings
        if healing.replacement_uid and not healing.in_place
    }
    given: dict[str, tuple[int, int]] = {}
    free = 1
    for pod in sorted(lifetimes.values(), key=lambda lifetime: (lifetime.seen, lifetime.name)):
        victim = given.get(replaced.get(pod.uid, ""))
        given[pod.uid] = (victim[0], victim[1] + 1) if victim else (free, 1)
        free += victim is None
    return given
