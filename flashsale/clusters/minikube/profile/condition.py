"""What state a profile is in, in words, and what to type about it. Pure; for all commands."""

from __future__ import annotations

from dataclasses import dataclass

from flashsale.base.errors import ClusterUnreachableError
from flashsale.base.text import joined
from flashsale.clusters.minikube.home import config_file
from flashsale.clusters.minikube.profile.profile import (
    GONE,
    NO_KUBERNETES,
    MinikubeStatus,
    Profile,
    ProfileState,
)

BY_DOCKER = ("docker", "")  # drivers whose node is a container of this machine's Docker
CONTAINERS = ("docker", "podman")
HALF_MADE = "is half-made: no start of it has come to its end"


@dataclass(frozen=True, slots=True)
class ProfileCondition:
    """A clause that completes "minikube 'shop' ", and the command that helps."""

    words: str
    hint: str = ""
    good: bool = True  # nothing is wrong: it runs, or one command brings it up

    def error(self, name: str) -> ClusterUnreachableError:
        return ClusterUnreachableError(f"minikube '{name}' {self.words}.", hint=self.hint)


def up_command(profile: str) -> str:
    option = "--cluster minikube" if profile == "minikube" else f"--profile {profile}"
    return f"flashsale up {option}"


def describe_condition(name: str, state: ProfileState, *, docker: bool = True) -> ProfileCondition:
    """Say what state a profile is in; ``docker``: whether this machine's Docker answers."""
    up = up_command(name)
    if state.damaged:
        file = config_file(name)
        words = f"is damaged: {file} cannot be read ({state.damaged})"
        return ProfileCondition(words, f"{up} --recreate", good=False)
    if state.profile is None:
        return ProfileCondition("is not there", up)
    return _of_profile(state.profile, state, docker, up)


def _of_profile(profile: Profile, state: ProfileState, docker: bool, up: str) -> ProfileCondition:
    """Judge the node, which may be gone or asleep."""
    name = profile.name
    match state.status:
        case None:
            return ProfileCondition(
                "does not say its state", f"minikube status -p {name}", good=False
            )
        case status if status.unseen:
            cause = f" ({status.cause})" if status.cause else ""
            return ProfileCondition(f"has a node that does not answer{cause}", up, good=False)
        case status if status == GONE:
            return _without_node(profile, state, docker, up)
        case MinikubeStatus(host="Paused") if profile.driver in CONTAINERS:
            tool = profile.driver
            return ProfileCondition(
                f"is frozen by `{tool} pause`", f"{tool} unpause {name}", good=False
            )
        case MinikubeStatus(host="Starting" | "Stopping" as host):
            return ProfileCondition(f"is {host.lower()}", f"minikube status -p {name}")
        case _ if profile.kubernetes == NO_KUBERNETES:
            other = "flashsale up --profile " + ("sale" if name != "sale" else "shop")
            return ProfileCondition("was made without Kubernetes, and stays so", other, good=False)
        case status:
            return _of_machine(profile, status, up)


def _of_machine(profile: Profile, status: MinikubeStatus, up: str) -> ProfileCondition:
    """Judge a node that is there, by what its machine does."""
    match status.host:
        case "Running":
            return _of_kubernetes(profile, status, up)
        case "InsufficientStorage":
            prune = f"minikube ssh -p {profile.name} -- docker system prune"
            return ProfileCondition("has a full disk", prune, good=False)
        case _ if not profile.finished:
            return ProfileCondition(HALF_MADE, up)
        case host:
            return ProfileCondition(f"is {host.lower()}", up)


def _of_kubernetes(profile: Profile, status: MinikubeStatus, up: str) -> ProfileCondition:
    if status.well and (stopped := status.stopped_nodes):
        are = "is" if len(stopped) == 1 else "are"
        return ProfileCondition(f"is running, and {joined(stopped)} {are} stopped", up)
    if status.well:
        return ProfileCondition("is running")
    if status.apiserver == "Paused":
        return ProfileCondition("is paused", up)
    if (status.kubelet, status.apiserver) == ("Running", "Running"):
        words = "runs, but its entry in the kubeconfig is missing or wrong"
        return ProfileCondition(words, f"minikube update-context -p {profile.name}", good=False)
    if not profile.finished:
        return ProfileCondition(HALF_MADE, up)
    return ProfileCondition("runs, but its Kubernetes does not answer", up, good=False)


def _without_node(profile: Profile, state: ProfileState, docker: bool, up: str) -> ProfileCondition:
    if profile.driver in BY_DOCKER and not docker:
        return ProfileCondition("needs Docker, which is not running", start_docker(), good=False)
    if state.never_ran:
        return ProfileCondition("has no node yet: no start got that far", up)
    return ProfileCondition(_lost_node(profile), f"{up} --recreate", good=False)


def _lost_node(profile: Profile) -> str:
    if profile.driver in CONTAINERS:
        return (
            "has lost its node's container; the volume with its data may still be there,"
            " but minikube cannot make a working node of it"
        )
    return "has lost its node's machine"


def start_docker() -> str:
    import sys

    return "open -a Docker" if sys.platform == "darwin" else "sudo systemctl start docker"
