"""What this machine has for running the exercise outside the embedded cluster, and what it lacks.

Each finding is judged by a pure function from what a probe found; nothing is started or changed.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from flashsale.base.errors import FlashsaleError
from flashsale.base.text import counted
from flashsale.clusters.minikube import ProfileState, installed, profile_state
from flashsale.clusters.minikube.cli import INSTALL, MinikubeCli
from flashsale.clusters.minikube.condition import Condition, condition, up_command
from flashsale.clusters.minikube.image.image_route import image_route
from flashsale.clusters.minikube.profile import Profile, version
from flashsale.clusters.minikube.start.start_plan import check_version
from flashsale.docker import EngineError, Trouble, connected, own_docker
from flashsale.kube import kubeconfig

Grade = Literal["ok", "absent", "problem"]  # absent: not there, and not needed either
LEAST_MEMORY = 1800 * 2**20  # bytes; minikube refuses less
LEAST_PROCESSORS = 2
GIB = 2**30
LEAST_ROOM = 5 * GIB  # bytes; minikube's node is an image of 1.3 GB, and fills a volume besides


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    grade: Grade
    text: str
    hint: str = ""  # the command that mends it, or makes more possible

    def as_json(self) -> dict[str, Any]:
        """Write it as `doctor -o json` does."""
        return {"name": self.name, "grade": self.grade, "text": self.text, "hint": self.hint}


async def docker() -> list[Finding]:
    """Ask this machine's Docker what it is, and how much room it has."""
    try:
        async with connected(own_docker(os.environ), timeout=5) as engine:
            info = await engine.work(lambda _: engine.info(), lambda _: None)
    except EngineError as error:
        return [judged_trouble(error)]
    except FlashsaleError as error:
        return [Finding("docker", "problem", str(error), error.hint)]
    root = Path(info.get("DockerRootDir") or "/nowhere")
    found = judged_docker(engine.host, info)
    return [found, room(root)] if os.access(root, os.X_OK) else [found]


def room(root: Path) -> Finding:
    """Judge the disk that holds Docker's images, minikube's nodes among them."""
    free = shutil.disk_usage(root).free
    text = f"{free / GIB:.1f} GiB free for Docker in {root}"
    if free < LEAST_ROOM:
        return Finding("room", "problem", f"{text}: minikube wants more", "docker system prune")
    return Finding("room", "ok", text)


def judged_docker(host: str, info: Mapping[str, Any]) -> Finding:
    """Judge an engine by what `docker info` says: minikube's node is a container in it."""
    memory, processors = info.get("MemTotal", 0), info.get("NCPU", 0)
    text = (
        f"version {info.get('ServerVersion', '?')} on {host}, {processors} CPUs,"
        f" {memory / GIB:.1f} GiB, storage {info.get('Driver', '?')}"
    )
    if processors < LEAST_PROCESSORS:
        return Finding("docker", "problem", text, "minikube needs 2 CPUs: give Docker more")
    if memory < LEAST_MEMORY:
        return Finding("docker", "problem", text, "minikube needs 1.8 GiB: give Docker more")
    return Finding("docker", "ok", text)


def judged_trouble(error: EngineError) -> Finding:
    """Tell an engine that is not there from one that is and cannot be used."""
    grade: Grade = "absent" if error.trouble is Trouble.ABSENT else "problem"
    return Finding("docker", grade, str(error).rstrip("."), error.hint)


async def minikube(profile: str, engine: Awaitable[list[Finding]]) -> Finding:
    """Ask minikube for its version and the profile's driver, runtime and state.

    Args:
        engine: what is found about this machine's Docker, side by side with this.
    """
    if not installed():
        return Finding("minikube", "absent", "not installed", f"install it: {INSTALL}")
    try:
        found, state, docker = await asyncio.gather(
            version(MinikubeCli(profile)), profile_state(profile), engine
        )
        warning = check_version(found)
    except FlashsaleError as error:
        return Finding("minikube", "problem", str(error).rstrip("."), error.hint)
    running = docker[0].grade == "ok"
    return judged_profile(profile, found, warning, state, docker=running)


def judged_profile(
    name: str, version: tuple[int, ...], warning: str, state: ProfileState, *, docker: bool
) -> Finding:
    """Judge a profile; one that is merely stopped, or not made yet, is no problem."""
    program = f"v{'.'.join(map(str, version))}" + (" (old)" if warning else "")
    update = f"update it: {INSTALL}" if warning else ""
    if not state.exists:
        hint = update or up_command(name)
        return Finding("minikube", "ok", f"{program}, no profile '{name}' yet", hint)
    found = condition(name, state, docker=docker)
    if state.status is None and not state.damaged:
        found = _without_an_answer(name, found)
    made = f" ({made_with(state.profile)})" if state.profile else ""
    text = f"{program}, profile '{name}'{made} {found.words}"
    if state.profile and image_route(state.profile)[0] == "node":
        text += "; images are built with `minikube image build`"
    grade: Grade = "ok" if found.good else "problem"
    return Finding("minikube", grade, text, update or found.hint if found.good else found.hint)


def _without_an_answer(name: str, found: Condition) -> Condition:
    """Say what makes `status` slow where that can be seen from here."""
    if name in kubeconfig.read():
        return found
    words = f"{found.words} in time; the kubeconfig has no entry for it"
    return Condition(words, f"minikube update-context -p {name}", good=False)


def made_with(profile: Profile) -> str:
    """Write how a profile was made."""
    sizes = [f"{profile.cpus} CPUs"] * bool(profile.cpus)
    sizes += [f"{profile.memory} MiB"] * bool(profile.memory)
    nodes = counted(len(profile.nodes), "node")
    parts = [f"driver {profile.driver}", f"runtime {profile.runtime}", nodes, *sizes]
    return ", ".join(parts)


def proxies(environ: Mapping[str, str]) -> Finding:
    """Judge the environment's proxies: kubectl would ask them for a node of this machine, too."""
    names = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
    set_ = [name for name in names if environ.get(name) or environ.get(name.lower())]
    if not set_:
        return Finding("proxies", "absent", "none in the environment")
    text = f"{', '.join(set_)} set; builds get them"
    spared = (environ.get("no_proxy") or environ.get("NO_PROXY") or "").split(",")
    wanted = ("127.0.0.1", "localhost", "192.168.49.0/24")  # minikube's network with Docker
    lacking = [one for one in wanted if one not in [word.strip() for word in spared]]
    if "*" in spared or not lacking:
        return Finding("proxies", "ok", text)
    more = ",".join(lacking)
    return Finding(
        "proxies",
        "problem",
        f"{text}; NO_PROXY lacks {more}: kubectl would ask the proxy for a local cluster",
        f"export NO_PROXY=$NO_PROXY,{more}",
    )


def tools() -> Finding:
    """List the programs that some clusters need: for loading images, and for tunnels."""
    found = [name for name in ("kubectl", "kind", "k3d", "ssh") if shutil.which(name)]
    if not found:
        return Finding("tools", "absent", "no kubectl, kind or k3d; flashsale needs none of them")
    return Finding("tools", "ok", ", ".join(found))


async def all_of_them(profile: str) -> list[Finding]:
    """Look at everything that minikube and other clusters need."""
    engine = asyncio.ensure_future(docker())
    node = await minikube(profile, engine)
    return [*await engine, node, proxies(os.environ), tools()]
