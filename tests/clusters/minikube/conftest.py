"""Fixtures around the double of the `minikube` binary."""

from __future__ import annotations

import marshal
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from flashsale.clusters.minikube import MinikubeCluster, cluster
from flashsale.clusters.minikube.cli import MinikubeTimeouts
from flashsale.clusters.minikube.profile import usability
from flashsale.clusters.subprocesses import run
from tests.clusters.minikube.double_calls import forking_programs
from tests.clusters.minikube.double_world import RecordedProgress, World
from tests.docker.engines import base_image, registry
from tests.recorded import RECORDINGS

__all__ = ["base_image", "registry"]

DOUBLE = Path(__file__).parent / "double" / "minikube"
QUICK = MinikubeTimeouts(
    answer=30, start=30, stop=30, poll=0.01, lock=0, heartbeat=30, interrupt=10, probe=0.5, url=10
)
# `ps` of that machine: others' tests start minikubes too. Each look takes one line of the file.
PS = """#!/bin/sh
cd "$MINIKUBE_DOUBLE" && test -s processes || exit 0
head -n 1 processes
tail -n +2 processes >processes.left
mv processes.left processes
"""
# The `docker` of that machine: it can unfreeze a node, and be asked for nothing else.
DOCKER = """#!%s -SE
import marshal, os, sys
file = os.environ["MINIKUBE_DOUBLE"] + "/world"
world = marshal.load(open(file, "rb"))
profile = world["profiles"].get(sys.argv[2]) if sys.argv[1:2] == ["unpause"] else None
if profile is None or not profile.pop("frozen", False):
    sys.exit("Error response from daemon: nothing to do")
marshal.dump(world, open(file, "wb"))
"""
KUBECONFIG = 'contexts:\n- {"context": {}, "name": "work"}\ncurrent-context: work\n'


@pytest.fixture(scope="session")
def double_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The double, compiled once for its thousands of calls."""
    file = tmp_path_factory.mktemp("double") / "code"
    file.write_bytes(marshal.dumps(compile(DOUBLE.read_text(), str(DOUBLE), "exec")))
    return file


@pytest.fixture(scope="session")
def double(double_code: Path) -> str:
    """A script that is the double."""
    code = f"open({str(double_code)!r}, 'rb').read()"
    return f"#!{sys.executable} -SE\nimport marshal\nexec(marshal.loads({code}))\n"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, double: str, double_code: Path) -> World:
    """A machine with minikube 1.38.1, no profile, and a kubeconfig of the user's own."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "minikube").write_text(double)
    (programs / "minikube").chmod(0o755)
    (programs / "ps").write_text(PS)
    (programs / "ps").chmod(0o755)
    (tmp_path / "kubeconfig").write_text(KUBECONFIG)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("MINIKUBE_DOUBLE", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.setenv("FLASHSALE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MINIKUBE_HOME", raising=False)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")  # so that what is added is taken away again
    if sys.platform == "linux":
        forking = SimpleNamespace(**forking_programs(double_code, double))
        monkeypatch.setattr(run, "asyncio", forking)
    made = World(tmp_path, MinikubeCluster("shop", patience=QUICK), RecordedProgress())
    start = {
        **{"version": "v1.38.1", "docker_up": True, "profiles": {}, "engines": [], "certs": ""},
        "recordings": str(RECORDINGS / "minikube"),
    }
    (tmp_path / "world").write_bytes(marshal.dumps(start))
    return made


@pytest.fixture
def docker_program(world: World) -> None:
    """That machine has a `docker` that unfreezes nodes."""
    program = world.home / "bin" / "docker"
    program.write_text(DOCKER % sys.executable)
    program.chmod(0o755)


@pytest.fixture
def minikube(world: World) -> MinikubeCluster:
    """The profile `shop` of that machine."""
    return world.minikube


@pytest.fixture
def progress() -> RecordedProgress:
    """What the user was told."""
    return RecordedProgress()


@pytest.fixture
def no_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's own Docker does not run."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")


@pytest.fixture
def docker_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's own Docker answers, whether it has one or not."""

    async def no_trouble() -> None:
        return None

    for module in (cluster, usability):
        monkeypatch.setattr(module, "host_docker_trouble", no_trouble)
