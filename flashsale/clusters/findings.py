"""What this machine has for running the exercise on minikube, and what is wrong with it.

Each finding is judged by a pure function from what a probe found; nothing is started or changed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flashsale.clusters.minikube import ProfileState, installed, profile_state
from flashsale.clusters.minikube.binary import INSTALL, Binary
from flashsale.clusters.minikube.deciding import check_version, road
from flashsale.clusters.minikube.state import version
from flashsale.errors import FlashsaleError
from flashsale.image import EngineError, Trouble, connected

Grade = Literal["ok", "absent", "problem"]  # absent: not there, and not needed either
LEAST_MEMORY = 1800 * 2**20  # bytes; minikube refuses less
LEAST_PROCESSORS = 2
GIB = 2**30


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


async def docker() -> Finding:
    """Ask this machine's Docker what it is."""
    try:
        async with connected(timeout=5) as engine:
            info = await engine.work(lambda _: engine.info(), lambda _: None)
            return judged_docker(engine.host, info)
    except EngineError as error:
        return judged_trouble(error)
    except FlashsaleError as error:
        return Finding("docker", "problem", str(error), error.hint)


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


async def minikube(profile: str) -> Finding:
    """Ask minikube for its version and the profile's driver, runtime and state."""
    if not installed():
        return Finding("minikube", "absent", "not installed", f"install it: {INSTALL}")
    try:
        found = await version(Binary(profile))
        warning = check_version(found)
        return judged_profile(profile, found, warning, await profile_state(profile))
    except FlashsaleError as error:
        return Finding("minikube", "problem", str(error).rstrip("."), error.hint)


def judged_profile(
    name: str, version: tuple[int, ...], warning: str, state: ProfileState
) -> Finding:
    """Judge a profile; one that is merely stopped, or not made yet, is no problem."""
    program = f"v{'.'.join(map(str, version))}"
    if state.damaged:
        text = f"{program}, profile '{name}' is damaged"
        return Finding("minikube", "problem", text, f"minikube delete -p {name}")
    if state.profile is None:
        text = f"{program}, no profile '{name}' yet"
        return Finding("minikube", "ok", text, "flashsale up --cluster minikube")
    known = state.profile
    host = state.status.host if state.status else "unknown"
    parts = [
        program,
        f"profile '{name}' ({known.driver}, {known.runtime}, {known.nodes} node"
        + ("s)" if known.nodes > 1 else ")"),
        "running" if state.running else f"state {host}",
    ]
    way, _ = road(known)
    hint = "" if state.running else "flashsale up --cluster minikube"
    if way == "node":
        parts.append("images are built with `minikube image build`")
    if warning:
        hint = f"update it: {INSTALL}"
    grade: Grade = "problem" if host in ("unknown", "InsufficientStorage") else "ok"
    return Finding("minikube", grade, ", ".join(parts), hint)


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
    """List what can load an image into a cluster of its own."""
    found = [name for name in ("kubectl", "kind", "k3d") if shutil.which(name)]
    if not found:
        return Finding("tools", "absent", "no kubectl, kind or k3d; flashsale needs none of them")
    return Finding("tools", "ok", ", ".join(found))


async def all_of_them(profile: str) -> list[Finding]:
    """Look at everything that minikube and other clusters need."""
    return [await docker(), await minikube(profile), proxies(os.environ), tools()]
