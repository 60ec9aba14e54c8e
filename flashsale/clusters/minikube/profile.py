"""What minikube knows about a profile: how it was made, and what state it is in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flashsale.base.errors import ClusterUnreachableError, Hint
from flashsale.clusters.minikube.cli import MinikubeCli, installed
from flashsale.clusters.subprocesses.run import Output

BAD_CONFIG, NO_PROFILE = 38, 85  # exit codes
STATUS_CODES = range(8)  # one bit each for host, Kubernetes, kubeconfig


@dataclass(frozen=True, slots=True)
class Profile:
    """How a profile was made; none of it can be changed without making it anew."""

    name: str
    driver: str
    runtime: str
    nodes: tuple[str, ...]  # their names: empty for the first, m02 and so on for the others
    ip: str  # of the first node
    port: int = 8443  # of its API server, as seen from the node's own network
    cpus: int = 0  # of each node; 0 where minikube does not say
    memory: int = 0  # MiB

    @classmethod
    def from_config(cls, entry: Mapping[str, Any]) -> Profile:
        """Read an entry of `profile list`; old profiles leave the runtime empty for docker."""
        config = entry.get("Config") or {}
        nodes = config.get("Nodes") or []
        first = nodes[0] if nodes else {}
        return cls(
            name=entry["Name"],
            driver=config.get("Driver", ""),
            runtime=(config.get("KubernetesConfig") or {}).get("ContainerRuntime") or "docker",
            nodes=tuple(node.get("Name", "") for node in nodes) or ("",),
            ip=first.get("IP", ""),
            port=first.get("Port") or 8443,
            cpus=config.get("CPUs") or 0,
            memory=config.get("Memory") or 0,
        )


@dataclass(frozen=True, slots=True)
class MinikubeStatus:
    """`minikube status` in its own words; of several nodes, the least healthy word counts."""

    host: str
    kubelet: str
    apiserver: str
    kubeconfig: str

    @property
    def well(self) -> bool:
        return self == WELL


WELL = MinikubeStatus("Running", "Running", "Running", "Configured")
GONE = MinikubeStatus(
    "Gone", "", "", ""
)  # minikube prints `null`: the node, or Docker, is not there


@dataclass(frozen=True, slots=True)
class ProfileState:
    """A profile as cheap questions can know it."""

    profile: Profile | None  # None if there is no such profile
    status: MinikubeStatus | None = None  # None if there is none, or minikube could not say
    damaged: bool = False

    @property
    def running(self) -> bool:
        return self.status is not None and self.status.well

    @property
    def host_up(self) -> bool:
        """Whether its node runs, whatever its Kubernetes does."""
        return self.status is not None and self.status.host == "Running"

    @property
    def exists(self) -> bool:
        """Whether there is such a profile, in whatever state."""
        return self.profile is not None or self.damaged


async def profile_state(profile: str) -> ProfileState:
    """Ask about a profile; starts nothing, and a missing minikube is a missing profile.

    Raises:
        ClusterUnreachableError: minikube did not answer in time.
    """
    return await observe(MinikubeCli(profile)) if installed() else ProfileState(None)


async def observe(minikube: MinikubeCli) -> ProfileState:
    """Read how the profile was made and what state it is in.

    Raises:
        ClusterUnreachableError: minikube did not answer in time, or not in JSON.
    """
    profile = await known(minikube)
    if profile is None:
        # --light asks no Docker and so is quick, but leaves out what it calls invalid.
        full = await minikube.ask("profile", "list", "-o", "json")
        return ProfileState(None, damaged=minikube.profile in invalid(full))
    said = await minikube.ask("status", "-o", "json")
    if said.code == NO_PROFILE:
        return ProfileState(None)
    return ProfileState(profile, status(said), damaged=said.code == BAD_CONFIG)


async def known(minikube: MinikubeCli) -> Profile | None:
    """Read how the profile was made, and nothing more: no Docker is asked, so this is quick.

    Raises:
        ClusterUnreachableError: minikube did not answer in time, or not in JSON.
    """
    return find(await minikube.ask("profile", "list", "-o", "json", "--light"), minikube.profile)


async def version(minikube: MinikubeCli) -> tuple[int, ...]:
    """Ask for minikube's version, as numbers.

    Raises:
        ClusterUnreachableError: minikube is missing, or this is not minikube.
    """
    said = await minikube.ask("version", "-o", "json")
    document = _json(said.stdout)
    text = document.get("minikubeVersion", "") if isinstance(document, dict) else ""
    numbers = re.match(r"v?(\d+)\.(\d+)\.(\d+)", text)
    if said.code or not numbers:
        raise ClusterUnreachableError(
            "The minikube in PATH does not say its version.",
            hint=Hint(words="install it anew: https://minikube.sigs.k8s.io/docs/start/"),
            details=said.stderr,
        )
    return tuple(int(number) for number in numbers.groups())


def find(listed: Output, name: str) -> Profile | None:
    """Find a profile in `profile list -o json`."""
    return next(
        (Profile.from_config(one) for one in _profiles(listed, "valid") if one["Name"] == name),
        None,
    )


def invalid(listed: Output) -> set[str]:
    """Name the profiles whose files minikube cannot make sense of."""
    return {one["Name"] for one in _profiles(listed, "invalid")}


def status(said: Output) -> MinikubeStatus | None:
    """Read `status -o json`; its exit code alone proves nothing.

    For a node that is gone it prints `null`, with exit code 0 in 1.35-1.37 and 7 since.
    """
    if said.code not in STATUS_CODES:
        return None
    document = _json(said.stdout)
    if document is None and said.stdout.strip() == "null":
        return GONE
    nodes = document if isinstance(document, list) else [document]
    if not nodes or not all(isinstance(node, dict) and "Host" in node for node in nodes):
        return None
    return MinikubeStatus(
        *(_worst(nodes, key) for key in ("Host", "Kubelet", "APIServer", "Kubeconfig"))
    )


def _worst(nodes: list[Mapping[str, str]], key: str) -> str:
    words = [node.get(key, "") for node in nodes]
    good = ("Running", "Configured", "Irrelevant")
    return next((word for word in words if word not in good), words[0])


def _profiles(listed: Output, key: str) -> list[Mapping[str, Any]]:
    document = _json(listed.stdout)
    found = document.get(key) if isinstance(document, dict) else None
    if found is None:
        raise ClusterUnreachableError(
            f"minikube could not list its profiles (code {listed.code}).",
            hint="minikube profile list",
            details=listed.stderr,
        )
    return [one for one in found if isinstance(one, dict) and one.get("Name")]


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
