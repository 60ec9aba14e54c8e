"""A Docker engine in namespaces of its own, in which a container may be privileged everywhere.

minikube asks for privileged containers, and some machines refuse a part of that; this engine's runc
leaves that part out. The network is its own too, without a way out: the engine changes nothing of
the machine's, and its containers end with it. Only its images stay, in the folder with its data.
"""

from __future__ import annotations

import contextlib
import fcntl
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.peers import programs
from tests.peers.namespaces import apart, first_process, resource_groups, wait_for

NAME = "flashsale-engine"  # the cgroup of its containers
DATA = programs.FOLDER / "engine"
IMAGE = "localhost/flashsale-node:1"
RUNC = Path(__file__).parents[1] / "runc"
START = (
    *("sh", "-ec", 'mount -t tmpfs tmpfs /run; ip link set lo up; exec "$@"', "settle-in"),
    *("dockerd", f"--cgroup-parent=/{NAME}"),
    *(f"--add-runtime=softened={RUNC}", "--default-runtime=softened"),
)
TOOLS = ("dockerd", "docker", "runc", "iptables", "ip", "mount", "nsenter", "setpriv", "unshare")


@dataclass(frozen=True, slots=True)
class OwnEngine:
    """An engine that runs; it is the one that `docker` finds where nothing is said."""

    pid: int  # its first process, as the machine counts

    def command(self, *words: str | Path) -> list[str]:
        """Return what runs a command beside the engine, in its network."""
        return [
            "nsenter",
            f"--target={self.pid}",
            "--net",
            "--mount",
            "--pid",
            "--",
            *map(str, words),
        ]

    def run(
        self, *words: str | Path, env: Mapping[str, str] | None = None, timeout: float | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end.

        Args:
            timeout: in seconds.
        """
        return subprocess.run(
            self.command(*words),
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def ids(self, *words: str) -> list[str]:
        """List ids of one kind of Docker's objects."""
        return self.run("docker", *words, "--quiet").stdout.split()

    def clear(self) -> None:
        """Remove all but the images."""
        if containers := self.ids("ps", "--all"):
            self.run("docker", "rm", "--force", "--volumes", *containers)
        if volumes := self.ids("volume", "ls"):
            self.run("docker", "volume", "rm", *volumes)
        self.run("docker", "network", "prune", "--force")


@contextlib.contextmanager
def own_engine(logs: Path, data: Path = DATA) -> Iterator[OwnEngine]:
    """Run an engine as long as the block, one at a time on the same data.

    Args:
        logs: a folder for its log.
        data: where it keeps images and all else.
    """
    data.mkdir(parents=True, exist_ok=True)
    with (programs.FOLDER / ".engine.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with (
            resource_groups(NAME),
            apart((*START, f"--data-root={data}"), logs / "engine.log") as process,
        ):
            (pid,) = first_process(process.pid)
            engine = OwnEngine(pid)
            wait_for(lambda: engine.run("docker", "version").returncode == 0, "an engine answers")
            engine.clear()  # of one that was killed
            yield engine
            engine.clear()
