"""What one worker is to do: plain values, which travel as one JSON document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flashsale.load.worker.schedule import Arrivals

BUY = "/buy"


@dataclass(frozen=True, slots=True)
class LoadTarget:
    """Where purchases go. Who makes one has checked the address."""

    address: str  # of the one server that is connected to, as text
    port: int
    host: str  # the Host header
    path: str = BUY  # with a query, if the URL had one

    @property
    def url(self) -> str:
        """The purchase's address, for people."""
        return f"http://{self.host}{self.path}"


@dataclass(frozen=True, slots=True)
class Orders:
    """One worker's part of a run; ``dataclasses.asdict`` writes it for the wire."""

    target: LoadTarget
    rate: float  # purchases a second, of all workers together
    seconds: float  # how long new buyers come
    arrivals: Arrivals
    seed: int  # of poisson arrivals
    keepalive: bool
    timeout: float  # seconds from a purchase's start until it counts as lost
    part: int = 0  # this worker's number
    parts: int = 1  # workers in all

    @classmethod
    def from_wire(cls, wire: dict[str, Any]) -> Orders:
        return cls(**{**wire, "target": LoadTarget(**wire["target"])})
