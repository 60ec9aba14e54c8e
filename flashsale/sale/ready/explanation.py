"""What Kubernetes did with the sale's pods, and where the seconds went, in sentences. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from flashsale.base.text import counted, joined
from flashsale.objects.fields import section
from flashsale.objects.models import Pod
from flashsale.sale.observe.healing import Healing
from flashsale.sale.observe.observations import EventSeen, PodSeen, first_moment
from flashsale.sale.observe.state import Update
from flashsale.sale.ready.log_patterns import creation_failure

POD_NAME = re.compile(r'pods "[^"]+"')  # one that was not created; the next one has another
MORE = re.compile(r"\.\s.*", re.DOTALL)  # after the reasons: what preemption found
TURN = 2.0  # seconds beyond tolerationSeconds that are no turn of the node's yet
SHORT = 0.1  # seconds that are not worth a word
NO_ROOM, NO_POD = "FailedScheduling", "FailedCreate"  # reasons of events


class WarningNotes:
    """Notes at once why pods cannot be made or placed, each reason once; an observer."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._noted: set[str] = set()

    def see(self, update: Update) -> None:
        line = warning_line(update)
        alike = POD_NAME.sub("", line)
        if line and alike not in self._noted:
            self._noted.add(alike)
            self._note(line)


def warning_line(update: Update) -> str:
    """Say why a pod cannot be made or placed, in the scheduler's or the server's words.

    Empty for anything else, and while pods on their way out may still make room.
    """
    seen, state = update.observation, update.state
    if not isinstance(seen, EventSeen) or seen.old or seen.type != "Warning":
        return ""
    words = MORE.sub("", seen.message).rstrip(".")
    if seen.reason == NO_ROOM and not any(pod.terminating for pod in state.own):
        return f"The scheduler finds no node for a pod: {words}."
    if seen.reason == NO_POD:
        return f"The ReplicaSet cannot create a pod: {creation_failure(words)}."
    return ""


@dataclass(frozen=True, slots=True)
class PodTimes:
    """When a new pod got how far, in monotonic seconds; None for what was not seen."""

    pod: Pod
    started: float | None = None  # its containers run
    ready: float | None = None


class NewPods:
    """Notes how new pods come up; an observer of the sale's monitor."""

    def __init__(self, before: Collection[str]) -> None:
        self._before = before  # uids of pods that are not new
        self._times: dict[str, PodTimes] = {}
        self.deleted: dict[str, str] = {}  # names of pods on their way out, by uid

    def see(self, update: Update) -> None:
        seen = update.observation
        if not isinstance(seen, PodSeen) or not update.state.owns(seen.pod):
            return
        if seen.pod.terminating and seen.change != "listed":
            self.deleted[seen.pod.uid] = seen.pod.name
        if seen.pod.uid in self._before or seen.change == "gone":
            return
        times = self._times.get(seen.pod.uid, PodTimes(seen.pod))
        self._times[seen.pod.uid] = PodTimes(
            seen.pod,
            first_moment(times.started, seen.at, seen.running),
            first_moment(times.ready, seen.at, seen.ready and seen.running),
        )

    @property
    def ready(self) -> list[PodTimes]:
        return [times for times in self._times.values() if times.ready is not None]


def created_line(new: Sequence[PodTimes], began: float) -> str:
    """Say what the ReplicaSet created since ``began`` (monotonic), and where the seconds went."""
    if not new:
        return ""
    last = max(new, key=lambda times: times.ready or 0.0)
    seconds = f"{max(0.0, (last.ready or began) - began):.1f} s"
    spent = time_spent(last.pod, began, last.started, last.ready)
    which = last.pod.name if len(new) == 1 else f"the last of them, {last.pod.name},"
    did = f"The ReplicaSet created {counted(len(new), 'pod')}"
    return f"{did}; {which} was ready after {seconds}{f': {spent}' if spent else ''}."


def deleted_line(names: Sequence[str]) -> str:
    """Say which pods the ReplicaSet deleted because fewer are wanted."""
    return f"The ReplicaSet deleted {joined(sorted(names))}." if names else ""


def healing_line(healing: Healing, pods: Mapping[str, PodSeen]) -> str:
    """Say what was done about one dead pod, and where the seconds went; empty before it is ready.

    Args:
        pods: all that are in sight, by uid.
    """
    if healing.ready is None or healing.replacement is None:
        return ""
    seconds = f"{healing.seconds(healing.ready) or 0.0:.1f} s"
    if healing.in_place:
        did = f"The kubelet restarted the container of {healing.victim} in place"
    else:
        counts = f"wanted {healing.wanted}, counted {healing.left}"
        did = f"The ReplicaSet {counts}, created {healing.replacement}"
    seen = pods.get(healing.replacement_uid or "")
    spent = time_spent(seen.pod if seen else None, healing.died, healing.started, healing.ready)
    return f"{did}; ready after {seconds}{f': {spent}' if spent else ''}."


def time_spent(pod: Pod | None, began: float, started: float | None, ready: float | None) -> str:
    """Say where a pod's time to readiness went, in words; empty if that is not known."""
    if ready is None or started is None:
        return ""
    before = round(started - began, 1)
    probed = round(round(ready - began, 1) - before, 1)  # what is printed adds up
    parts = [f"{before:.1f} s until its container ran"] if before >= SHORT else []
    if probed >= SHORT:
        parts.append(f"{probed:.1f} s {probe_words(pod)}")
    return joined(parts) if parts else ""


def probe_words(pod: Pod | None) -> str:
    """Say what a pod that runs waits for before it is ready."""
    probe = section(pod.app_container, "readinessProbe") if pod else {}
    if not probe:
        return "until it was ready"
    delay, period = probe.get("initialDelaySeconds", 0), probe.get("periodSeconds", 10)
    begins = f"begins after {delay} s and " if delay else ""
    return f"for its readiness probe, which {begins}runs every {period} s"


def node_line(
    pods: int,
    times: tuple[float | None, float | None, float | None, float | None],
    tolerated: float | None,
) -> str:
    """Say where the seconds of a lost node went, and why.

    Args:
        times: from its death until it was not ready, its last pod was told to leave, the last
            replacement was made, and all were ready.
        tolerated: seconds for which its pods tolerate a lost node.
    """
    not_ready, evicted, replaced, ready = times
    if not_ready is None:
        return "The node came back before Kubernetes noticed that it was gone."
    line = (
        f"Kubernetes noticed after {not_ready:.1f} s, when the node's lease had not been renewed"
        " for its node-monitor-grace-period; from then on the Service leads elsewhere."
    )
    if not pods:
        return f"{line} No pod of the sale was there."
    if evicted is None or replaced is None or ready is None:
        return line
    its, was = ("its", "was") if pods == 1 else ("their", "were")
    stayed = evicted - not_ready
    reason = f"{its} tolerationSeconds"
    if tolerated is not None and stayed > tolerated + TURN:
        reason += f" ({tolerated:g}) after the node's turn: lost nodes are emptied one in 10 s"
    return (
        f"{line} {counted(pods, 'pod')} then stayed {stayed:.1f} s more, {reason},"
        f" and {was} replaced {max(0.0, replaced - evicted):.1f} s later;"
        f" {ready - replaced:.1f} s until all were ready again."
    )
