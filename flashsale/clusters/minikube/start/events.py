"""What `minikube start|stop|unpause -o json` says: CloudEvents, one JSON document a line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flashsale.clusters.base import Progress

PREFIX = "io.k8s.sigs.minikube."
DONE = "Done"  # the last step of every command


@dataclass(frozen=True, slots=True)
class MinikubeEvent:
    """One event; every value is a string, and texts for people may be in any language."""

    kind: str  # step, info, warning, error, download, download.progress
    data: Mapping[str, str]

    @property
    def message(self) -> str:
        return self.data.get("message", "").strip()

    @property
    def index(self) -> int:
        """The step's number; steps are skipped, repeated and can go back. -1 without one."""
        number = self.data.get("currentstep", "")
        return int(number) if number.isdecimal() else -1


@dataclass(frozen=True, slots=True)
class Failure:
    """What is stable about a failure: the exit code and minikube's own id for the reason."""

    code: int
    id: str = ""
    message: str = ""
    advice: str = ""
    log: str = ""  # last lines of stderr


def parse(line: str) -> MinikubeEvent | None:
    """Read a line; None for one that is no event, which can always happen."""
    try:
        document = json.loads(line)
        kind, data = document["type"], document.get("data") or {}
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(kind, str) or not kind.startswith(PREFIX):
        return None
    return MinikubeEvent(
        kind.removeprefix(PREFIX), {key: str(value) for key, value in data.items()}
    )


def failure(code: int, fatal: MinikubeEvent | None, log: str) -> Failure:
    """Join an exit code and the error event that explains it, where there is one."""
    if fatal is None:
        return Failure(code, log=log)
    data = fatal.data
    return Failure(code, data.get("name", ""), fatal.message, plain(data.get("advice", "")), log)


def plain(advice: str) -> str:
    """Strip the template's placeholders, which minikube forgets to fill in."""
    return re.sub(r"\s{2,}", " ", re.sub(r"\{\{[^}]*\}\}", "", advice)).strip()


@dataclass(slots=True)
class Listener:
    """Turns events into progress, and keeps the one that explains a failure."""

    progress: Progress
    current: str  # what it is at: the command, then the name of each step
    steps: bool = True  # each is a step of ours; else they are details of one
    heard: Callable[[], None] = lambda: None  # called for each event
    fatal: MinikubeEvent | None = None
    _furthest: int = field(default=-1)

    def line(self, line: str) -> None:
        """Take one line of stdout."""
        if event := parse(line):
            self.heard()
            self._take(event)

    def _take(self, event: MinikubeEvent) -> None:
        match event.kind:
            case "step" if event.data.get("name") == DONE:
                self._furthest = event.index  # what comes next says so by itself
            case "step" if event.index > self._furthest:
                self._furthest, self.current = event.index, event.data.get("name", "")
                if self.steps:
                    self.progress.step(f"minikube: {self.current}")
                self._detail(event.message)
            case "warning":
                self.progress.note(f"minikube: {event.message}")
            case "download.progress":
                self._detail(download(event))
            case "error" if event.data.get("exitcode"):
                self.fatal = event
            case _:
                self._detail(event.message)

    def _detail(self, text: str) -> None:
        for line in text.splitlines():
            self.progress.detail(line)


def download(event: MinikubeEvent) -> str:
    """Write a download's progress, which comes as a share of 1."""
    artifact = event.data.get("artifact", "").partition("@")[0]
    try:
        return f"{artifact}: {float(event.data.get('progress', '')):.0%}"
    except ValueError:
        return artifact
