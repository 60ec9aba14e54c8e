"""What may be waited for: pure functions of what is known of a sale."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flashsale.objects.models import Pod

if TYPE_CHECKING:
    from flashsale.sale.observe.state import Condition, SaleState

LOOK = 0.5  # seconds for a look at what is there, when waiting for other things took all the time
CRASHES = 2  # restarts after which a crashing app is not expected to come round
HOPELESS = (
    "ErrImageNeverPull",
    "ImagePullBackOff",
    "InvalidImageName",
    "CreateContainerConfigError",
)


@dataclass(frozen=True, slots=True)
class Deadline:
    """How long to wait in all, however many waits that takes."""

    seconds: float  # as somebody typed it
    ends: float  # on the monotonic clock

    @classmethod
    def after(cls, seconds: float, clock: Callable[[], float] = time.monotonic) -> Deadline:
        """Begin to wait now."""
        return cls(seconds, clock() + seconds)

    def left(self, clock: Callable[[], float] = time.monotonic) -> float:
        """Give the seconds that are left; 0 when the time is up."""
        return max(0.0, self.ends - clock())


def all_ready(count: int) -> Condition:
    """Ask for exactly ``count`` pods, all ready, and a ReplicaSet that says so."""

    def holds(state: SaleState) -> bool:
        replicaset, alive = state.replicaset, state.alive
        if replicaset is None:
            return False
        numbers = {
            state.desired,
            replicaset.desired,
            replicaset.current,
            replicaset.ready,
            len(alive),
        }
        return replicaset.observed and numbers == {count} and all(pod.ready for pod in alive)

    return holds


def renewed(old: Collection[str]) -> Condition:
    """Ask for as many pods as desired, all ready but for the old ones, known by their uids."""

    def holds(state: SaleState) -> bool:
        alive = state.alive
        return len(alive) == state.desired and all(pod.ready for pod in newer(alive, old))

    return holds


def none_left(replicaset_uid: str) -> Condition:
    """Ask that no pod of a ReplicaSet is left, be it deleted itself or not."""

    def holds(state: SaleState) -> bool:
        return all(seen.pod.owner_uid != replicaset_uid for seen in state.pods.values())

    return holds


def settled(state: SaleState) -> bool:
    """Whether as many pods as wanted are ready, and none is on its way out."""
    leaving = any(pod.terminating for pod in state.own)
    return state.count == state.ready == state.desired and not leaving


def rescaled(state: SaleState, count: int) -> int | None:
    """Give the number of pods that is desired now, if that is another."""
    return None if state.desired in (None, count) else state.desired


def newer(pods: Sequence[Pod], old: Collection[str]) -> list[Pod]:
    """Give the pods whose uids are not among the old ones."""
    return [pod for pod in pods if pod.uid not in old]


def stuck(pods: Sequence[Pod]) -> bool:
    """Whether all unready pods of these are beyond hope: no image, or an app that crashes."""
    unready = [pod for pod in pods if not pod.ready]
    crashing = {pod.name for pod in unready if pod.restarts >= CRASHES}
    return bool(unready) and all(
        pod.status.removeprefix("Init:") in HOPELESS
        or (pod.status.endswith("CrashLoopBackOff") and pod.name in crashing)
        for pod in unready
    )
