"""Whether minikube can carry a sale on this machine, asked without starting anything."""

from __future__ import annotations

import os
import shutil

from flashsale.base.errors import FlashsaleError
from flashsale.clusters.minikube.cli import is_installed
from flashsale.clusters.minikube.profile.condition import BY_DOCKER, describe_condition
from flashsale.clusters.minikube.profile.profile import GONE, ProfileState, read_profile_state
from flashsale.docker import EngineError, EngineProblem, connected, own_docker

# Programs of the drivers that minikube picks by itself where Docker is not to be had.
OTHER_DRIVERS = {"virsh": "kvm2", "vfkit": "vfkit"}


async def is_usable(profile: str) -> tuple[bool, str]:
    """Say whether minikube can carry the sale, and why or why not; starts nothing."""
    if not is_installed():
        return False, "minikube is not installed"
    try:
        state = await read_profile_state(profile)
    except FlashsaleError as error:
        return False, str(error).rstrip(".")
    trouble = None if state.running else await host_docker_trouble()
    others = [name for program, name in OTHER_DRIVERS.items() if shutil.which(program)]
    return judge_usability(profile, state, trouble=trouble, others=others, root=is_root())


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def judge_usability(
    profile: str, state: ProfileState, *, trouble: EngineError | None, others: list[str], root: bool
) -> tuple[bool, str]:
    """Decide from what is known.

    Args:
        trouble: why this machine's Docker cannot be used; None if it can.
        others: drivers besides docker whose programs are installed.
        root: whether this is root's process, which minikube's docker driver refuses.
    """
    docker = trouble is None
    condition = describe_condition(profile, state, docker=docker)
    if state.damaged or (state.status == GONE and docker and not state.never_ran):
        return False, f"minikube '{profile}' {condition.words}"  # no `up` without a yes
    if state.running:
        return True, f"minikube '{profile}' is running"
    driver = state.profile.driver if state.profile else ""
    if driver not in BY_DOCKER:
        return True, f"minikube has a profile '{profile}' (driver {driver})"
    if docker and not root:
        return True, "minikube is installed and Docker is running"
    if not driver and others:
        return True, f"minikube is installed, and so is its driver {others[0]}"
    if docker:
        return False, "minikube's docker driver does not run as root"
    if trouble and trouble.trouble is not EngineProblem.ABSENT:
        return False, f"minikube is installed, but: {str(trouble).rstrip('.')}"
    return False, "minikube is installed, but Docker is not running"


async def host_docker_trouble() -> EngineError | None:
    """Say why this machine's own Docker cannot be used; None if it can."""
    try:
        async with connected(own_docker(os.environ), timeout=5):
            return None
    except EngineError as error:
        return error
