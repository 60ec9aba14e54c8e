"""How fast lost nodes may be emptied: one in ten seconds, and none in a zone where most are lost.

After handleDisruption and ComputeZoneState in pkg/controller/nodelifecycle, and its queue of nodes
(scheduler/rate_limited_queue.go). Pure: callers say what time it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

SECONDS_A_NODE = 10.0  # --node-eviction-rate=0.1
UNHEALTHY = 0.55  # --unhealthy-zone-threshold: the share of lost nodes that stops evictions
MANY = 2  # so many lost nodes never stop them
ZoneState = Literal["normal", "partial", "full"]
ZoneName = tuple[str, str]  # region and zone


def zone_state(ready: Sequence[bool]) -> ZoneState:
    """Judge a zone by which of its nodes are ready."""
    lost = len(ready) - sum(ready)
    if lost and lost == len(ready):
        return "full"
    return "partial" if lost > MANY and lost / len(ready) >= UNHEALTHY else "normal"


@dataclass(slots=True)
class Zone:
    """The nodes of one zone that wait to be tainted, and when the next one may be."""

    waiting: dict[str, None] = field(default_factory=dict)  # in their order
    free_at: float = -math.inf
    stopped: bool = False

    def resume(self, now: float) -> None:
        """Let evictions go on: the first ten seconds from now."""
        if self.stopped:
            self.stopped, self.free_at = False, now + SECONDS_A_NODE


class EvictionRate:
    """Decides when each lost node gets the taint that evicts its pods."""

    def __init__(self) -> None:
        self._zones: dict[ZoneName, Zone] = {}
        self.all_lost = False  # every node of the cluster: then nobody is evicted

    def see(self, zones: Mapping[ZoneName, Sequence[bool]], now: float) -> None:
        """Note which nodes are ready, zone by zone."""
        states = {name: zone_state(ready) for name, ready in zones.items()}
        self.all_lost = bool(states) and set(states.values()) == {"full"}
        for name, state in states.items():
            zone = self._zones.setdefault(name, Zone())
            if self.all_lost or state == "partial":
                zone.stopped = True
            else:
                zone.resume(now)

    def add(self, node: str, zone: ZoneName) -> None:
        """Let a lost node wait for its turn, unless it does already."""
        self._zones.setdefault(zone, Zone()).waiting.setdefault(node)

    def remove(self, node: str) -> None:
        """Forget a node that is back, or gone."""
        for zone in self._zones.values():
            zone.waiting.pop(node, None)

    def take(self, now: float) -> list[str]:
        """Return the nodes whose turn it is; they wait no longer."""
        taken = []
        for zone in self._zones.values():
            if zone.waiting and not zone.stopped and now >= zone.free_at:
                node = next(iter(zone.waiting))
                del zone.waiting[node]
                zone.free_at = now + SECONDS_A_NODE
                taken.append(node)
        return taken

    def next_at(self) -> float:
        """Return when the next node may be taken; infinity if none waits."""
        turns = [z.free_at for z in self._zones.values() if z.waiting and not z.stopped]
        return min(turns, default=math.inf)
