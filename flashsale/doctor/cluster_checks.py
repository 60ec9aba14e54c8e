"""Which clusters this machine can use: the embedded one, minikube, contexts of the kubeconfig.

Each finding is judged by a pure function from what was found; nothing is started or changed.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable
from dataclasses import replace

from flashsale.base.errors import FlashsaleError, Hint
from flashsale.base.text import counted, quoted
from flashsale.clusters.minikube import (
    ProfileState,
    current_context,
    is_installed,
    is_usable,
    read_profile_state,
)
from flashsale.clusters.minikube.cli import INSTALL, MinikubeCli
from flashsale.clusters.minikube.image.image_route import image_route
from flashsale.clusters.minikube.profile.condition import (
    ProfileCondition,
    describe_condition,
    up_command,
)
from flashsale.clusters.minikube.profile.profile import Profile, read_version
from flashsale.clusters.minikube.start.start_plan import check_version
from flashsale.doctor.finding import Finding, Grade
from flashsale.kube import kubeconfig as contexts


async def check_minikube(profile: str, engine: Awaitable[list[Finding]]) -> Finding:
    """Ask minikube for its version and the profile's driver, runtime and state.

    Args:
        engine: what is found about this machine's Docker, side by side with this.
    """
    if not is_installed():
        return Finding("minikube", "absent", "not installed", Hint(words=f"install it: {INSTALL}"))
    try:
        finding, state, docker = await asyncio.gather(
            read_version(MinikubeCli(profile)), read_profile_state(profile), engine
        )
        warning = check_version(finding)
    except FlashsaleError as error:
        return Finding("minikube", "problem", str(error).rstrip("."), error.hint)
    running = docker[0].grade == "ok"
    judged = judge_profile(profile, finding, warning, state, docker=running)
    return judged if state.running else await _with_obstacle(judged, profile, state)


async def _with_obstacle(judged: Finding, profile: str, state: ProfileState) -> Finding:
    """Add what would keep `up` from making or starting a profile with which nothing is wrong."""
    if judged.grade != "ok":
        return judged
    try:
        current_context.check_usable()
    except FlashsaleError as error:
        text = f"{judged.text}; {str(error).rstrip('.')}"
        return replace(judged, grade="problem", text=text, hint=error.hint)
    usable, why = (True, "") if state.exists else await is_usable(profile)
    if usable:
        return judged
    why = why.removeprefix("minikube is installed, but").lstrip(": ")
    return replace(judged, text=f"{judged.text}, and `up` could not make one: {why}", hint="")


def judge_profile(
    name: str, version: tuple[int, ...], warning: str, state: ProfileState, *, docker: bool
) -> Finding:
    """Judge a profile; one that is merely stopped, or not made yet, is no problem."""
    program = f"v{'.'.join(map(str, version))}" + (" (old)" if warning else "")
    update = Hint(words=f"update it: {INSTALL}") if warning else ""
    if not state.exists:
        hint = update or up_command(name)
        return Finding("minikube", "ok", f"{program}, no profile '{name}' yet", hint)
    condition = describe_condition(name, state, docker=docker)
    if not state.running and contexts.problems():  # then minikube's own word says little
        file, wrong = contexts.problems()[0]
        condition = ProfileCondition(
            f"cannot be judged: {wrong}", f"ls -l {quoted(file)}", good=False
        )
    elif state.status is None and not state.damaged:
        condition = _without_an_answer(name, condition)
    made = f" ({describe_making(state.profile)})" if state.profile else ""
    text = f"{program}, profile '{name}'{made} {condition.words}"
    if state.profile and image_route(state.profile)[0] == "node":
        text += "; images are built with `minikube image build`"
    grade: Grade = "ok" if condition.good else "problem"
    return Finding(
        "minikube", grade, text, update or condition.hint if condition.good else condition.hint
    )


def _without_an_answer(name: str, condition: ProfileCondition) -> ProfileCondition:
    """Say what makes `status` slow where that can be seen from here."""
    if name in contexts.read():
        return condition
    words = f"{condition.words} in time; the kubeconfig has no entry for it"
    return ProfileCondition(words, f"minikube update-context -p {name}", good=False)


def describe_making(profile: Profile) -> str:
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


def list_contexts() -> list[Finding]:
    """List the contexts that `--context` could name, and the files that cannot be read."""
    broken = [
        Finding("contexts", "problem", wrong, f"ls -l {quoted(file)}")
        for file, wrong in contexts.problems()
    ]
    kube_contexts = sorted(contexts.read().values(), key=lambda kube_context: kube_context.name)
    return [*broken, *([_judge_contexts(kube_contexts)] if kube_contexts or not broken else [])]


def _judge_contexts(kube_contexts: list[contexts.KubeContext]) -> Finding:
    if not kube_contexts:
        return Finding("contexts", "absent", "no kubeconfig with a context")
    near = [each.name for each in kube_contexts if each.local or each.minikube]
    far = [each.name for each in kube_contexts if each.name not in near]
    text = ", ".join(near) or "none of this machine"
    if far:
        text += f"; not of this machine, so only with --allow-remote: {', '.join(far)}"
    return Finding("contexts", "ok", text)
