"""How long a lost node is waited for: Kubernetes' defaults, or what the embedded cluster was told.

The embedded cluster keeps other times in a ConfigMap, so that every client can read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

NAMESPACE, NAME = "kube-system", "node-timing"
LEASE = "node-lease-duration-seconds"
GRACE = "node-monitor-grace-period-seconds"
TOLERATION = "default-unreachable-toleration-seconds"


@dataclass(frozen=True, slots=True)
class NodeTiming:
    """Seconds, as the flags of v1.36's components have them."""

    lease: float = 40.0  # a kubelet renews its lease four times in this
    grace: float = 50.0  # without a sign of life until a node is not ready
    toleration: int = 300  # for which a pod stays on such a node, where it says nothing itself

    @property
    def renew(self) -> float:
        """Seconds between two renewals of a lease."""
        return self.lease / 4

    @property
    def period(self) -> float:
        """Seconds between two looks at all nodes (node-monitor-period)."""
        return self.grace / 10

    @classmethod
    def read(cls, data: Mapping[str, str] | None) -> NodeTiming:
        """Read the ConfigMap's data; what is missing or no number is Kubernetes' default."""
        own = cls()
        values = data or {}
        return cls(
            _number(values.get(LEASE), own.lease),
            _number(values.get(GRACE), own.grace),
            int(_number(values.get(TOLERATION), own.toleration)),
        )

    def data(self) -> dict[str, str]:
        return {
            LEASE: f"{self.lease:g}",
            GRACE: f"{self.grace:g}",
            TOLERATION: str(self.toleration),
        }

    def describe(self) -> str:
        """Say it in a sentence's part, where the times are not Kubernetes' own; else nothing."""
        if self == NodeTiming():
            return ""
        return (
            f"fast nodes: not ready after {self.grace:g} s instead of 50 s, pods leave "
            f"{self.toleration} s later instead of 300 s"
        )


FAST = NodeTiming(lease=4.0, grace=5.0, toleration=5)


def _number(text: str | None, default: float) -> float:
    try:
        value = float(text or "")
    except ValueError:
        return default
    return value if 0 < value < 1e6 else default
