"""What the kubelet knows of a pod: plain values, replaced as a whole when something happens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from flashsale.objects.models import Object, has_ended, timestamp

CREATING = "ContainerCreating"
INITIALIZING = "PodInitializing"
BACK_OFF = "CrashLoopBackOff"
UNKNOWN = "ContainerStatusUnknown"
SIGKILLED = 137
_USED_TO_RUN = (
    "The container could not be located when the pod was deleted.  The container used to be Running"
)
_NEVER_RAN = "The container could not be located when the pod was terminated"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Not running, for a reason."""

    reason: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """Running since then (unix seconds, whole)."""

    started_at: float


@dataclass(frozen=True, slots=True)
class Terminated:
    """Ended. Times are unix seconds; None where nobody saw it happen."""

    exit_code: int  # 128 + N after signal N
    reason: str
    started_at: float | None = None
    finished_at: float | None = None
    container_id: str = ""
    message: str = ""


CurrentState = Waiting | Running | Terminated


@dataclass(frozen=True, slots=True)
class ContainerState:
    """One container of the pod, through all its restarts."""

    name: str
    state: CurrentState = Waiting(CREATING)
    last: Terminated | None = None  # how the instance before this one ended
    restarts: int = 0
    container_id: str = ""  # of the newest instance, empty before the first
    image_id: str = ""
    ready: bool = False
    started: bool = False
    sidecar: bool = False  # an init container that runs on beside the others

    def running(self, container_id: str, image_id: str, now: float) -> ContainerState:
        """Return what holds once a new instance has started."""
        return replace(
            self,
            state=Running(float(int(now))),
            last=self.ended or self.last,
            restarts=self.restarts + bool(self.container_id),
            container_id=container_id,
            image_id=image_id,
            ready=False,
            started=False,
        )

    def stopped(self, end: Terminated) -> ContainerState:
        """Return what holds once the instance has ended."""
        return replace(self, state=end, ready=False, started=False)

    def waiting(self, reason: str, message: str = "") -> ContainerState:
        """Return what holds while the next instance has to wait."""
        state = Waiting(reason, message)
        return replace(self, state=state, last=self.ended or self.last, ready=False, started=False)

    @property
    def ended(self) -> Terminated | None:
        """How the newest instance ended, if that is the container's state."""
        return self.state if isinstance(self.state, Terminated) else None


@dataclass(frozen=True, slots=True)
class PodState:
    """All containers of a pod and what they share."""

    containers: tuple[ContainerState, ...]
    init: tuple[ContainerState, ...]
    start_time: float  # when the kubelet first saw the pod, unix seconds
    sandbox: bool = False  # the pod has an address of its own
    ip: str = ""  # that address, once it is told to the world
    over: bool = False  # the pod is ending and no container will run again
    never_ran: bool = False  # it ended before any container existed

    def get(self, name: str) -> ContainerState:
        return next(state for state in (*self.init, *self.containers) if state.name == name)

    def put(self, changed: ContainerState) -> PodState:
        def swapped(each: Iterable[ContainerState]) -> tuple[ContainerState, ...]:
            return tuple(changed if state.name == changed.name else state for state in each)

        return replace(self, containers=swapped(self.containers), init=swapped(self.init))

    def settled(self) -> PodState:
        """Return the state of a pod that is ending: nothing waits to be started any more."""

        def settle(one: ContainerState) -> ContainerState:
            if not isinstance(one.state, Waiting):
                return one
            before = one.last if one.container_id else None
            return replace(one, state=before or Waiting(CREATING))

        containers, init = (tuple(map(settle, many)) for many in (self.containers, self.init))
        return replace(self, containers=containers, init=init)

    def ended(self) -> PodState:
        """Return the last state: containers that never ran count as lost."""

        lost = Terminated(SIGKILLED, UNKNOWN, message=_NEVER_RAN)
        containers = tuple(
            old if old.ended else replace(old, state=lost) for old in self.containers
        )
        never_ran = not any(old.container_id or old.last for old in self.containers)
        return replace(self, containers=containers, over=True, never_ran=never_ran)


def new_pod_state(pod: Object, now: float) -> PodState:
    """Return the state of a pod that was never seen before."""
    spec = pod["spec"]
    reason = INITIALIZING if spec.get("initContainers") else CREATING
    init = [
        ContainerState(container["name"], Waiting(INITIALIZING), sidecar=is_sidecar(container))
        for container in spec.get("initContainers") or []
    ]
    containers = [
        ContainerState(container["name"], Waiting(reason)) for container in spec["containers"]
    ]
    return PodState(tuple(containers), tuple(init), start_time=float(int(now)))


def is_sidecar(container: Object) -> bool:
    """Whether an init container is one that runs on beside the pod's containers."""
    return container.get("restartPolicy") == "Always"


def recovered(pod: Object, now: float) -> PodState:
    """Read the state back from the pod's status, after the kubelet was away.

    No process outlives the kubelet, so what was running is gone: lost with exit code 137, and
    counted as restarted unless the pod is over or being deleted (convertToAPIContainerStatuses in
    pkg/kubelet/kubelet_pods.go).
    """
    state, status = new_pod_state(pod, now), pod.get("status") or {}
    leaving = has_ended(pod) or bool(pod["metadata"].get("deletionTimestamp"))
    for key in ("initContainerStatuses", "containerStatuses"):
        for old in status.get(key) or []:
            name = old.get("name", "")  # anybody may write a status, and leave this out
            if any(name == container.name for container in (*state.init, *state.containers)):
                state = state.put(_recover(state.get(name), old, leaving=leaving))
    start = status.get("startTime")
    return replace(state, start_time=timestamp(start)) if start else state


def _recover(new: ContainerState, old: Object, *, leaving: bool) -> ContainerState:
    restarts, known = old.get("restartCount", 0), old.get("containerID") or ""
    last = _terminated((old.get("lastState") or {}).get("terminated"))
    state = old.get("state") or {}
    new = replace(new, last=last, restarts=restarts, image_id=old.get("imageID") or "")
    if ended := _terminated(state.get("terminated")):
        return replace(new, state=ended, container_id=known)
    if state.get("running"):
        started = timestamp(state["running"].get("startedAt")) or None
        lost = Terminated(SIGKILLED, UNKNOWN, started, None, known, _USED_TO_RUN)
        if leaving:
            return replace(new, state=lost, container_id=known)
        return replace(new, last=lost, restarts=restarts + 1)
    return replace(new, container_id=known)


def _terminated(value: dict[str, Any] | None) -> Terminated | None:
    if not value:
        return None
    return Terminated(
        value.get("exitCode", 0),
        value.get("reason", ""),
        timestamp(value.get("startedAt")) or None,
        timestamp(value.get("finishedAt")) or None,
        value.get("containerID", ""),
        value.get("message", ""),
    )
