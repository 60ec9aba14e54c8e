"""What a profile's state asks for: the decision table, as a pure function."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Literal

from flashsale.base.errors import BadInputError, ClusterUnreachableError, FlashsaleError, Hint
from flashsale.clusters.base import NewProfileOptions
from flashsale.clusters.minikube.profile import GONE, MinikubeStatus, Profile, ProfileState

OLDEST, ADVISED = (1, 30), (1, 38)
SIZE = re.compile(r"(\d+)([bkmg]?)(?:i?b)?")
UNITS = {"b": 1 / 2**20, "k": 1 / 2**10, "m": 1, "g": 2**10}  # MiB
ALIASES = {"kvm": "kvm2", "qemu": "qemu2", "native": "none", "generic": "ssh"}  # of drivers
BY_DOCKER = ("docker", "")  # drivers whose node is a container of this machine's Docker


class Action(Enum):
    """One thing to do about a profile."""

    NOTHING = auto()
    CREATE = auto()
    START = auto()  # with the profile's own driver and runtime
    UNPAUSE = auto()
    REFRESH = auto()  # the kubeconfig's entry
    WAIT = auto()  # somebody else is at it


WAITING = "Another minikube operation is running; waiting."


class LockedError(ClusterUnreachableError):
    """Another minikube is at work on the profile."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, and what to tell the user about it."""

    do: Action
    message: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asked for; empty or 0 leaves it to minikube."""

    profile: str
    making: NewProfileOptions = field(default_factory=NewProfileOptions)


def next_action(
    wish: Wish,
    state: ProfileState,
    *,
    tried: Collection[Action] = (),
    docker: bool = True,
    busy: bool = False,
) -> Decision:
    """Say what to do next; everything but waiting is tried once.

    Args:
        tried: what was done already, to no avail.
        docker: whether this machine's Docker answers.
        busy: whether another minikube is at work on the profile.

    Raises:
        ClusterUnreachableError: nothing more can be done here; the hint says what the user can.
        BadInputError: the profile is not of the kind that was asked for.
    """
    name = wish.profile
    if state.damaged and not busy:  # a start makes its folder first, and writes its config later
        raise ClusterUnreachableError(
            f"Profile '{name}' is damaged.",
            hint=f"minikube delete -p {name} && flashsale up --profile {name}",
        )
    if state.profile and (other := contradiction(state.profile, wish.making)):
        raise mismatch(state.profile, *other)
    if busy and not state.running:
        return Decision(Action.WAIT, WAITING)
    if state.profile is None:
        decision = Decision(
            Action.CREATE,
            f"Creating minikube profile '{name}' (first start downloads about 1 GB)...",
        )
    else:
        decision = _for_profile(state.profile, state.status, tried, docker)
    if decision.do in tried and decision.do is not Action.WAIT:
        raise not_answering(name)
    return decision


def _for_profile(
    profile: Profile, status: MinikubeStatus | None, tried: Collection[Action], docker: bool
) -> Decision:
    name = profile.name
    match status:
        case None:
            raise not_answering(name)
        case MinikubeStatus(host="InsufficientStorage"):
            raise disk_full(name)
        case status if status == GONE:
            return _for_missing_node(profile, docker)
        case MinikubeStatus(host="Starting" | "Stopping"):
            return Decision(Action.WAIT, WAITING)
        case MinikubeStatus(host="Stopped" | "Saved" | "Paused"):
            return Decision(Action.START, f"Starting stopped minikube '{name}'...")
        case MinikubeStatus(host="Running", apiserver="Paused"):
            return Decision(Action.UNPAUSE, f"minikube '{name}' is paused; resuming.")
        case status if status.well:
            return Decision(Action.NOTHING, f"minikube '{name}' is running.")
        case MinikubeStatus(host="Running", kubelet="Running", apiserver="Running"):
            do = Action.START if Action.REFRESH in tried else Action.REFRESH
            return Decision(do, f"Refreshing kubeconfig for '{name}'.")
    return Decision(Action.START, f"Kubernetes in '{name}' is not answering; repairing...")


def _for_missing_node(profile: Profile, docker: bool) -> Decision:
    if not docker and profile.driver in BY_DOCKER:
        raise docker_down()
    return Decision(
        Action.START,
        f"The node of '{profile.name}' is missing; recreating it."
        " Data inside the old node is lost.",
    )


def needs_docker(state: ProfileState) -> bool:
    """Whether the decision depends on this machine's Docker, which costs time to ask."""
    return state.status == GONE and state.profile is not None and state.profile.driver in BY_DOCKER


def check_version(version: tuple[int, ...]) -> str:
    """Return a warning for an old minikube, or an empty string.

    Raises:
        ClusterUnreachableError: it is too old.
    """
    text = ".".join(str(number) for number in version)
    if version < OLDEST:
        raise ClusterUnreachableError(
            f"minikube v{text} is too old; 1.30+ needed (1.38+ recommended).",
            hint=Hint(words="update it: https://minikube.sigs.k8s.io/docs/start/"),
        )
    return f"minikube v{text} is old: 1.38+ is recommended." if version < ADVISED else ""


Road = Literal["engine", "host", "node"]


def image_route(profile: Profile) -> tuple[Road, str]:
    """Say how an image gets into this profile: its Docker, this host's Docker, or minikube."""
    name, runtime = profile.name, profile.runtime
    if profile.driver == "none":
        return "host", "Driver 'none': using this host's Docker."
    if len(profile.nodes) > 1:
        return "node", (
            f"'{name}' has {len(profile.nodes)} nodes, and docker-env serves one:"
            " building on each with `minikube image build --all`."
        )
    if runtime != "docker":
        return "node", (
            f"'{name}' uses {runtime}: building with `minikube image build`."
            " For the Docker API recreate with --container-runtime=docker."
        )
    return "engine", ""


def start_words(wish: Wish, profile: Profile | None) -> list[str]:
    """Write the arguments of `minikube start`.

    A new profile gets the docker runtime by name: it is the default up to 1.38 only. An existing
    one gets its own driver and runtime: the user's minikube defaults would win over them.
    --keep-context leaves the user's current context alone.
    """
    common = ["start", "--interactive=false", "--keep-context", "-o", "json"]
    if profile is not None:
        own = {"driver": profile.driver, "container-runtime": profile.runtime}
    else:
        own = {
            "nodes": "1",
            "container-runtime": "docker",
            "driver": wish.making.driver,
            "cpus": str(wish.making.cpus or ""),
            "memory": wish.making.memory,
        }
    return [*common, *(f"--{key}={value}" for key, value in own.items() if value)]


def contradiction(profile: Profile, making: NewProfileOptions) -> tuple[str, str] | None:
    """Say what a profile is and what was asked for instead; None where the two agree.

    minikube itself refuses another driver, and passes over other sizes with a warning.
    """
    pairs = (
        (
            f"driver {profile.driver}",
            profile.driver,
            f"driver {making.driver}",
            ALIASES.get(making.driver, making.driver),
        ),
        (f"{profile.cpus} CPUs", profile.cpus, f"{making.cpus} CPUs", making.cpus),
        (f"{profile.memory} MiB", profile.memory, making.memory, mebibytes(making.memory)),
    )
    differing = ((is_, asked) for is_, own, asked, wish in pairs if own and wish and own != wish)
    return next(differing, None)


def mebibytes(size: str) -> int:
    """Read a size as minikube does: a number, MiB without a unit, b, k, m or g with one.

    0 for anything else, which minikube will have its own words about.
    """
    found = SIZE.fullmatch(size.strip().lower())
    return int(int(found[1]) * UNITS[found[2] or "m"]) if found else 0


def mismatch(profile: Profile, own: str, asked: str) -> FlashsaleError:
    return BadInputError(
        f"'{profile.name}' already uses {own}, and minikube cannot change that.",
        hint=Hint("flashsale up --profile NAME", f"makes another one, for {asked}"),
    )


def not_answering(name: str) -> ClusterUnreachableError:
    return ClusterUnreachableError(
        f"Kubernetes in minikube '{name}' is not answering.", hint=f"minikube logs -p {name}"
    )


def locked(name: str, details: str = "") -> LockedError:
    return LockedError(
        f"Another minikube is at work on '{name}'.",
        hint=Hint("pgrep -af minikube", "finds it; run this again when it is done"),
        details=details,
    )


def disk_full(name: str) -> ClusterUnreachableError:
    return ClusterUnreachableError(
        f"Disk of the minikube node '{name}' is full.",
        hint=Hint(f"minikube ssh -p {name} -- docker system prune", "or free disk space here"),
    )


def docker_down() -> ClusterUnreachableError:
    return ClusterUnreachableError(
        "Docker is not running.", hint=Hint(words="start Docker, then try again")
    )
