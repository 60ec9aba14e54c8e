"""How long a crashed container waits for its restart (client-go util/flowcontrol/backoff.go)."""

from __future__ import annotations

from dataclasses import dataclass, replace

INITIAL = 10.0  # seconds
RESET = 600.0  # a crash this long after the last delay was set counts as a first one
DEFAULT_CAP = 300.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """The delay that the next restart must respect. Times are seconds of a monotonic clock."""

    cap: float = DEFAULT_CAP
    delay: float = 0.0  # 0: no restart yet, so the next one is free
    updated: float = 0.0

    def ready_at(self, finished: float) -> float:
        """Say when a container that ended at ``finished`` may start again."""
        return finished if self._fresh(finished) else finished + self.delay

    def next(self, finished: float, now: float) -> Backoff:
        """Return what holds after a restart at ``now``."""
        doubled = INITIAL if self._fresh(finished) else self.delay * 2
        return replace(self, delay=min(doubled, self.cap), updated=now)

    def _fresh(self, finished: float) -> bool:
        return self.delay == 0 or finished - self.updated > RESET
