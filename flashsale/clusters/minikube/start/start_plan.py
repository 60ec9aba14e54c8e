"""What a profile's state asks for: the decision table, as a pure function."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum, auto

from flashsale.base.errors import ClusterUnreachableError, ConsentError, Hint
from flashsale.base.text import joined
from flashsale.clusters.base import NewProfileOptions
from flashsale.clusters.minikube.cli import INSTALL
from flashsale.clusters.minikube.profile.condition import (
    BY_DOCKER,
    CONTAINERS,
    ProfileCondition,
    describe_condition,
    start_docker,
    up_command,
)
from flashsale.clusters.minikube.profile.profile import (
    GONE,
    NO_KUBERNETES,
    MinikubeStatus,
    Profile,
    ProfileState,
)
from flashsale.clusters.minikube.profile.profile_nodes import refuse_other_nodes
from flashsale.clusters.minikube.start.profile_mismatch import find_contradiction, mismatch_error

OLDEST, ADVISED = (1, 30), (1, 38)
GOING_ON = "Going on with the first start of minikube '{}'..."
WAITING = "Another minikube operation is running; waiting."


class StartAction(Enum):
    """One thing to do about a profile."""

    NOTHING = auto()
    CREATE = auto()
    RECREATE = auto()  # `minikube delete` first
    START = auto()  # with the profile's own driver, runtime and version
    START_NODES = auto()  # those that `kill-node` stopped; the others are left alone
    UNPAUSE = auto()  # what `minikube pause` did
    UNFREEZE = auto()  # what `docker pause` did to the node, which `minikube start` waits for
    REFRESH = auto()  # the kubeconfig's entry
    WAIT = auto()  # somebody else is at it


WRITING = (  # the kubeconfig
    StartAction.CREATE,
    StartAction.RECREATE,
    StartAction.START,
    StartAction.REFRESH,
)


class LockedError(ClusterUnreachableError):
    """Another minikube is at work on the profile."""


class RecreateRefusedError(ConsentError):
    """Only `minikube delete` helps, and nobody has agreed to that yet."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, and what to tell the user about it."""

    do: StartAction
    message: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asked for; empty or 0 leaves it to minikube."""

    profile: str
    making: NewProfileOptions = field(default_factory=NewProfileOptions)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What counts besides the profile's own state."""

    tried: Collection[StartAction] = ()  # what was done already, to no avail
    docker: bool = True  # whether this machine's Docker answers
    busy: bool = False  # whether another minikube is at work on the profile
    cut_off: bool = False  # whether a start of ours that was to make it never came to its end


def next_action(wish: Wish, state: ProfileState, around: Circumstances) -> Decision:
    """Say what to do next; everything but waiting is tried once.

    Raises:
        ClusterUnreachableError: nothing more can be done here; the hint says what the user can.
        RecreateRefusedError: only deleting it helps, and the wish does not say so.
        BadInputError: the profile is not of the kind that was asked for.
    """
    if around.busy:  # a start makes its folder first, its config later
        return Decision(StartAction.WAIT, WAITING)
    if state.damaged:
        decision = _anew(wish, state)
    elif state.profile is None:
        decision = _create(wish)
    elif around.cut_off and not state.profile.finished and not _needs_docker(state, around):
        decision = _anew_after_cut(wish)
    elif state.never_ran and not _needs_docker(state, around):
        # Nothing was made of it yet, so nothing of it counts.
        decision = _create(wish, other=find_contradiction(state.profile, wish.making) is not None)
    else:
        # What will be deleted contradicts nothing.
        if not (wish.making.recreate and state.status == GONE):
            refuse_other_nodes(state.profile, wish.making.nodes)
            if other := find_contradiction(state.profile, wish.making):
                raise mismatch_error(state.profile, *other)
        decision = _for_profile(wish, state.profile, state, around)
    if decision.do in around.tried and decision.do is not StartAction.WAIT:
        raise not_answering_error(wish.profile, state)
    return decision


def _create(wish: Wish, *, other: bool = False) -> Decision:
    text = f"Creating minikube profile '{wish.profile}' (first start downloads about 1 GB)..."
    return Decision(StartAction.RECREATE if other else StartAction.CREATE, text)


def _anew_after_cut(wish: Wish) -> Decision:
    """minikube calls what it finds complete, though it lacks network and DNS for good."""
    return Decision(
        StartAction.RECREATE,
        f"Making minikube '{wish.profile}' anew: its first start was cut off, and minikube does"
        " not finish that.",
    )


def _anew(wish: Wish, state: ProfileState) -> Decision:
    condition = describe_condition(wish.profile, state)
    if not wish.making.recreate:
        raise recreate_refused_error(wish.profile, condition)
    return Decision(
        StartAction.RECREATE,
        f"Deleting minikube '{wish.profile}' and making it anew, as you asked.",
    )


def _for_profile(
    wish: Wish, profile: Profile, state: ProfileState, around: Circumstances
) -> Decision:
    """Decide by the node, which may be gone or asleep."""
    name, status = profile.name, state.status
    condition = describe_condition(name, state, docker=around.docker)
    match status:
        case None | MinikubeStatus(host="InsufficientStorage"):
            raise condition.error(name)
        case _ if status == GONE:
            if _needs_docker(state, around):
                raise docker_down_error()
            return _anew(wish, state)
        case status if status.unseen:
            return Decision(StartAction.START, f"minikube '{name}' {condition.words}; starting it.")
        case MinikubeStatus(host="Starting" | "Stopping"):
            return Decision(StartAction.WAIT, WAITING)
        case _ if profile.kubernetes == NO_KUBERNETES:
            raise condition.error(name)
        case MinikubeStatus(host="Paused") if profile.driver in CONTAINERS:
            return Decision(
                StartAction.UNFREEZE, f"minikube '{name}' {condition.words}; unfreezing its node."
            )
        case MinikubeStatus(host="Running"):
            return _for_kubernetes(profile, status, condition, around)
    if not profile.finished:
        return Decision(StartAction.START, GOING_ON.format(name))
    return Decision(StartAction.START, f"Starting stopped minikube '{name}'...")


def _for_kubernetes(
    profile: Profile, status: MinikubeStatus, condition: ProfileCondition, around: Circumstances
) -> Decision:
    name = profile.name
    if status.well and status.stopped_nodes and StartAction.START_NODES not in around.tried:
        stopped = joined(status.stopped_nodes)
        return Decision(StartAction.START_NODES, f"Starting {stopped} of minikube '{name}' again")
    if status.well:
        return Decision(StartAction.NOTHING, f"minikube '{name}' is running.")
    if status.apiserver == "Paused":
        return Decision(StartAction.UNPAUSE, f"minikube '{name}' is paused; resuming.")
    if (status.kubelet, status.apiserver) == ("Running", "Running"):
        if StartAction.REFRESH in around.tried:  # a start would restart all that runs in it
            raise condition.error(name)
        return Decision(StartAction.REFRESH, f"Mending the kubeconfig entry of minikube '{name}'.")
    if not profile.finished:
        return Decision(StartAction.START, GOING_ON.format(name))
    return Decision(StartAction.START, f"Kubernetes in '{name}' is not answering; repairing...")


def _needs_docker(state: ProfileState, around: Circumstances) -> bool:
    return asks_docker(state) and not around.docker


def asks_docker(state: ProfileState) -> bool:
    """Whether the decision depends on this machine's Docker, which costs time to ask."""
    return state.status == GONE and state.profile is not None and state.profile.driver in BY_DOCKER


def check_version(version: tuple[int, ...]) -> str:
    """Warn of an old minikube, else say nothing; ClusterUnreachableError if it is too old."""
    text = ".".join(str(number) for number in version)
    if version < OLDEST:
        raise ClusterUnreachableError(
            f"minikube v{text} is too old; 1.30+ needed (1.38+ recommended).",
            hint=Hint(words=f"update it: {INSTALL}"),
        )
    return f"minikube v{text} is old: 1.38+ is recommended." if version < ADVISED else ""


def start_words(wish: Wish, profile: Profile | None) -> list[str]:
    """Write the arguments of `minikube start`.

    A new profile gets the docker runtime by name: it is the default up to 1.38 only. An existing
    one gets its own driver, runtime and version: the user's `minikube config set` would win over
    them otherwise.
    --keep-context leaves the user's current context alone, but only while a profile is made.
    """
    common = ["start", "--interactive=false", "--keep-context", "-o", "json"]
    if profile is not None:
        own = {
            "driver": profile.driver,
            "container-runtime": profile.runtime,
            "kubernetes-version": profile.kubernetes,
        }
    else:
        own = {
            "nodes": str(wish.making.nodes or 1),
            "container-runtime": "docker",
            "driver": wish.making.driver,
            "cpus": str(wish.making.cpus or ""),
            "memory": wish.making.memory,
        }
    return [*common, *(f"--{key}={value}" for key, value in own.items() if value)]


def recreate_refused_error(name: str, condition: ProfileCondition) -> RecreateRefusedError:
    """Say what only `minikube delete` mends, and how to insist."""
    return RecreateRefusedError(
        f"minikube '{name}' {condition.words}. "
        "Only deleting it helps, and that loses what is in it.",
        hint=f"{up_command(name)} --recreate",
        question=f"Delete minikube '{name}' with all that is in it, and make it anew?",
    )


def not_answering_error(name: str, state: ProfileState) -> ClusterUnreachableError:
    condition = describe_condition(name, state)
    return ClusterUnreachableError(
        f"minikube '{name}' {condition.words}, though it was started just now.",
        hint=f"minikube logs -p {name}",
    )


def locked_error(name: str, details: str = "") -> LockedError:
    return LockedError(
        f"Another minikube is at work on '{name}'.", hint="ps ax | grep minikube", details=details
    )


def docker_down_error() -> ClusterUnreachableError:
    return ClusterUnreachableError("Docker is not running.", hint=start_docker())
