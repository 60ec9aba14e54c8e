"""What minikube knows about a profile: how it was made, and what state it is in."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from flashsale.base.aio import end_tasks
from flashsale.base.errors import ClusterUnreachableError, Hint
from flashsale.clusters.minikube.cli import (
    INSTALL,
    NOT_PERMITTED,
    MinikubeCli,
    MinikubeSilentError,
    MinikubeTimeouts,
    is_installed,
)
from flashsale.clusters.minikube.home import foreign_files_error
from flashsale.clusters.minikube.plain_text import find_document, read_reason, read_unknown_state
from flashsale.clusters.minikube.start.events import parse_event
from flashsale.clusters.subprocesses.run import Output

log = logging.getLogger(__name__)

NO_KUBERNETES = "v0.0.0"  # the version of a profile made with --no-kubernetes
BAD_CONFIG, NO_PROFILE = 38, 85  # exit codes
UNKNOWN = "Unknown"  # ours, for a node's machine that could not be looked at
STOPPED = ("Stopped", "Nonexistent")  # words for a node's machine
STATUS_CODES = range(8)  # one bit each for host, Kubernetes, kubeconfig


@dataclass(frozen=True, slots=True)
class Profile:
    """How a profile was made; none of it can be changed without making it anew."""

    name: str
    driver: str
    runtime: str
    nodes: tuple[str, ...]  # their names: empty for the first, m02 and so on for the others
    ip: str  # of the first node; empty until its machine ran for the first time
    port: int = 8443  # of its API server, as seen from the node's own network
    cpus: int = 0  # of each node; 0 where minikube does not say
    memory: int = 0  # MiB
    kubernetes: str = ""  # its version, v1.36.2; empty where minikube does not say
    finished: bool = True  # whether a start ever came to its end: then minikube notes the addons

    @property
    def machines(self) -> tuple[str, ...]:
        """Name the nodes' machines, or containers."""
        return tuple(f"{self.name}-{node}" if node else self.name for node in self.nodes)

    @classmethod
    def from_config(cls, entry: Mapping[str, Any]) -> Profile:
        """Read an entry of `profile list`; old profiles leave the runtime empty for docker."""
        config = entry.get("Config") or {}
        nodes = config.get("Nodes") or []
        first = nodes[0] if nodes else {}
        kubernetes = config.get("KubernetesConfig") or {}
        return cls(
            name=entry["Name"],
            driver=config.get("Driver", ""),
            runtime=kubernetes.get("ContainerRuntime") or "docker",
            nodes=tuple(node.get("Name", "") for node in nodes) or ("",),
            ip=first.get("IP", ""),
            port=first.get("Port") or 8443,
            cpus=config.get("CPUs") or 0,
            memory=config.get("Memory") or 0,
            kubernetes=kubernetes.get("KubernetesVersion") or "",
            finished=config.get("Addons", {}) is not None,
        )


@dataclass(frozen=True, slots=True)
class MinikubeStatus:
    """`minikube status` in its own words; of nodes that run, the least healthy word counts.

    A node that is stopped while a control plane runs says nothing of the cluster: it is one that
    `kill-node` stopped.
    """

    host: str
    kubelet: str
    apiserver: str
    kubeconfig: str
    stopped_nodes: tuple[str, ...] = ()  # their names; none where nothing runs
    cause: str = ""  # why nothing else is known, in minikube's words

    @property
    def unseen(self) -> bool:
        """Whether the node could not be looked at, though it may well be there."""
        return self.host in (UNKNOWN, "Error", "Timeout", "")

    @property
    def well(self) -> bool:
        return replace(self, stopped_nodes=()) == WELL


WELL = MinikubeStatus("Running", "Running", "Running", "Configured")
GONE = MinikubeStatus("Gone", "", "", "")  # it prints `null`: the node, or Docker, is not there


@dataclass(frozen=True, slots=True)
class ProfileState:
    """A profile as cheap questions can know it."""

    profile: Profile | None  # None if there is no such profile
    status: MinikubeStatus | None = None  # None if there is none, or minikube could not say
    damaged: str = ""  # why minikube cannot read how it was made, in minikube's words

    @property
    def running(self) -> bool:
        return self.status is not None and self.status.well

    @property
    def exists(self) -> bool:
        """Whether there is such a profile, in whatever state."""
        return self.profile is not None or bool(self.damaged)

    @property
    def can_hold_sale(self) -> bool:
        """Whether Kubernetes ever ran in it: what was begun anew since has no sale in it."""
        return bool(self.damaged) or (self.profile is not None and self.profile.finished)

    @property
    def never_ran(self) -> bool:
        """Whether no start of it came as far as a node."""
        return self.profile is not None and self.status == GONE and not self.profile.ip


Asked = tuple[dict[str, asyncio.Task[ProfileState]], MinikubeTimeouts]
_asked: ContextVar[Asked | None] = ContextVar("asked", default=None)


@asynccontextmanager
async def asked_once(limit: float) -> AsyncGenerator[None]:
    """Ask minikube about each profile at most once inside, whoever wants to know.

    With a wrong entry in the kubeconfig one `minikube status` takes 14 s.

    Args:
        limit: seconds for it.
    """
    tasks: dict[str, asyncio.Task[ProfileState]] = {}
    token = _asked.set((tasks, MinikubeTimeouts(answer=limit, interrupt=1)))
    try:
        yield
    finally:
        _asked.reset(token)
        await end_tasks(*tasks.values())


async def read_profile_state(profile: str) -> ProfileState:
    """Ask about a profile; starts nothing, and a missing minikube is a missing profile."""
    if not is_installed():
        return ProfileState(None)
    if (asked := _asked.get()) is None:
        return await read_state(MinikubeCli(profile))
    tasks, quick = asked
    if profile not in tasks:
        tasks[profile] = asyncio.create_task(read_state(MinikubeCli(profile, quick)))
    return await asyncio.shield(tasks[profile])


async def read_state(minikube: MinikubeCli) -> ProfileState:
    """Read how the profile was made and what state it is in.

    Of the two only `status` can tell a profile that is damaged (38) from one that was never made
    (85): `profile list` calls both invalid, for every start leaves a file behind, failed ones too.

    Raises:
        ClusterUnreachableError: minikube did not answer in time, or not in JSON, or may not use
            its own files.
    """
    profile, answer = await asyncio.gather(read_profile(minikube), _status(minikube))
    state = _joined(profile, answer)
    log.info("minikube %s: %s", minikube.profile, state)
    return state


async def _status(minikube: MinikubeCli) -> Output | None:
    try:
        answer = await minikube.follow("status", "-o", "json")
    except MinikubeSilentError:
        return None
    if answer.code == NOT_PERMITTED:
        words = fatal_message(answer) or f"{answer.stdout}\n{answer.stderr}"
        raise foreign_files_error(minikube.profile, words)
    return answer


def _joined(profile: Profile | None, answer: Output | None) -> ProfileState:
    if answer is None:
        return ProfileState(profile)
    if answer.code == NO_PROFILE:
        return ProfileState(None)
    if answer.code == BAD_CONFIG:
        why = fatal_message(answer).rpartition(": ")[2]
        return ProfileState(profile, damaged=why or "its config is damaged")
    status = parse_status(answer)
    if profile is None and status is not None:  # a config of empty fields: {}
        return ProfileState(None, damaged="its config names no driver and no node")
    return ProfileState(profile, status)


def fatal_message(answer: Output) -> str:
    """Read the message of the error event that goes with the exit code; empty without one."""
    events = filter(None, map(parse_event, answer.stdout.splitlines()))
    return next((event.message for event in events if event.data.get("exitcode")), "")


async def read_profile(minikube: MinikubeCli) -> Profile | None:
    """Read how the profile was made, and nothing more: no Docker is asked, so this is quick."""
    listed = await minikube.ask("profile", "list", "-o", "json", "--light")
    entries = (entry for entry in _profiles(listed) if entry["Name"] == minikube.profile)
    return next(map(Profile.from_config, entries), None)


async def read_version(minikube: MinikubeCli) -> tuple[int, ...]:
    """Ask for minikube's version, as numbers; ClusterUnreachableError if this is no minikube."""
    output = await minikube.ask("version", "-o", "json")
    document = _json(output.stdout)
    text = document.get("minikubeVersion", "") if isinstance(document, dict) else ""
    numbers = re.match(r"v?(\d+)\.(\d+)\.(\d+)", text)
    if output.code or not numbers:
        raise ClusterUnreachableError(
            "The minikube in PATH does not say its version.",
            hint=Hint(words=f"install it anew: {INSTALL}"),
            details=output.stderr,
        )
    return tuple(int(number) for number in numbers.groups())


def parse_status(output: Output) -> MinikubeStatus | None:
    """Read `status -o json`; its exit code alone proves nothing.

    For a node that is gone it prints `null`, with exit code 0 in 1.35-1.37 and 7 since.
    """
    if output.code not in STATUS_CODES:
        return None
    try:
        document = find_document(output.stdout)
    except ValueError:
        return None
    if document is None:
        cause = read_unknown_state(output.stderr)
        return replace(GONE, host=UNKNOWN, cause=cause) if cause else GONE
    nodes = document if isinstance(document, list) else [document]
    if not nodes or not all(isinstance(node, dict) and "Host" in node for node in nodes):
        return None
    stopped = [node for node in nodes if node["Host"] in STOPPED]
    if all(node.get("Worker") or node in stopped for node in nodes):
        stopped = []
    running = [node for node in nodes if node not in stopped]
    return MinikubeStatus(
        host=_worst(running, "Host"),
        kubelet=_worst(running, "Kubelet"),
        apiserver=_worst(running, "APIServer"),
        kubeconfig=_worst(running, "Kubeconfig"),
        stopped_nodes=tuple(str(node.get("Name", "")) for node in stopped),
    )


def _worst(nodes: list[Mapping[str, str]], key: str) -> str:
    words = [node.get(key, "") for node in nodes]
    good = ("Running", "Configured", "Irrelevant")
    return next((word for word in words if word not in good), words[0])


def _profiles(listed: Output) -> list[Mapping[str, Any]]:
    document = _json(listed.stdout)
    entries = document.get("valid") if isinstance(document, dict) else None
    if entries is None:
        raise ClusterUnreachableError(
            f"minikube could not list its profiles (code {listed.code}).",
            hint="minikube profile list",
            details=read_reason(listed.stderr)[1] or listed.stderr,
        )
    return [entry for entry in entries if isinstance(entry, dict) and entry.get("Name")]


def _json(text: str) -> Any:
    try:
        return find_document(text)
    except ValueError:
        return None
