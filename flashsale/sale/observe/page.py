"""One page of the telling: a state while one observation is worked into it, and what was said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flashsale.sale.observe.observations import PodSeen
from flashsale.sale.observe.state import (
    DOUBT,
    KEPT_HEALINGS,
    Closed,
    Died,
    Happening,
    Healing,
    NotReplaced,
    SaleState,
)

SCALED, REMOVED = "scaled down", "the ReplicaSet was deleted"
DIED_TOO, DELETED_TOO = "its replacement died", "deleted before it was back"


class Page:
    """A state that may change, each time as a whole, and the happenings so far."""

    def __init__(self, state: SaleState, at: float) -> None:
        self.state = state
        self.at = at
        self.said: list[Happening] = []
        self.opened: list[Healing] = []

    def told(self) -> list[Happening]:
        """Return what happened, deaths first; by now it is sure which of them need healing."""
        off = {_death(one.healing) for one in self.said if isinstance(one, NotReplaced)}
        deaths = [Died(self.at, one) for one in self.opened if _death(one) not in off]
        return [*deaths, *self.said]

    def remember(self, seen: PodSeen) -> None:
        pods = {**self.state.pods, seen.pod.uid: seen}
        if seen.change == "gone":
            del pods[seen.pod.uid]
        self.state = replace(self.state, pods=pods)

    def waiting(self) -> list[Healing]:
        return [one for one in self.state.open if one.waiting]

    def recent(self) -> list[Healing]:
        """Return those dismissed a moment ago which the controller did not call surplus."""
        recent = (one for at, one in self.state.dismissed if self.at - at <= DOUBT)
        return [one for one in recent if one.victim not in self.state.surplus]

    def open(self, healing: Healing) -> None:
        self.opened.append(healing)
        self.state = replace(self.state, open=(*self.state.open, healing))

    def swap(self, old: Healing, new: Healing | None = None, **changes: Any) -> Healing:
        now = replace(new or old, **changes)
        healings = tuple(now if one is old else one for one in self.state.open)
        self.state = replace(self.state, open=healings)
        return now

    def note(self, which: Callable[[Healing], bool], **moments: Any) -> None:
        """Set moments, once each, on the healings that they belong to."""

        def noted(one: Healing) -> Healing:
            fresh: dict[str, Any] = {
                name: at for name, at in moments.items() if getattr(one, name) is None
            }
            return replace(one, **fresh) if fresh and which(one) else one

        self.state = replace(
            self.state,
            open=tuple(map(noted, self.state.open)),
            done=tuple(map(noted, self.state.done)),
        )

    def call_off(self, healing: Healing, why: str) -> None:
        self.state = replace(
            self.state, open=tuple(one for one in self.state.open if one is not healing)
        )
        self.said.append(NotReplaced(self.at, healing, why))

    def dismiss(self, healing: Healing) -> None:
        self.call_off(healing, SCALED)
        dismissed = (*self.state.dismissed, (self.at, healing))[-KEPT_HEALINGS:]
        self.state = replace(self.state, dismissed=dismissed)

    def close(self, healing: Healing) -> None:
        self.state = replace(
            self.state,
            open=tuple(one for one in self.state.open if one is not healing),
            done=(*self.state.done, healing)[-KEPT_HEALINGS:],
        )
        self.said.append(Closed(self.at, healing))


def _death(healing: Healing) -> tuple[str, str]:
    return healing.victim_uid, healing.cause
