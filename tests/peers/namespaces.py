"""Namespaces of its own for a node: network, mounts and processes end with its first process.

The kernel takes all of it back when that process ends, however it ends. What it leaves, the cgroups
of its pods, is removed here.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.peers.processes import PAUSE, PeerError

GROUPS = Path("/sys/fs/cgroup")
NETWORK = "10.199"  # two addresses of a third byte that is free
LIMIT = 30.0  # seconds for the kernel to give or take something
UNSHARE = ("unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=KILL")
DIES_AT_ONCE = ("setpriv", "--pdeathsig", "KILL", "--")


@dataclass(frozen=True, slots=True)
class Link:
    """A cable between the machine and the node: the machine has .1, the node .2."""

    number: int

    @property
    def name(self) -> str:
        """The name of all that a node has on the machine: its interface, the cgroup of its pods."""
        return f"shop-peers{self.number}"

    @property
    def node(self) -> str:
        """The interface on the node's end."""
        return f"node{self.number}"

    def address(self, host: int) -> str:
        """Return the address of an end: 1 is the machine's, 2 the node's."""
        return f"{NETWORK}.{self.number}.{host}"

    def connect(self, pid: int) -> None:
        """Put the cable between this namespace and that of a process."""
        ip("link", "add", self.name, "type", "veth", "peer", "name", self.node)
        ip("link", "set", self.node, "netns", str(pid))
        ip("address", "add", f"{self.address(1)}/24", "dev", self.name)
        ip("link", "set", self.name, "up")

    def plug_in(self) -> None:
        """Use the node's end, from inside the namespace, once it is there."""
        wait_for(self._is_here, "a link")
        ip("link", "set", "lo", "up")
        ip("address", "add", f"{self.address(2)}/24", "dev", self.node)
        ip("link", "set", self.node, "up")
        ip("route", "add", "default", "via", self.address(1))

    def _is_here(self) -> bool:
        return self.node in subprocess.check_output(("ip", "-o", "link"), text=True)


@dataclass(frozen=True, slots=True)
class CableEnd:
    """A node that a cable leads to."""

    link: Link
    pid: int  # a process in its network
    pods: str  # the addresses of its pods


def join(cable_end: CableEnd, other: CableEnd) -> None:
    """Put a cable between two nodes, and route their addresses and their pods' over it."""
    names = (
        f"{cable_end.link.node}-{other.link.number}",
        f"{other.link.node}-{cable_end.link.number}",
    )
    ip("link", "add", names[0], "type", "veth", "peer", "name", names[1])
    for name, near, far in ((names[0], cable_end, other), (names[1], other, cable_end)):
        ip("link", "set", name, "netns", str(near.pid))
        address, peer = near.link.address(2), far.link.address(2)
        for words in (
            ("link", "set", name, "up"),
            ("address", "add", address, "peer", peer, "dev", name),
            ("route", "add", far.pods, "via", peer),
        ):
            run(("nsenter", f"--target={near.pid}", "--net", "ip", *words))


def free_link() -> Link:
    """Find a number that no interface of this machine has."""
    used = subprocess.check_output(("ip", "-o", "-4", "address"), text=True)
    for number in range(1, 255):
        if f" {NETWORK}.{number}." not in used:
            return Link(number)
    raise PeerError(f"all of {NETWORK}.0.0/16 is in use")


@contextlib.contextmanager
def apart(
    command: Sequence[str | Path], log: Path, link: Link | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in namespaces of its own; everything in them has ended after the block.

    Args:
        link: what joins its network with the machine's, if anything does.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*DIES_AT_ONCE, *UNSHARE, *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            process_group=0,
        )
    try:
        wait_for(lambda: first_process(process.pid), "namespaces")
        if link:
            link.connect(process.pid)
        yield process
    finally:
        for pid in first_process(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        try:
            process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if link:
            subprocess.run(("ip", "link", "delete", link.name), capture_output=True, check=False)


def first_process(pid: int) -> list[int]:
    """Return the first process inside the namespaces that `unshare` made, as the machine counts."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [int(child) for child in children]


def ip(*words: str) -> None:
    """Run `ip`; raises PeerError with what it said."""
    run(("ip", *words))


def run(command: Sequence[str]) -> None:
    """Run a command; raises PeerError with what it said."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PeerError(f"{' '.join(command)}: {done.stderr.strip()}")


@contextlib.contextmanager
def resource_groups(name: str) -> Iterator[str]:
    """Make a cgroup in every hierarchy of the machine, and remove it with all inside it."""
    places = [path / name for path in hierarchies()]
    try:
        for place in places:
            place.mkdir(exist_ok=True)
            inherit(place)
        yield f"/{name}"
    finally:
        for place in places:
            wait_for(partial(remove_group, place), f"the end of {place}")


def hierarchies() -> list[Path]:
    """Return the tops of the cgroup hierarchies: one, or one for each controller."""
    if (GROUPS / "cgroup.controllers").exists():
        return [GROUPS]
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    return [Path(place) for _, place, kind, *_ in mounts if kind in ("cgroup", "cgroup2")]


def inherit(place: Path) -> None:
    """Let a new group use what its parent may: cpuset starts empty, v2 hands down nothing."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        file = place / name
        if file.exists() and not file.read_text().strip() and (place.parent / name).exists():
            file.write_text((place.parent / name).read_text())
    control = place / "cgroup.subtree_control"
    if place.parent == GROUPS and control.exists():
        for controller in (place / "cgroup.controllers").read_text().split():
            with contextlib.suppress(OSError):
                control.write_text(f"+{controller}")


def remove_group(place: Path) -> bool:
    """Remove a group and those inside it; whether that succeeded, since processes take a while."""
    for folder, _, _ in os.walk(place, topdown=False):
        try:
            os.rmdir(folder)
        except OSError:
            return False
    return True


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Wait for the kernel; raises PeerError after a limit."""
    deadline = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > deadline:
            raise PeerError(f"not within {LIMIT:.0f} s: {what}")
        time.sleep(PAUSE)
