"""What Kubernetes did with the sale's pods, and where the seconds went, in sentences. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from flashsale.base.text import counted, joined
from flashsale.objects.models import Pod
from flashsale.sale.observe.healing import Healing
from flashsale.sale.observe.observations import EventSeen
from flashsale.sale.observe.state import Update

PREEMPTION = re.compile(r"\s*preemption: .*", re.DOTALL)  # nobody preempts in a sale
NO_ROOM, NO_POD = "FailedScheduling", "FailedCreate"  # reasons of events


class WarningNotes:
    """Notes at once why pods cannot be made or placed, each reason once; an observer."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._noted: set[str] = set()

    def see(self, update: Update) -> None:
        """Take in one update."""
        line = warning_line(update)
        if line and line not in self._noted:
            self._noted.add(line)
            self._note(line)


def warning_line(update: Update) -> str:
    """Say why a pod cannot be made or placed, in the scheduler's or the server's words.

    Empty for anything else, and while pods on their way out may still make room.
    """
    seen, state = update.observation, update.state
    if not isinstance(seen, EventSeen) or seen.old or seen.type != "Warning":
        return ""
    words = PREEMPTION.sub("", seen.message).rstrip(".")
    if seen.reason == NO_ROOM and not any(pod.terminating for pod in state.own):
        return f"The scheduler finds no node for a pod: {words}."
    if seen.reason == NO_POD:
        return f"The ReplicaSet cannot create a pod: {words.removeprefix('Error creating: ')}."
    return ""


def healing_line(healing: Healing, wanted: int, replacement: Pod | None) -> str:
    """Say what the ReplicaSet did about one dead pod, and where the seconds went.

    Args:
        wanted: how many pods the ReplicaSet is to keep.
        replacement: as it was seen last, for its probes.
    """
    if healing.ready is None or healing.replacement is None:
        return ""
    seconds = f"{healing.seconds(healing.ready) or 0.0:.1f} s"
    if healing.in_place:
        did = f"The kubelet restarted the container of {healing.victim}, which stays the same pod"
    else:
        did = (
            f"The ReplicaSet wants {counted(wanted, 'pod')}, counted {wanted - 1} and created"
            f" {healing.replacement}"
        )
    spent = time_spent(healing, replacement)
    return f"{did}; ready after {seconds}{f': {spent}' if spent else ''}."


def time_spent(healing: Healing, pod: Pod | None) -> str:
    """Say where the time from death to readiness went, in words; empty if that is not known."""
    if healing.ready is None or healing.started is None:
        return ""
    before = healing.started - healing.died
    parts = [f"{before:.1f} s until its container ran"] if before >= 0.1 else []
    probed = healing.ready - healing.started
    if words := probe_wait(pod, probed):
        parts.append(words)
    elif probed >= 0.1:
        parts.append(f"{probed:.1f} s until it was ready")
    return joined(parts) if parts else ""


def probe_wait(pod: Pod | None, seconds: float) -> str:
    """Say how a readiness probe makes a pod wait for so many seconds; empty without one."""
    probe = _readiness_probe(pod)
    if not probe or seconds < 0.1:
        return ""
    delay, period = probe.get("initialDelaySeconds", 0), probe.get("periodSeconds", 10)
    if not delay:
        return f"{seconds:.1f} s until its readiness probe succeeded (it runs every {period} s)"
    if seconds < delay + 0.5:
        return f"{seconds:.1f} s for its readiness probe, which begins after {delay} s"
    return (
        f"{seconds:.1f} s for its readiness probe, which begins after {delay} s"
        f" and runs every {period} s"
    )


def _readiness_probe(pod: Pod | None) -> Mapping[str, Any]:
    containers = ((pod.raw.get("spec") or {}).get("containers") or [{}]) if pod else [{}]
    probe: Mapping[str, Any] = containers[0].get("readinessProbe") or {}
    return probe
