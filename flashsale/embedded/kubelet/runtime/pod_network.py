"""Where pods listen: an address of their own on Linux, a port of their own elsewhere.

On Linux all of 127.0.0.0/8 is this machine, so each pod gets 127.A.B.N and listens there on the
port it wants; A and B are drawn once per cluster, so that two clusters stay apart. macOS has only
127.0.0.1: there each port of a pod is mapped to a free one. A single port is mapped on Linux too
when its pod cannot have it: a foreign program holds it on all addresses, or it needs root.
"""

from __future__ import annotations

import os
import random
import socket
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

SHARED = "127.0.0.1"
_FIRST, _LAST = 2, 254  # the last byte of a pod's address


@dataclass(frozen=True, slots=True)
class PodAddress:
    """Where one pod listens."""

    ip: str
    loopback: str  # what 127.0.0.1 means inside the pod; nobody else looks there
    ports: dict[int, int] = field(default_factory=dict)  # container port -> real port, if mapped
    private: dict[int, int] = field(default_factory=dict)  # the same on the loopback address


class PodNetwork:
    """The addresses of one cluster's pods."""

    def __init__(
        self, root: Path, rng: random.Random | None = None, *, mode: str = "", node: int = 0
    ) -> None:
        """Choose how pods are told apart.

        Args:
            root: folder that remembers the cluster's part of 127.0.0.0/8.
            node: the number of the node; each has a range of its own.
            mode: `addresses` or `ports`; by default what FLASHSALE_POD_NETWORK says, else what
                the machine can do.
        """
        self._rng = rng or random.Random()
        a, b = _prefix(root / "pod-network", self._rng)
        self._prefix = a, (b + 2 * node) % 254
        mode = mode or os.environ.get("FLASHSALE_POD_NETWORK", "") or self._best_mode()
        self.shared = mode == "ports"  # all pods share 127.0.0.1
        self._next = _FIRST
        self._attached: dict[str, PodAddress] = {}

    @property
    def cidr(self) -> str:
        """The range of the pods' addresses, empty where they share one."""
        return "" if self.shared else "127.{}.{}.0/24".format(*self._prefix)

    def attach(self, uid: str, container_ports: Iterable[int]) -> PodAddress:
        """Give a pod its address. A pod that is attached keeps what it has."""
        if uid not in self._attached:
            ports = sorted(container_ports)
            self._attached[uid] = self._shared(ports) if self.shared else self._own(ports)
        return self._attached[uid]

    def detach(self, uid: str) -> None:
        self._attached.pop(uid, None)

    def resolve(self, pod_ip: str, uid: str, port: int) -> tuple[str, int]:
        """Return host and port to connect to for a port of a pod."""
        address = self._attached.get(uid)
        if address is None or address.ip != pod_ip:
            return pod_ip, port
        return pod_ip, address.ports.get(port, port)

    def inside(self, uid: str, port: int) -> list[tuple[str, int]]:
        """Return where `localhost` of a pod is: what listens everywhere, or there alone."""
        if not (address := self._attached.get(uid)):
            return []
        everywhere = address.ip, address.ports.get(port, port)
        return [everywhere, (address.loopback, address.private.get(port, port))]

    def _own(self, ports: list[int]) -> PodAddress:
        number = self._free_number()
        a, b = self._prefix
        ip = f"127.{a}.{b}.{number}"
        mapped = {port: _free_port(ip) for port in ports if not _bindable(ip, port)}
        return PodAddress(ip, f"127.{a}.{b + 1}.{number}", mapped)

    def _shared(self, ports: list[int]) -> PodAddress:
        free = _free_ports(SHARED, 2 * len(ports))
        return PodAddress(
            SHARED,
            SHARED,
            dict(zip(ports, free[: len(ports)], strict=True)),
            dict(zip(ports, free[len(ports) :], strict=True)),
        )

    def _free_number(self) -> int:
        """Take numbers in turn, so that a dead pod's address is not soon somebody else's."""
        taken = {int(address.ip.rsplit(".", 1)[1]) for address in self._attached.values()}
        for _ in range(_FIRST, _LAST + 1):
            number, self._next = self._next, self._next + 1 if self._next < _LAST else _FIRST
            if number not in taken:
                return number
        raise OSError("no address is left for another pod")

    def _best_mode(self) -> str:
        a, b = self._prefix
        own = sys.platform == "linux" and _bindable(f"127.{a}.{b}.1", 0)
        return "addresses" if own else "ports"


def _prefix(path: Path, rng: random.Random) -> tuple[int, int]:
    """Read or draw the middle bytes: never 127.0.x.x, and an even one, whose odd twin is ours."""
    try:
        a, b = map(int, path.read_text().split())
    except (OSError, ValueError):
        a, b = rng.randrange(1, 255), rng.randrange(0, 127) * 2
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{a} {b}\n")
    return a, b


def _bindable(ip: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ip, port))
        except OSError:
            return False
    return True


def _free_port(ip: str) -> int:
    return _free_ports(ip, 1)[0]


def _free_ports(ip: str, count: int) -> list[int]:
    """Let the system choose; all are held until the last is known, so they differ."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((ip, 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
