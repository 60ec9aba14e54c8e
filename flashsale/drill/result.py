"""What a drill did and what came of it: facts, before anything is concluded from them.

Moments named ``..._at`` and those of pods and healings are seconds on the monotonic clock; second
0 of the run is ``report.started_monotonic``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from flashsale.drill.cpu import Reading
from flashsale.drill.history import History, PodLifetime
from flashsale.drill.scenario import Scenario
from flashsale.load.results import Report
from flashsale.sale.observe.healing import Healing

EntryKind = Literal[
    "step", "kill", "skipped", "created", "ready", "gone", "scaling", "scaled", "accident", "note"
]
PhaseName = Literal["before", "scaling", "scaled", "kills", "scaling back", "after"]
End = Literal["done", "interrupted", "failed"]


@dataclass(frozen=True, slots=True)
class LogEntry:
    at: float
    kind: EntryKind
    text: str
    pod: str = ""


@dataclass(frozen=True, slots=True)
class PodKill:
    number: int
    pod: str
    uid: str
    asked_at: float  # before the request
    accepted_at: float  # its acceptance


@dataclass(frozen=True, slots=True)
class SkippedKill:
    number: int
    at: float
    reason: str  # the end of "kill 1 of 3 skipped: ..."


@dataclass(frozen=True, slots=True)
class NodeDeath:
    """A node that was killed; what came later is None where it was not seen."""

    node: str
    pods: tuple[tuple[str, str], ...]  # name and uid of the sale's pods there
    asked_at: float
    not_ready_at: float | None = None  # its pods left the Service
    replaced_at: float | None = None  # all of them have a ready replacement
    back_at: float | None = None  # it is ready again

    @property
    def cause(self) -> str:
        return f"the death of the node {self.node}"


@dataclass(frozen=True, slots=True)
class ScalingRecord:
    """One scaling; ``ended_at`` is when as many pods as wanted were ready, None if never."""

    before: int
    after: int
    asked_at: float
    ended_at: float | None


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the run, to compare with other parts."""

    name: PhaseName
    pods: int  # replicas wanted in it
    began_at: float
    ended_at: float
    machine: tuple[Reading | None, Reading | None]  # at its beginning and its end


@dataclass(frozen=True, slots=True)
class Environment:
    """Where a drill ran, and on what."""

    kind: str  # embedded, minikube or context
    context: str
    namespace: str
    url: str
    replicaset: str
    server: str  # the API server's version
    flashsale: str
    python: str
    system: str
    cores: int
    manifest: str  # YAML of the ReplicaSet and the Service as they were
    node_timing: str = ""  # words, where a lost node's times are not Kubernetes' own

    @property
    def has_pre_stop(self) -> bool:
        """Whether a preStop hook lets pods go on selling for a while after their deletion."""
        return "preStop:" in self.manifest


@dataclass(frozen=True, slots=True)
class DrillResult:
    """A finished drill, or as much of it as there was time for."""

    scenario: Scenario
    environment: Environment
    replicas: int  # before and after
    report: Report
    history: History
    kills: tuple[PodKill, ...]  # that happened
    skipped: tuple[SkippedKill, ...]
    scalings: tuple[ScalingRecord, ...]
    phases: tuple[Phase, ...]
    log: tuple[LogEntry, ...]
    ended: End = "done"
    error: str = ""  # what ended it early
    node_deaths: tuple[NodeDeath, ...] = ()

    @property
    def seconds(self) -> float:
        """How long buyers came, and the last of them were waited for."""
        return self.report.figures.seconds

    @property
    def sending_seconds(self) -> float:
        """How long buyers came; the last of them were waited for afterwards."""
        figures = self.report.figures
        return figures.sent / figures.rate if figures.rate else self.seconds

    def second(self, at: float) -> float:
        """Turn a monotonic moment into seconds of the run, to the millisecond."""
        return round(at - self.report.started_monotonic, 3)

    @property
    def healings(self) -> list[Healing]:
        """What healed or was to heal, with the first purchase of each replacement."""
        return [self._with_first_sale(healing) for healing in self.history.healed]

    @property
    def pods(self) -> list[PodLifetime]:
        """All pods, in the order in which they came."""
        return sorted(self.history.lifetimes.values(), key=lambda pod: (pod.seen, pod.name))

    def kill_of(self, healing: Healing) -> PodKill | None:
        """Find the kill that a healing heals; None for an accident."""
        of_pod = (kill for kill in self.kills if kill.uid == healing.victim_uid)
        before = (kill for kill in of_pod if kill.asked_at <= healing.died)
        return max(before, key=lambda kill: kill.asked_at, default=None)

    def _with_first_sale(self, healing: Healing) -> Healing:
        first = self.report.firsts.get(healing.replacement or "")
        if first is None or healing.in_place or healing.served is not None:
            return healing
        return replace(healing, served=self.report.started_monotonic + first)
