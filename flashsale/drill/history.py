"""What was seen of the pods during a drill, folded as it comes and read when it is over.

All moments are seconds on the monotonic clock, taken when the news arrived here. Nothing is kept
that grows with the number of purchases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from flashsale.sale.observe.observations import Observation, PodSeen, SliceSeen, Synced
from flashsale.sale.observe.state import (
    Closed,
    Died,
    Happening,
    Healed,
    Healing,
    NotReplaced,
    Replaced,
    SaleState,
)

Key = tuple[str, float]  # the victim's uid, and when it died


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


@dataclass(slots=True)
class History:
    """Everything worth remembering, in the order of its arrival."""

    lives: dict[str, PodLifetime] = field(default_factory=dict)  # by uid
    routings: list[Routing] = field(default_factory=list)
    healings: dict[Key, Healing] = field(default_factory=dict)  # the newest word on each death
    called_off: dict[Key, str] = field(default_factory=dict)  # why nobody replaces that pod

    def add(self, seen: Observation, state: SaleState, happened: list[Happening]) -> None:
        """Remember one observation, the state after it, and what it meant."""
        if isinstance(seen, PodSeen):
            self.lives[seen.pod.uid] = lived(self.lives.get(seen.pod.uid), seen)
        told = bool(self.routings) or isinstance(seen, SliceSeen | Synced)
        if told and (not self.routings or self.routings[-1].pods != state.routed):
            self.routings.append(Routing(seen.at, state.routed))
        for one in happened:
            if isinstance(one, Died | Replaced | Healed | Closed):
                self.healings[key(one.healing)] = one.healing
                self.called_off.pop(key(one.healing), None)  # a victim may be called back
            elif isinstance(one, NotReplaced):
                self.healings[key(one.healing)] = one.healing
                self.called_off[key(one.healing)] = one.why

    @property
    def healed(self) -> list[Healing]:
        """All deaths that needed a replacement, in their order."""
        kept = (one for one in self.healings.values() if key(one) not in self.called_off)
        return sorted(kept, key=lambda one: one.died)


def key(healing: Healing) -> Key:
    """Tell one death from another: a container may crash many times in one pod."""
    return healing.victim_uid, healing.died


def lived(before: PodLifetime | None, seen: PodSeen) -> PodLifetime:
    """Add one sight of a pod to its life."""
    leaves = seen.pod.terminating or seen.ended or seen.change == "gone"
    ready = seen.ready and seen.running
    held = frozenset(name for name, holds in (("ready", ready), ("leaving", leaves)) if holds)
    missed = held if seen.change == "listed" else frozenset()
    life = before or PodLifetime(seen.pod.name, seen.pod.uid, seen.at, missed=missed)
    return replace(
        life,
        ready=_first(life.ready, seen.at, ready),
        leaving=_first(life.leaving, seen.at, leaves),
        gone=_first(life.gone, seen.at, seen.change == "gone"),
    )


def seats(lives: Mapping[str, PodLifetime], healings: list[Healing]) -> dict[str, tuple[int, int]]:
    """Give every pod, by uid, a seat from 1 and its turn on it: who replaces takes the seat.

    So a chart shows the place of a killed pod empty until its replacement sells.
    """
    heirs = {
        one.replacement_uid: one.victim_uid
        for one in healings
        if one.replacement_uid and not one.in_place
    }
    given: dict[str, tuple[int, int]] = {}
    free = 1
    for life in sorted(lives.values(), key=lambda life: (life.seen, life.name)):
        victim = given.get(heirs.get(life.uid, ""))
        given[life.uid] = (victim[0], victim[1] + 1) if victim else (free, 1)
        free += victim is None
    return given


def _first(before: float | None, at: float, happened: bool) -> float | None:
    return at if before is None and happened else before
