"""What a drill does, in which order. Pure: a scenario and the sale's replicas in, steps out."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from flashsale.base.errors import BadInputError
from flashsale.base.ranges import check_range
from flashsale.base.text import counted, plain_number
from flashsale.load.plan import FASTEST
from flashsale.sale.kill.kill_method import KillMethod
from flashsale.sale.replica_count import MOST_REPLICAS

Calmness = Literal["before", "scaled", "after"]
MOST_KILLS = 1000
STOPPING = 30.0  # seconds added to the load's end for what comes after the last step


@dataclass(frozen=True, slots=True)
class Scenario:
    """A drill's figures, all of them checked; BadInputError if one makes no sense."""

    rate: float = 100.0  # purchases a second
    kills: int = 3
    every: float = 8.0  # seconds between kills, at least: each also waits until all is whole
    scale_to: int = 5
    kill_method: KillMethod = field(default_factory=KillMethod)
    keep_ready: int = 1  # ready pods that every kill must leave
    calm: float = 5.0  # seconds of load alone: before everything, after scaling up, at the end
    seed: int = 0  # chooses the victims
    timeout: float = 120.0  # seconds for each healing and each scaling
    max_lost: int = 0
    kill_node: bool = False  # a node dies after the kills, and comes back

    def __post_init__(self) -> None:
        if not 0 < self.rate <= FASTEST:
            raise BadInputError(
                f"--rate must be above 0 and at most {FASTEST:,}, not {plain_number(self.rate)}.",
                hint="flashsale drill --rate 100",
            )
        hint = "flashsale drill --help"
        check_range("--kills", self.kills, 0, MOST_KILLS, hint=hint)
        check_range("--scale", self.scale_to, 1, MOST_REPLICAS, hint=hint)
        check_range("--keep-ready", self.keep_ready, 0, hint=hint)
        check_range("--max-lost", self.max_lost, 0, hint=hint)

    @property
    def kill_description(self) -> str:
        """Say how pods are killed, as the end of "each kill ..."."""
        if self.kill_method.process:
            return "ends the container's process with SIGKILL"
        if self.kill_method.grace is None:
            return "deletes a pod, which gets its grace period"
        if self.kill_method.grace == 0:
            return "deletes a pod at once, without a grace period"
        return f"deletes a pod with a grace period of {self.kill_method.grace} s"


@dataclass(frozen=True, slots=True)
class Calm:
    """Load alone, so that there is something to compare with."""

    name: Calmness
    seconds: float


@dataclass(frozen=True, slots=True)
class Scale:
    """Set the replicas, and wait until all are ready and all others gone."""

    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Kill:
    """Kill one pod, and wait until all is whole."""

    number: int  # from 1
    total: int
    pause: float  # seconds from the kill before it, at least; 0 for the first


@dataclass(frozen=True, slots=True)
class KillNode:
    """Kill one node, wait until its pods are replaced, start it, and wait until all is whole."""

    wait: float  # seconds for which this cluster leaves pods on a lost node


DrillStep = Calm | Scale | Kill | KillNode


def plan_steps(scenario: Scenario, replicas: int, node_wait: float = 0.0) -> tuple[DrillStep, ...]:
    """Plan a drill on a sale that has so many replicas; the last scaling brings them back.

    Args:
        node_wait: seconds for which the cluster leaves pods on a lost node.

    Raises:
        BadInputError: there is no pod at all, or no kill can leave enough of them.
    """
    if replicas < 1:
        raise BadInputError("The sale has 0 replicas: no pod can sell.", hint="flashsale scale 3")
    calm, target = scenario.calm, scenario.scale_to
    if scenario.kills and target <= scenario.keep_ready:
        raise BadInputError(
            f"No kill is possible with {counted(target, 'pod')}:"
            f" {skip_reason(scenario.keep_ready)}, as --keep-ready asks for.",
            hint=f"flashsale drill --scale {scenario.keep_ready + 1}"
            f" --keep-ready {scenario.keep_ready}",
        )
    up: tuple[DrillStep, ...] = (Scale(replicas, target), Calm("scaled", calm))
    back: tuple[DrillStep, ...] = (Scale(target, replicas),)
    scales = target != replicas
    kills = (
        Kill(number, scenario.kills, scenario.every if number > 1 else 0.0)
        for number in range(1, scenario.kills + 1)
    )
    return (
        Calm("before", calm),
        *(up if scales else ()),
        *kills,
        *((KillNode(node_wait),) if scenario.kill_node else ()),
        *(back if scales else ()),
        Calm("after", calm),
    )


def skip_reason(floor: int) -> str:
    """Say why a kill is skipped, as the end of "kill 1 of 3 skipped: ..."."""
    return f"it would leave fewer than {counted(floor, 'ready pod')}"


def plan_as_json(plan: tuple[DrillStep, ...]) -> list[dict[str, Any]]:
    """Write a plan as `drill --dry-run -o json` does."""
    return [
        {
            "do": "kill-node" if isinstance(step, KillNode) else type(step).__name__.lower(),
            **asdict(step),
        }
        for step in plan
    ]


def shortest_seconds(plan: tuple[DrillStep, ...]) -> float:
    """Return how many seconds a plan takes where healing and scaling take no time."""
    return sum(_own_seconds(step) for step in plan)


def longest_seconds(plan: tuple[DrillStep, ...], timeout: float) -> float:
    """Return how many seconds a plan can take at most, each wait as long as it may."""
    waits = 2 * sum(not isinstance(step, Calm) for step in plan)  # for the floor, and to be whole
    return shortest_seconds(plan) + waits * timeout + STOPPING


def _own_seconds(step: DrillStep) -> float:
    if isinstance(step, Calm):
        return step.seconds
    if isinstance(step, KillNode):
        return step.wait
    return step.pause if isinstance(step, Kill) else 0.0
