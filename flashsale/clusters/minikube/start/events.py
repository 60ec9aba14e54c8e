"""What `minikube start|stop|delete -o json` says: CloudEvents, one JSON document a line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flashsale.clusters.base import Progress
from flashsale.clusters.minikube.plain_text import read_reason

PREFIX = "io.k8s.sigs.minikube."
DONE = "Done"  # the last step of every command
SELECTING = 1  # the step of `start` that chooses the driver
CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b.|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
OTHER_RUNTIME = "#21973"  # the warning about a new default, which flashsale does not use
PASSWORD = re.compile(r"(?<=://)[^/@\s]+@")  # of a proxy, which minikube repeats
DANGLING = re.compile(r"(?:^|(?<=[.!?]) +)[^.!?]*:$")  # a sentence whose list never came


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
    """A command that failed: the exit code and the id are stable, all else is for people."""

    code: int
    id: str = ""
    message: str = ""
    advice: str = ""
    drivers: tuple[tuple[str, ...], ...] = ()  # said about them before: installed ones, others
    log: str = ""  # all that was said, the last lines of stderr at its end


def parse_event(line: str) -> MinikubeEvent | None:
    """Read a line; None for one that is no event, which can always happen."""
    try:
        document = json.loads(line)
        kind, data = document["type"], document.get("data") or {}
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(kind, str) or not kind.startswith(PREFIX) or not isinstance(data, dict):
        return None
    texts = {key: clean_output(str(value)) for key, value in data.items() if value is not None}
    return MinikubeEvent(kind.removeprefix(PREFIX), texts)


def clean_output(text: str) -> str:
    """Take out colours, control characters and passwords; line ends and tabs stay."""
    return PASSWORD.sub("***@", CONTROL.sub("", text))


def without_placeholders(advice: str) -> str:
    """Strip the template's placeholders, which minikube forgets to fill in."""
    return " ".join(re.sub(r"\{\{[^}]*\}\}", "", advice).split())


@dataclass(slots=True)
class Listener:
    """Turns events into progress, and keeps what explains a failure."""

    progress: Progress
    current: str  # what it is at: the command, then the name of each step
    steps: bool = True  # each is a step of ours; else they are details of one
    heard: Callable[[], None] = lambda: None  # called for each event
    fatal: dict[str, MinikubeEvent] = field(default_factory=dict)  # by the exit code in it
    _furthest: int = field(default=-1)
    _below: tuple[str, ...] = ()  # kinds of events that would belong to the last warning
    _heading: str = ""  # a warning that is not shown yet: what it announces may never come
    _muted: bool = False  # whether the last warning is not shown at all
    _warned: set[str] = field(default_factory=set)
    _drivers: list[list[str]] = field(default_factory=list)
    _complaint: str = ""  # an error without an exit code: `delete` has no others
    _log: list[str] = field(default_factory=list)

    def line(self, line: str) -> None:
        """Take one line of stdout."""
        event = parse_event(line)
        self._log.append(event.message if event else clean_output(line))
        if event:
            self.heard()
            self._take(event)

    def failure(self, code: int, stderr: str) -> Failure:
        """Join an exit code and the error event that explains it, where there is one.

        That is the one with this exit code in it: others, boxes and advice, come before and after.
        Without one, the plain text counts in which some failures come all the same.
        """
        self._end_warning()
        words = "\n".join([*filter(None, self._log), clean_output(stderr)]).strip()
        fatal = self.fatal.get(str(code)) or next(reversed(self.fatal.values()), None)
        data = fatal.data if fatal else {}
        name, message = data.get("name", ""), fatal.message if fatal else ""
        if fatal is None:
            name, message = read_reason(words)
            message = message or self._complaint
        drivers = tuple(tuple(group) for group in self._drivers)
        return Failure(
            code, name, message, without_placeholders(data.get("advice", "")), drivers, words
        )

    def _take(self, event: MinikubeEvent) -> None:
        kind = event.kind
        if kind in self._below and not event.data.get("exitcode"):
            self._line_below(event.message)
            return
        self._end_warning()
        match kind:
            case "step":
                self._step(event)
            case "warning":
                self._warn(event.message)
            case "download.progress":
                self._detail(download(event))
            case "error" if event.data.get("exitcode"):
                self.fatal[event.data["exitcode"]] = event
            case "error" if self.fatal:
                pass  # a box that asks for a report
            case "error":
                self._complaint = event.message or self._complaint
                self._detail(event.message)
            case _:
                if self._drivers and kind == "info":
                    self._drivers[-1].append(event.message)
                self._detail(event.message)

    def _step(self, event: MinikubeEvent) -> None:
        if event.index == SELECTING:
            self._drivers.append([])
        if event.data.get("name") == DONE:
            self._furthest = event.index  # what comes next says so by itself
        elif event.index > self._furthest:
            self._furthest, self.current = event.index, event.data.get("name", "")
            if self.steps:
                self.progress.step(f"minikube: {self.current}")
            self._detail(event.message)

    def _warn(self, message: str) -> None:
        """Note a warning, and of several that differ only in a name the first.

        The lines below one come as errors without an exit code, a list that it announces as infos.
        """
        kind = QUOTED.sub("", message)
        self._muted = OTHER_RUNTIME in message or kind in self._warned
        self._warned.add(kind)
        self._below = ("error", "info") if message.endswith(":") else ("error",)
        if not self._muted and message.endswith(":"):
            self._heading = message
        elif not self._muted and message:
            self.progress.note(f"minikube: {message}")

    def _line_below(self, text: str) -> None:
        if self._muted or not text:
            return
        if self._heading:
            self.progress.note(f"minikube: {self._heading}")
            self._heading = ""
        self.progress.note(text)

    def _end_warning(self) -> None:
        if kept := DANGLING.sub("", self._heading):
            self.progress.note(f"minikube: {kept}")
        self._below, self._heading = (), ""

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
