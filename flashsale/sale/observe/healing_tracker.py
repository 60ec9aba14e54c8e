"""Healings from observations: who died, of what, what replaced it, and how long each step took.

:func:`step` is a pure fold. What it knows of the ReplicaSet controller
(`pkg/controller/replicaset/replica_set.go`), on which the fold rests:

- it counts active pods: its own, not terminating, not Succeeded or Failed;
- it creates only while there are fewer of them than wanted, so a new pod fills a place;
- it deletes only while there are more, and says so in a `SuccessfulDelete` event each.

A pod that leaves while fewer are left than wanted is a victim; the next pod that appears replaces
it. Pods, ReplicaSet and events arrive over streams of their own, so each may be late. Where a later
word contradicts an earlier guess the guess is withdrawn: a victim that turns out to be surplus is
called off, and a victim that was dismissed too early is called back.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flashsale.sale.observe.healing import (
    DELETED_TOO,
    DIED_TOO,
    REMOVED,
    SCALED,
    Adopted,
    Closed,
    Died,
    Gone,
    Happening,
    Healed,
    Healing,
    NotReplaced,
    Replaced,
    Scaled,
)
from flashsale.sale.observe.observations import (
    EventSeen,
    Mark,
    NodeSeen,
    Observation,
    PodSeen,
    ReplicaSetSeen,
    Served,
    ServiceSeen,
    SliceSeen,
    Synced,
)
from flashsale.sale.observe.state import DOUBT, KEPT_NAMES, SaleState

DELETED_POD = "Deleted pod: "  # how the controller's SuccessfulDelete events begin


def step(state: SaleState, observation: Observation) -> tuple[SaleState, list[Happening]]:
    """Add one observation to what is known, and say what it means."""
    turn = _Turn(state, observation.at)
    match observation:
        case PodSeen():
            turn.pod(observation)
        case ReplicaSetSeen():
            turn.replicaset(observation)
        case ServiceSeen():
            turn.state = replace(state, service=observation.service)
        case SliceSeen():
            turn.slice(observation)
        case NodeSeen():
            turn.state = state.with_node(observation)
        case EventSeen():
            turn.event(observation)
        case Mark():
            turn.mark(observation)
        case Served():
            turn.served(observation)
        case Synced():
            turn.state = replace(state, synced=True)
    turn.settle()
    return turn.state, turn.happenings()


class _Turn:
    """One observation being worked in: a state that is replaced, and what happened so far."""

    def __init__(self, state: SaleState, at: float) -> None:
        self.state = state
        self.at = at
        self.happened: list[Happening] = []
        self.opened: list[Healing] = []

    def happenings(self) -> list[Happening]:
        """Return what happened, deaths first; by now it is sure which of them need healing."""
        off = {_death(it.healing) for it in self.happened if isinstance(it, NotReplaced)}
        deaths = [Died(self.at, healing) for healing in self.opened if _death(healing) not in off]
        return [*deaths, *self.happened]

    def pod(self, seen: PodSeen) -> None:
        uid = seen.pod.uid
        before = self.state.pods.get(uid)
        was_active = before is not None and self.state.active(before)
        is_active = seen.change != "gone" and self.state.active(seen)
        crashed = before is not None and _crashed(before, seen)
        self.state = self.state.with_pod(seen)
        if seen.change == "listed":
            return
        if is_active and not was_active:
            self._arrived(seen, adopted=before is not None)
        elif was_active and not is_active:
            self._left(seen)
        elif is_active and crashed:
            self._crashed(seen)
        if is_active:
            self._progress(seen)
        if seen.change == "gone" and seen.cause != "released":
            self._gone(uid)

    def replicaset(self, seen: ReplicaSetSeen) -> None:
        if seen.replicaset is None:
            gone = replace(self.state, replicaset=None, desired=None, desired_version=0)
            self.state = replace(gone, looked=True)
            return
        self.state = replace(self.state, replicaset=seen.replicaset, looked=True)
        if 0 < seen.version < self.state.desired_version:
            return  # older than what the pods have shown
        before, after = self.state.desired, seen.replicaset.desired
        self.state = replace(self.state, desired=after, desired_version=seen.version)
        if before is not None and before != after:
            self.happened.append(Scaled(self.at, before, after))

    def slice(self, seen: SliceSeen) -> None:
        slices = {**self.state.slices, seen.name: seen.ready}
        self.state = replace(self.state, slices=slices).with_moments(
            lambda healing: healing.replacement in seen.ready and healing.started is not None,
            routed=self.at,
        )

    def event(self, seen: EventSeen) -> None:
        """Learn from the controller itself which pod was surplus."""
        if seen.reason != "SuccessfulDelete" or not seen.message.startswith(DELETED_POD):
            return
        name = seen.message.removeprefix(DELETED_POD)
        surplus = (*self.state.surplus, name)[-KEPT_NAMES:]
        self.state = replace(self.state, surplus=surplus)
        for healing in self.state.open:
            if healing.victim == name and healing.cause == "deleted" and healing.ready is None:
                self.call_off(healing, SCALED)
                self._hand_on(healing)

    def mark(self, mark: Mark) -> None:
        died = [healing for healing in self.state.open if healing.victim == mark.pod]
        for healing in died:
            self.swap(healing, died=min(healing.died, mark.at), marked=True)
        if not died:  # its death is still to be seen
            self.state = replace(self.state, marks={**self.state.marks, mark.pod: mark})

    def served(self, seen: Served) -> None:
        self.state = self.state.with_moments(
            lambda healing: healing.replacement == seen.pod and healing.ready is not None,
            served=self.at,
        )

    def settle(self) -> None:
        """Call off victims whose places nobody wants filled, and close what is whole."""
        if self.state.replicaset is None:
            self._remove_all()
            return
        waiting = sorted(self.state.waiting, key=_first_dismissed)
        wanted = max(0, (self.state.desired or 0) - self.state.count)
        for healing in waiting[: max(0, len(waiting) - wanted)]:
            self.call_off(healing, SCALED)
            self.state = self.state.with_dismissed(healing, self.at)
        for healing in self.state.open:
            if healing.whole:
                self.close(healing)

    def _arrived(self, seen: PodSeen, *, adopted: bool) -> None:
        if adopted:
            self.happened.append(Adopted(self.at, seen.pod.name))
        waiting = self.state.waiting
        if not waiting and not adopted and self.state.count > (self.state.desired or 0):
            waiting = self._unexplained(seen)
        if waiting:
            self._pair(min(waiting, key=_first_served), seen.pod.name, seen.pod.uid, self.at)

    def _unexplained(self, seen: PodSeen) -> list[Healing]:
        """Find the reason for a pod that is one too many as far as we know.

        The controller never creates more than are wanted. Either more are wanted than the last word
        on the ReplicaSet said, or that word is newer than the pod and made us dismiss a victim.
        """
        if seen.version >= self.state.desired_version:
            self.state = replace(self.state, desired=self.state.count, desired_version=seen.version)
            return []
        return self.state.dismissed_since(self.at - DOUBT)

    def _left(self, seen: PodSeen) -> None:
        pod, mark = seen.pod, self._take_mark(seen.pod.name)
        surplus = pod.name in self.state.surplus or self.state.count >= (self.state.desired or 0)
        for healing in self.state.open:
            if healing.replacement_uid == pod.uid and healing.ready is None:
                why = DELETED_TOO if healing.in_place else SCALED if surplus else DIED_TOO
                self.call_off(healing, why)
        cause = mark.cause if mark and seen.cause == "lost" else seen.cause
        died = min(self.at, mark.at) if mark else seen.earliest
        wanted, left = self.state.desired or 0, self.state.count
        healing = Healing(
            pod.name, pod.uid, cause, died, marked=mark is not None, wanted=wanted, left=left
        )
        if pod.name in self.state.surplus:
            self.happened.append(NotReplaced(self.at, healing, SCALED))
        else:
            self.open(healing)

    def _gone(self, uid: str) -> None:
        """Note the end of a victim, and tell of it where its healing still goes on."""
        before = self.state.open
        self.state = self.state.with_moments(
            lambda healing: healing.victim_uid == uid and not healing.in_place, gone=self.at
        )
        pairs = zip(before, self.state.open, strict=True)
        self.happened += [Gone(self.at, new) for old, new in pairs if new is not old]

    def _crashed(self, seen: PodSeen) -> None:
        """Note a container's death. While its pod is still coming up, that is only a delay."""
        pod = seen.pod
        for healing in self.state.open:
            if healing.replacement_uid == pod.uid and healing.ready is None:
                self.swap(healing, started=None)
                return
        mark = self._take_mark(pod.name)
        died, marked = min(self.at, mark.at) if mark else seen.earliest, mark is not None
        self.open(Healing(pod.name, pod.uid, "crashed", died, pod.name, pod.uid, marked=marked))

    def _take_mark(self, pod: str) -> Mark | None:
        """Return the mark that explains a death, once: a pod's next death has another reason."""
        marks = dict(self.state.marks)
        mark = marks.pop(pod, None)
        self.state = replace(self.state, marks=marks)
        return mark

    def _progress(self, seen: PodSeen) -> None:
        for healing in self.state.open:
            if healing.replacement_uid == seen.pod.uid and healing.ready is None:
                now = self.swap(healing, healing.reached(self.at, seen))
                if now.ready is not None:
                    self.happened.append(Healed(self.at, now))

    def _pair(self, victim: Healing, name: str, uid: str, at: float) -> Healing:
        paired = replace(victim, replacement=name, replacement_uid=uid, created=at)
        if victim in self.state.open:
            self.swap(victim, paired)
        else:
            self.state = self.state.with_recalled(victim)
            self.open(paired)
        self.happened.append(Replaced(self.at, paired))
        return paired

    def _hand_on(self, healing: Healing) -> None:
        """Give the replacement of a pod that needed none to one that does."""
        if healing.replacement is None or healing.replacement_uid is None or healing.in_place:
            return
        waiting = self.state.waiting or self.state.dismissed_since(self.at - DOUBT)
        seen = self.state.pods.get(healing.replacement_uid)
        if waiting and seen:
            born = self.at if healing.created is None else healing.created
            other = min(waiting, key=_first_served)
            self._pair(other, healing.replacement, healing.replacement_uid, born)
            self._progress(seen)

    def open(self, healing: Healing) -> None:
        self.opened.append(healing)
        self.state = replace(self.state, open=(*self.state.open, healing))

    def swap(self, old: Healing, new: Healing | None = None, **changes: Any) -> Healing:
        now = replace(new or old, **changes)
        open_now = tuple(now if other is old else other for other in self.state.open)
        self.state = replace(self.state, open=open_now)
        return now

    def call_off(self, healing: Healing, why: str) -> None:
        self.state = self.state.without(healing)
        self.happened.append(NotReplaced(self.at, healing, why))

    def close(self, healing: Healing) -> None:
        self.state = self.state.with_done(healing)
        self.happened.append(Closed(self.at, healing))

    def _remove_all(self) -> None:
        for healing in self.state.open:
            if healing.ready is None:
                self.call_off(healing, REMOVED)
            else:
                self.close(healing)


def _crashed(before: PodSeen, seen: PodSeen) -> bool:
    stopped = before.running and not seen.running
    return stopped or seen.pod.restarts > before.pod.restarts


def _first_served(healing: Healing) -> tuple[bool, float]:
    """Sort victims by who gets the next pod: those we killed ourselves, then the oldest."""
    return not healing.marked, healing.died


def _first_dismissed(healing: Healing) -> tuple[bool, float]:
    """Sort victims by who is surplus first: the oldest that we did not kill ourselves.

    A ReplicaSet that was just scaled down deletes its surplus first; whoever is killed afterwards
    is replaced.
    """
    return healing.marked, healing.died


def _death(healing: Healing) -> tuple[str, str]:
    return healing.victim_uid, healing.cause
