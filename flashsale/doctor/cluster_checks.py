"""Which clusters this machine can use: the embedded one, minikube, contexts of the kubeconfig.

Each finding is judged by a pure function from what was found; nothing is started or changed.
"""

from __future__ import annotations

import sys

from flashsale.base.errors import FlashsaleError, Hint
from flashsale.base.text import counted
from flashsale.clusters.minikube import ProfileState, installed, profile_state
from flashsale.clusters.minikube.cli import INSTALL, MinikubeCli
from flashsale.clusters.minikube.profile import GONE, MinikubeStatus, Profile, version
from flashsale.clusters.minikube.start.start_plan import (
    BY_DOCKER,
    check_version,
    disk_full,
    image_route,
)
from flashsale.doctor.finding import Finding, Grade
from flashsale.kube import kubeconfig as contexts


async def check_minikube(profile: str, *, docker: bool) -> Finding:
    """Ask minikube for its version and the profile's driver, runtime and state.

    Args:
        docker: whether this machine's Docker answers.
    """
    if not installed():
        return Finding("minikube", "absent", "not installed", Hint(words=f"install it: {INSTALL}"))
    try:
        found = await version(MinikubeCli(profile))
        warning = check_version(found)
        state = await profile_state(profile)
    except FlashsaleError as error:
        return Finding("minikube", "problem", str(error).rstrip("."), error.hint)
    return judge_profile(profile, found, warning, state, docker=docker)


def judge_profile(
    name: str, version: tuple[int, ...], warning: str, state: ProfileState, *, docker: bool
) -> Finding:
    """Judge a profile; one that is merely stopped, or not made yet, is no problem."""
    program = f"v{'.'.join(map(str, version))}" + (" (old)" if warning else "")
    up = "flashsale up " + ("--cluster minikube" if name == "minikube" else f"--profile {name}")
    update = Hint(words=f"update it: {INSTALL}") if warning else ""
    if state.damaged:
        text = f"{program}, profile '{name}' is damaged"
        return Finding("minikube", "problem", text, f"minikube delete -p {name}")
    if state.profile is None:
        return Finding("minikube", "ok", f"{program}, no profile '{name}' yet", update or up)
    grade, word, hint = describe_condition(name, state, up, docker=docker)
    text = f"{program}, profile '{name}' ({describe_making(state.profile)}) {word}"
    if image_route(state.profile)[0] == "node":
        text += "; images are built with `minikube image build`"
    return Finding("minikube", grade, text, hint if grade == "problem" else update or hint)


def describe_condition(
    name: str, state: ProfileState, up: str, *, docker: bool
) -> tuple[Grade, str, str]:
    """Say what state a profile is in, and what to type about it."""
    match state.status:
        case status if state.running:
            return "ok", "is running", ""
        case None:
            return "problem", "does not say its state", f"minikube status -p {name}"
        case status if status == GONE:
            by_docker = state.profile is not None and state.profile.driver in BY_DOCKER
            if by_docker and not docker:
                return (
                    "problem",
                    "needs Docker, which is not running",
                    Hint(words="start Docker, then try again"),
                )
            return "problem", "has lost its node; data inside is lost", up
        case MinikubeStatus(host="InsufficientStorage"):
            return "problem", "has a full disk", disk_full(name).hint
        case MinikubeStatus(host="Running", apiserver="Paused"):
            return "ok", "is paused", up
        case MinikubeStatus(host="Running"):
            return "problem", "runs, but its Kubernetes does not answer", up
        case MinikubeStatus(host=host):
            return "ok", f"is {host.lower()}", up


def describe_making(profile: Profile) -> str:
    """Write how a profile was made."""
    sizes = [f"{profile.cpus} CPUs"] * bool(profile.cpus)
    sizes += [f"{profile.memory} MiB"] * bool(profile.memory)
    nodes = counted(len(profile.nodes), "node")
    parts = [f"driver {profile.driver}", f"runtime {profile.runtime}", nodes, *sizes]
    return ", ".join(parts)


def check_embedded() -> Finding:
    """Judge whether the embedded cluster can run here."""
    if sys.platform == "win32":
        return Finding("embedded", "problem", "needs Linux or macOS", "flashsale up --context NAME")
    ports = "" if sys.platform == "linux" else "; pods share one address here, each with its port"
    return Finding("embedded", "ok", f"needs nothing but this Python{ports}")


def list_contexts() -> Finding:
    """List the contexts that `--context` could name."""
    found = sorted(contexts.read().values(), key=lambda one: one.name)
    if not found:
        return Finding("contexts", "absent", "no kubeconfig with a context")
    near = [one.name for one in found if one.local or one.minikube]
    far = [one.name for one in found if one.name not in near]
    text = ", ".join(near) or "none of this machine"
    if far:
        text += f"; not of this machine, so only with --allow-remote: {', '.join(far)}"
    return Finding("contexts", "ok", text)
