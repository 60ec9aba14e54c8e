"""`flashsale` beside a real minikube with its docker driver, from nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from platform import machine

import pytest

from tests.command import Flashsale, Result
from tests.peers import programs
from tests.peers.minikube_node.engine import IMAGE, TOOLS, OwnEngine, own_engine
from tests.peers.minikube_node.kubernetes import VERSION
from tests.peers.running import skip_unless_built

PATIENCE = 420.0  # seconds for the longest command on a busy machine
CACHED = ("kubeadm", "kubectl", "kubelet")  # what minikube downloads for each version
FIRST = """\
apiVersion: v1
kind: Config
current-context: elsewhere
contexts: [{name: elsewhere, context: {cluster: elsewhere, user: elsewhere}}]
clusters: [{name: elsewhere, cluster: {server: "https://127.0.0.1:9"}}]
users: [{name: elsewhere, user: {token: not-for-minikube}}]
"""


@dataclass(frozen=True, slots=True)
class Road:
    """A machine with minikube and Docker, and a user with a cluster elsewhere."""

    engine: OwnEngine
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """What the user has set: flashsale passes it on to minikube."""
        return Flashsale(self.home / "flashsale").environment | {
            "PATH": f"{self.home / 'bin'}:{os.environ['PATH']}",
            "KUBECONFIG": str(self.home / "kubeconfig"),
            "MINIKUBE_HOME": str(self.home / ".minikube"),
            "MINIKUBE_BASE_IMAGE": IMAGE,
            "MINIKUBE_KUBERNETES_VERSION": VERSION,  # newer than this minikube knows
            "MINIKUBE_FORCE": "true",  # for that, and since this is root
            "MINIKUBE_PRELOAD": "false",  # nothing can be fetched
            "MINIKUBE_CACHE_IMAGES": "false",
            "MINIKUBE_WANTUPDATENOTIFICATION": "false",
        }

    def flashsale(self, *words: str) -> Result:
        """Run flashsale to its end."""
        command = Flashsale(self.home / "flashsale").command(*words)
        return as_result(self.engine.run(*command, env=self.environment, timeout=PATIENCE))

    def run(self, *words: str) -> Result:
        """Run another program to its end, in the same surroundings."""
        return as_result(self.engine.run(*words, env=self.environment, timeout=PATIENCE))

    def up(self, *words: str) -> Result:
        """Open a sale on minikube, which must succeed."""
        done = self.flashsale("up", "--cluster", "minikube", *words)
        assert done.code == 0, done.out + done.err
        return done

    def contexts(self) -> tuple[str, set[str]]:
        """Return the user's current context, and all of them."""
        names = self.run("kubectl", "config", "get-contexts", "--output=name").out.split()
        return self.run("kubectl", "config", "current-context").out.strip(), set(names)

    def ready(self) -> str:
        """Return how many pods the ReplicaSet has ready, as kubectl reads it."""
        words = ("--context=minikube", "get", "replicaset", "flashsale-rs")
        return self.run("kubectl", *words, "--output=jsonpath={.status.readyReplicas}").out

    def answers(self, address: str) -> bool:
        """Whether a buyer on that machine gets an answer."""
        return self.run("curl", "--silent", "--fail", "--max-time", "10", address).code == 0


def as_result(done: subprocess.CompletedProcess[str]) -> Result:
    """Return what a command left behind."""
    return Result(done.returncode, done.stdout, done.stderr)


def skip_unless_possible() -> None:
    """Skip where that was not asked for, there is no node image, or an engine cannot be run."""
    if not os.environ.get("FLASHSALE_ROAD"):
        pytest.skip("minikube's whole road takes minutes: tests/peers/check, or FLASHSALE_ROAD=1")
    skip_unless_built(("minikube", *CACHED))
    if not (programs.FOLDER / ".node-image.key").exists():
        pytest.skip(
            "needs a node for minikube: run tests/peers/build node-image (as root, with Docker)"
        )
    lacking = [tool for tool in TOOLS if shutil.which(tool) is None]
    if os.getuid() or lacking:
        pytest.skip(f"an engine of its own needs {', '.join(lacking) or 'root'}")


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    """Nothing but programs: no profile, no sale."""
    skip_unless_possible()
    home = tmp_path_factory.mktemp("road")
    (home / "bin").mkdir()
    for name in ("minikube", "kubectl"):
        (home / "bin" / name).symlink_to(programs.path(name))
    arch = {"x86_64": "amd64", "aarch64": "arm64"}[machine()]
    cache = home / ".minikube" / "cache" / "linux" / arch / VERSION
    cache.mkdir(parents=True)
    for name in CACHED:
        (cache / name).symlink_to(programs.path(name))
    (home / "kubeconfig").write_text(FIRST)
    with own_engine(home) as engine:
        yield Road(engine, home)
