"""What a worker's pod says of itself, read from the API object: pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flashsale.load.in_cluster.job_manifest import INDEX
from flashsale.load.worker.in_pod.log_lines import LogReader

_PREEMPTION = re.compile(r" (?:no new claims to deallocate, )?preemption: ")  # once more the same

SURE = 2  # messages of a waiting worker after which its clock is known well enough


@dataclass(slots=True)
class RemoteWorker:
    """One worker, and how far it is."""

    part: int
    pod: str = ""
    node: str = ""
    running: bool = False  # its container has started, so there is a log
    clock_offset: float = 0.0  # seconds that its clock is ahead of this machine's
    heard: int = 0  # messages before the start
    started: bool = False  # it knows when second 0 is
    done: bool = False  # its result is whole
    ended: str = ""  # how its pod ended
    problem: str = ""  # what keeps it from starting, in the cluster's words
    log: LogReader = field(default_factory=LogReader)

    @property
    def ready(self) -> bool:
        """Whether it waits for the start, and how its clock goes is known."""
        return self.heard >= SURE and not self.ended and not self.problem

    def hear_clock(self, its: float, ours: float) -> None:
        """Take in what its clock showed; both are unix seconds.

        A message takes its time, so every difference is too small; the largest is the best.
        """
        offset = its - ours
        self.clock_offset = offset if not self.heard else max(self.clock_offset, offset)
        self.heard += 1

    def see(self, pod: Mapping[str, Any]) -> None:
        status = pod.get("status") or {}
        self.pod = str(pod["metadata"]["name"])
        self.node = (pod.get("spec") or {}).get("nodeName", "")
        leaving = pod["metadata"].get("deletionTimestamp")
        self.problem = "its pod is being deleted" if leaving else problem_of(status)
        ending = ending_of(status)
        self.ended = self.ended or ("its pod was deleted" if leaving and ending else ending)
        self.running = self.running or status.get("phase") not in (None, "", "Pending")


def part_of(pod: Mapping[str, Any]) -> int | None:
    """Return the number of a pod's worker; None for one that the Job controller did not make."""
    text = str((pod["metadata"].get("annotations") or {}).get(INDEX, ""))
    return int(text) if text.isdecimal() else None


def problem_of(status: Mapping[str, Any]) -> str:
    """Say what keeps a pod from starting; empty while it is on its way."""
    if status.get("phase") != "Pending":
        return ""
    for condition in status.get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            why = str(condition.get("message") or condition.get("reason") or "not scheduled")
            return _PREEMPTION.split(why)[0]
    for status_of_container in status.get("containerStatuses") or []:
        waiting = (status_of_container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
            return ": ".join(filter(None, (waiting["reason"], waiting.get("message"))))
    return ""


def ending_of(status: Mapping[str, Any]) -> str:
    """Say how a pod ended; empty while it lives."""
    if status.get("phase") not in ("Failed", "Succeeded"):
        return ""
    if status.get("reason"):  # Evicted, NodeLost, ...
        return ": ".join(filter(None, (status["reason"], status.get("message"))))
    for status_of_container in status.get("containerStatuses") or []:
        if ended := (status_of_container.get("state") or {}).get("terminated"):
            why = str(ended.get("reason") or "ended")
            code = f", exit code {ended['exitCode']}" if "exitCode" in ended else ""
            return f"{why}{code}{': ' + ended['message'] if ended.get('message') else ''}"
    return str(status["phase"])
