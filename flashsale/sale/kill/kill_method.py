"""How a pod is killed."""

from __future__ import annotations

from dataclasses import dataclass

from flashsale.sale.observe.observations import Cause


@dataclass(frozen=True, slots=True)
class KillMethod:
    grace: int | None = None  # seconds; None is the pod's own, 0 ends it at once
    process: bool = False  # SIGKILL to the container's process instead: the same pod restarts

    @property
    def graceful(self) -> bool:
        """Whether pods get a grace period."""
        return not self.process and self.grace != 0

    @property
    def cause(self) -> Cause:
        """What the healing will say it died of."""
        return "crashed" if self.process else "deleted"
