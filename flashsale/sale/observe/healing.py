"""What is reported of a sale's life: healings, and each thing that happens."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flashsale.sale.observe.observations import Cause, PodSeen, first_moment

STEPS = ("created", "scheduled", "started", "ready")  # of a replacement, in this order
SCALED, REMOVED = "scaled down", "the ReplicaSet was deleted"  # why a pod is not replaced
DIED_TOO, DELETED_TOO = "its replacement died", "deleted before it was back"


@dataclass(frozen=True, slots=True)
class Healing:
    """One death and what came of it; all moments are seconds on the monotonic clock.

    A container that is restarted in place heals its own pod: victim and replacement are the same,
    nothing is created or scheduled, and nothing is ever gone.
    """

    victim: str
    victim_uid: str
    cause: Cause
    died: float  # the delete's acceptance, or the first sight of the death
    replacement: str | None = None
    replacement_uid: str | None = None
    created: float | None = None
    scheduled: float | None = None
    started: float | None = None  # its containers run
    ready: float | None = None
    gone: float | None = None  # the victim's object is no more
    routed: float | None = None  # the Service sends buyers to the replacement
    served: float | None = None  # its first purchase, where a load runs
    marked: bool = False  # killed on purpose by one of our own commands
    wanted: int = 0  # how many pods the ReplicaSet was to keep when this one died
    left: int = 0  # how many of them it still counted

    @property
    def in_place(self) -> bool:
        """Whether the same pod came back."""
        return self.replacement_uid == self.victim_uid

    @property
    def waiting(self) -> bool:
        """Whether no replacement is known yet."""
        return self.replacement_uid is None

    @property
    def whole(self) -> bool:
        """Whether all that belongs to it has been seen."""
        goes = self.cause in ("deleted", "lost")  # the others stay, in one form or another
        return self.ready is not None and (self.gone is not None or not goes)

    def seconds(self, moment: float | None) -> float | None:
        """Count a moment from the death, in seconds to the millisecond."""
        return None if moment is None else round(max(0.0, moment - self.died), 3)

    def reached(self, at: float, pod: PodSeen) -> Healing:
        """Note how far the replacement is; a step that was never seen happened with the next."""
        ready = pod.ready and pod.running
        started = pod.running
        scheduled = not self.in_place and (started or bool(pod.pod.node))
        return replace(
            self,
            scheduled=first_moment(self.scheduled, at, scheduled),
            started=first_moment(self.started, at, started),
            ready=first_moment(self.ready, at, ready),
        )

    def as_json(self) -> dict[str, Any]:
        """Write it as `kill-pod -o json` and the `healed` lines of `watch -o json` do."""
        moments = (*STEPS, "gone", "routed", "served")
        return {
            "victim": self.victim,
            "replacement": self.replacement,
            "cause": self.cause,
            **{f"{name}_seconds": self.seconds(getattr(self, name)) for name in moments},
        }


@dataclass(frozen=True, slots=True)
class _HealingStep:
    at: float
    healing: Healing


class Died(_HealingStep):
    """A pod left, or its container died, and Kubernetes owes a replacement."""


class Replaced(_HealingStep):
    """The replacement exists."""


class Healed(_HealingStep):
    """The replacement is ready. The victim may still be on its way out."""


class Gone(_HealingStep):
    """The victim's object is no more. Its replacement may not be ready yet."""


class Closed(_HealingStep):
    """Healed, and the victim gone: the figures are whole."""


@dataclass(frozen=True, slots=True)
class NotReplaced(_HealingStep):
    """This pod will not be healed; ``why`` completes "not replaced: "."""

    why: str


@dataclass(frozen=True, slots=True)
class Scaled:
    """Somebody changed how many pods are wanted."""

    at: float
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Adopted:
    """A pod that was there already now belongs to the ReplicaSet."""

    at: float
    pod: str


Happening = Died | Replaced | Healed | Gone | Closed | NotReplaced | Scaled | Adopted
