"""The world of the double of `minikube`, and what it was asked to do."""

from __future__ import annotations

import asyncio
import marshal
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flashsale.clusters.minikube import MinikubeCluster

PROFILE = {
    "driver": "docker",
    "runtime": "docker",
    "nodes": 1,
    "ip": "127.0.0.1",
    "host": "Running",
    "kubelet": "Running",
    "apiserver": "Running",
    "kubeconfig": "Configured",
    "starts": 1,
    "images": {},
}
STOPPED = {"host": "Stopped", "kubelet": "Stopped", "apiserver": "Stopped", "kubeconfig": "Stopped"}
QUESTIONS = {"version", "profile", "status"}  # these change nothing


@dataclass(frozen=True, slots=True)
class World:
    """One folder with the double's state, the profile `shop` there, and what its user was told."""

    home: Path
    minikube: MinikubeCluster
    progress: RecordedProgress

    async def start(self) -> None:
        await self.minikube.start(self.progress)

    def set(self, **things: Any) -> None:
        """Change the world, as its keys are described in the double."""
        (self.home / "world").write_bytes(marshal.dumps({**self.get(), **things}))

    def get(self) -> dict[str, Any]:
        return dict(marshal.loads((self.home / "world").read_bytes()))

    def has(self, name: str = "shop", **state: Any) -> None:
        """Put a profile into the world, running unless said otherwise."""
        self.set(profiles={**self.get()["profiles"], name: {**PROFILE, **state}})

    def replays(self, **calls: str) -> None:
        """Answer commands with recordings of the real minikube; `_` stands for a blank or a dash.

        `status="removed-node/status"`, `profile_light="removed-node/profile-list-light"`.
        """
        known = {"update_context": "update-context", "docker_env": "docker-env"}
        replay = {known.get(name, name.replace("_", " ")): call for name, call in calls.items()}
        self.set(replay={**self.get().get("replay", {}), **replay})

    def runs(self, *processes: str) -> None:
        """Say what else runs on the machine, one process at each look."""
        (self.home / "processes").write_text("".join(f"{process}\n" for process in processes))

    def profile(self, name: str = "shop") -> dict[str, Any]:
        return dict(self.get()["profiles"][name])

    def calls(self) -> list[list[str]]:
        """Every call so far, as its words."""
        file, found = self.home / "calls", []
        if file.exists():
            with file.open("rb") as calls, suppress(EOFError):
                while True:
                    found.append(marshal.load(calls))
        return found

    def acts(self) -> list[str]:
        """The commands among the calls that may change something."""
        return [words[0] for words in self.calls() if words[0] not in QUESTIONS]

    def words(self, command: str) -> list[str]:
        """The arguments of the last call of a command, after the profile."""
        found = [words for words in self.calls() if words[0] == command][-1]
        assert found[1:3] == ["-p", "shop"]  # never left to the user's default
        return found[3:]


@dataclass(slots=True)
class RecordedProgress:
    """A `Progress` that remembers."""

    steps: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    awaited: dict[str, asyncio.Event] = field(default_factory=dict)

    def step(self, text: str) -> None:
        self.steps.append(text)
        self.awaited.setdefault(text, asyncio.Event()).set()

    async def until(self, step: str, limit: float = 20) -> None:
        """Wait until a step has begun."""
        await asyncio.wait_for(self.awaited.setdefault(step, asyncio.Event()).wait(), limit)

    def detail(self, text: str) -> None:
        self.details.append(text)

    def note(self, text: str) -> None:
        self.notes.append(text)

    @property
    def everything(self) -> str:
        return "\n".join([*self.steps, *self.details, *self.notes])


def gone(pid: int) -> bool:
    """Whether a process has ended, or is only waiting to be noticed."""
    status = Path(f"/proc/{pid}/stat")
    try:
        os.kill(pid, 0)
        return (
            Path("/proc/self").exists() and status.read_text().rpartition(")")[2].split()[0] == "Z"
        )
    except (ProcessLookupError, FileNotFoundError):  # it may end between the two looks
        return True
