"""What this machine has: Python, disk, Docker, proxies, programs; each with what mends it.

Each finding is judged by a pure function from what was found; nothing is started or changed.
"""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flashsale.base.errors import FlashsaleError, Hint
from flashsale.base.files import writable_home_hint
from flashsale.base.text import quoted
from flashsale.clusters.state.directory import nearest, unwritable
from flashsale.docker import EngineError, EngineProblem, connected, own_docker
from flashsale.doctor.finding import Finding, Grade

LEAST_PYTHON = (3, 11)
LEAST_FREE = 1 << 30  # bytes; a flashsale image and minikube's node need more, the embedded less
LEAST_MEMORY = 1800 * 2**20  # bytes; minikube refuses less
LEAST_PROCESSORS = 2
GIB = 2**30
LEAST_ROOM = 5 * GIB  # bytes; minikube's node is an image of 1.3 GB, and fills a volume besides


def check_python(version: tuple[int, ...]) -> Finding:
    text = f"Python {'.'.join(map(str, version))} on {platform.system()} {platform.machine()}"
    if version[:2] < LEAST_PYTHON:
        return Finding(
            "python", "problem", f"{text} is too old", Hint(words="install Python 3.11 or newer")
        )
    return Finding("python", "ok", text)


def check_state_folder(home: Path) -> Finding:
    """Judge the folder that everything is kept in: can it be written?"""
    if wrong := unwritable(home):
        return Finding("state", "problem", wrong, writable_home_hint())
    return Finding("state", "ok", f"kept in {home}")


def check_disk(home: Path) -> Finding:
    """Judge the room on the disk of the state folder."""
    place = nearest(home)
    free = shutil.disk_usage(place).free
    text = f"{free / (1 << 30):.1f} GiB free in {place}"
    if free > LEAST_FREE:
        return Finding("disk", "ok", text)
    return Finding("disk", "problem", f"{text}: too little", f"df -h {quoted(place)}")


async def check_docker() -> list[Finding]:
    """Ask this machine's Docker what it is, and how much room it has."""
    try:
        async with connected(own_docker(os.environ), timeout=5) as engine:
            info = await engine.work(lambda _: engine.info(), lambda _: None)
    except EngineError as error:
        return [judge_trouble(error)]
    except FlashsaleError as error:
        return [Finding("docker", "problem", str(error), error.hint)]
    root = Path(info.get("DockerRootDir") or "/nowhere")
    finding = judge_docker(engine.host, info)
    return [finding, check_room(root)] if os.access(root, os.X_OK) else [finding]


def check_room(root: Path) -> Finding:
    """Judge the disk that holds Docker's images, minikube's nodes among them."""
    free = shutil.disk_usage(root).free
    text = f"{free / GIB:.1f} GiB free for Docker in {root}"
    if free < LEAST_ROOM:
        return Finding("room", "problem", f"{text}: minikube wants more", "docker system prune")
    return Finding("room", "ok", text)


def judge_docker(host: str, info: Mapping[str, Any]) -> Finding:
    """Judge an engine by what `docker info` says: minikube's node is a container in it."""
    memory, processors = info.get("MemTotal", 0), info.get("NCPU", 0)
    text = (
        f"version {info.get('ServerVersion', '?')} on {host}, {processors} CPUs,"
        f" {memory / GIB:.1f} GiB, storage {info.get('Driver', '?')}"
    )
    if processors < LEAST_PROCESSORS:
        return Finding(
            "docker", "problem", text, Hint(words="minikube needs 2 CPUs: give Docker more")
        )
    if memory < LEAST_MEMORY:
        return Finding(
            "docker", "problem", text, Hint(words="minikube needs 1.8 GiB: give Docker more")
        )
    return Finding("docker", "ok", text)


def judge_trouble(error: EngineError) -> Finding:
    """Tell an engine that is not there from one that is and cannot be used."""
    grade: Grade = "absent" if error.trouble is EngineProblem.ABSENT else "problem"
    return Finding("docker", grade, str(error).rstrip("."), error.hint)


def check_proxies(environ: Mapping[str, str]) -> Finding:
    """Judge the environment's proxies: kubectl would ask them for a node of this machine, too."""
    names = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
    set_ = [name for name in names if environ.get(name) or environ.get(name.lower())]
    if not set_:
        return Finding("proxies", "absent", "none in the environment")
    text = f"{', '.join(set_)} set; builds get them"
    spared = (environ.get("no_proxy") or environ.get("NO_PROXY") or "").split(",")
    wanted = ("127.0.0.1", "localhost", "192.168.49.0/24")  # minikube's network with Docker
    lacking = [host for host in wanted if host not in [word.strip() for word in spared]]
    if "*" in spared or not lacking:
        return Finding("proxies", "ok", text)
    more = ",".join(lacking)
    return Finding(
        "proxies",
        "problem",
        f"{text}; NO_PROXY lacks {more}: kubectl would ask the proxy for a local cluster",
        f"export NO_PROXY=$NO_PROXY,{more}",
    )


def list_tools() -> Finding:
    """List the programs that some clusters need: for loading images, and for tunnels."""
    tools = [name for name in ("kubectl", "kind", "k3d", "ssh") if shutil.which(name)]
    if not tools:
        return Finding("tools", "absent", "no kubectl, kind or k3d; flashsale needs none of them")
    return Finding("tools", "ok", ", ".join(tools))
