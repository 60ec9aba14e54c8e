"""What `kubectl get` shows of an object where it is more than one of its fields.

The rules are those of pkg/printers/internalversion/printers.go and apimachinery/pkg/util/duration.
Everything here is pure and takes any JSON object.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flashsale.objects.fields import Section, moment, number, section, sections, text

MINUTE, HOUR, DAY = 60, 3600, 86400
YEAR = 365 * DAY
TERMINAL = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class PodColumns:
    """READY, STATUS and RESTARTS of a pod."""

    ready: int  # containers that run and are ready
    total: int  # containers, sidecars included
    status: str  # Running, Terminating, CrashLoopBackOff, ...
    restarts: int
    restarted: float  # unix seconds of the last restart, whole; 0 if there was none


def pod_columns(pod: Mapping[str, Any]) -> PodColumns:
    """Derive a pod's columns as ``printPod`` does."""
    sidecars = _sidecars(pod)
    init = sections(pod, "status", "initContainerStatuses")
    containers = sections(pod, "status", "containerStatuses")
    helpers = [container for container in init if text(container, "name") in sidecars]
    waiting_for = _init_status(init, sidecars, len(sections(pod, "spec", "initContainers")))
    initializing = waiting_for and find_condition(pod, "Initialized").get("status") != "True"
    counted = init if initializing else [*helpers, *containers]
    running = [] if initializing else [*filter(_is_running, containers)]
    status = waiting_for or _phase(pod)
    if not initializing:
        status = _containers_status(pod, containers, status)
    helping = sum(helper.get("started") is True and _ready(helper) for helper in helpers)
    return PodColumns(
        ready=len(running) + helping,
        total=len(sections(pod, "spec", "containers")) + len(sidecars),
        status=_deletion_status(pod) or status,
        restarts=sum(number(counted_status, "restartCount") for counted_status in counted),
        restarted=max(map(_ended_at, counted), default=0.0),
    )


def has_ended(pod: Mapping[str, Any]) -> bool:
    """Whether all containers of a pod have ended for good."""
    return text(pod, "status", "phase") in TERMINAL


def is_ready(thing: Mapping[str, Any]) -> bool:
    """Whether a pod, or a node, has the condition Ready."""
    return find_condition(thing, "Ready").get("status") == "True"


def find_condition(thing: Mapping[str, Any], kind: str) -> Section:
    """Return a pod's or node's condition of that type, empty if it has none."""
    for condition in sections(thing, "status", "conditions"):
        if condition.get("type") == kind:
            return condition
    return {}


def service_ports(ports: Iterable[Mapping[str, Any]]) -> str:
    """Write the PORT(S) column: `80:30080/TCP`, several joined by commas, `<none>` without any."""
    words = []
    for port in ports:
        node = f":{number(port, 'nodePort')}" if number(port, "nodePort") > 0 else ""
        words.append(f"{number(port, 'port')}{node}/{text(port, 'protocol') or 'TCP'}")
    return ",".join(words) or "<none>"


def human_duration(seconds: float) -> str:
    """Write an AGE as ``HumanDuration`` does, truncating; clocks may differ by under 2 seconds."""
    if int(seconds) < -1:
        return "<invalid>"
    whole = max(0, int(seconds))
    if whole < 2 * MINUTE:
        return f"{whole}s"
    for below, big, big_name, small, small_name in (
        (10 * MINUTE, MINUTE, "m", 1, "s"),
        (3 * HOUR, MINUTE, "m", 0, ""),
        (8 * HOUR, HOUR, "h", MINUTE, "m"),
        (2 * DAY, HOUR, "h", 0, ""),
        (8 * DAY, DAY, "d", HOUR, "h"),
        (2 * YEAR, DAY, "d", 0, ""),
        (8 * YEAR, YEAR, "y", DAY, "d"),
    ):
        if whole < below:
            rest = whole % big // small if small else 0
            return f"{whole // big}{big_name}" + (f"{rest}{small_name}" if rest else "")
    return f"{whole // YEAR}y"


def _phase(pod: Mapping[str, Any]) -> str:
    if find_condition(pod, "PodScheduled").get("reason") == "SchedulingGated":
        return "SchedulingGated"
    return text(pod, "status", "reason") or text(pod, "status", "phase")


def _deletion_status(pod: Mapping[str, Any]) -> str:
    if not section(pod, "metadata").get("deletionTimestamp"):
        return ""
    if text(pod, "status", "reason") == "NodeLost":
        return "Unknown"
    return "" if text(pod, "status", "phase") in TERMINAL else "Terminating"


def _sidecars(pod: Mapping[str, Any]) -> set[str]:
    """Name the init containers that go on running beside the others."""
    init = sections(pod, "spec", "initContainers")
    return {text(each, "name") for each in init if each.get("restartPolicy") == "Always"}


def _init_status(statuses: list[Section], sidecars: set[str], wanted: int) -> str:
    """Say what the first unfinished init container is at, or nothing once all are done."""
    for index, container in enumerate(statuses):
        ended, reason = _ended(container), text(container, "state", "waiting", "reason")
        finished = ended is not None and not number(ended, "exitCode")
        helping = text(container, "name") in sidecars and container.get("started") is True
        if finished or helping:
            continue
        if ended is not None:
            return "Init:" + _end_reason(ended)
        if reason not in ("", "PodInitializing"):
            return f"Init:{reason}"
        return f"Init:{index}/{wanted}"
    return ""


def _containers_status(pod: Mapping[str, Any], containers: list[Section], status: str) -> str:
    error = ""
    for container in reversed(containers):  # so that the first one has the last word
        ended, waiting = _ended(container), text(container, "state", "waiting", "reason")
        if waiting:
            status = waiting
        elif ended is not None:
            status = _end_reason(ended)
            error = status if number(ended, "exitCode") else error
    if status != "Completed":
        return status
    running = any(map(_is_running, containers))
    if running and is_ready(pod):
        return "Running"
    return error or ("NotReady" if running else status)


def _is_running(container: Section) -> bool:
    state = section(container, "state")
    busy = text(state, "waiting", "reason") or _ended(container) is not None
    return not busy and _ready(container) and isinstance(state.get("running"), Mapping)


def _ready(container: Section) -> bool:
    return container.get("ready") is True


def _ended(container: Section) -> Section | None:
    ended = section(container, "state").get("terminated")
    return ended if isinstance(ended, Mapping) else None


def _end_reason(ended: Section) -> str:
    if text(ended, "reason"):
        return text(ended, "reason")
    if number(ended, "signal"):
        return f"Signal:{number(ended, 'signal')}"
    return f"ExitCode:{number(ended, 'exitCode')}"


def _ended_at(container: Section) -> float:
    """When a container's life before this one ended."""
    return moment(container, "lastState", "terminated", "finishedAt")
