"""Probes as values: what to ask, how often, and when a row of answers counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from flashsale.objects.models import Object

ProbeKind = Literal["Readiness", "Liveness", "Startup"]
KEYS: Mapping[ProbeKind, str] = {
    "Startup": "startupProbe",
    "Readiness": "readinessProbe",
    "Liveness": "livenessProbe",
}


@dataclass(frozen=True, slots=True)
class HttpGet:
    """A GET request."""

    port: int
    path: str = "/"
    host: str = ""  # empty: the pod's own address
    scheme: str = "http"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TcpSocket:
    """A TCP connection."""

    port: int
    host: str = ""


@dataclass(frozen=True, slots=True)
class Exec:
    """A command in the container."""

    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grpc:
    """The health service of a gRPC server."""

    port: int


ProbeAction = HttpGet | TcpSocket | Exec | Grpc


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe of one container. Times are seconds."""

    kind: ProbeKind
    action: ProbeAction
    initial_delay: int = 0
    timeout: int = 1
    period: int = 10
    successes: int = 1
    failures: int = 3
    grace: int | None = None  # terminationGracePeriodSeconds of its own

    @property
    def initial(self) -> bool | None:
        """What holds before any answer counts: not ready, alive, and unknown for startup."""
        return {"Readiness": False, "Liveness": True, "Startup": None}[self.kind]


@dataclass(frozen=True, slots=True)
class Streak:
    """What a probe has found so far."""

    result: bool | None = None  # what counts
    last: bool | None = None  # the newest answer
    run: int = 0  # how many such answers in a row
    on_hold: bool = False  # failed for good: nothing is asked until there is a new container

    def renewed(self, probe: Probe) -> Streak:
        """Return what holds for a new container."""
        return replace(self, result=probe.initial, on_hold=False)


def count_result(streak: Streak, probe: Probe, success: bool) -> Streak:
    """Count one answer (doProbe in pkg/kubelet/prober/worker.go)."""
    run = streak.run + 1 if streak.last is success else 1
    streak = replace(streak, last=success, run=run)
    if run < (probe.successes if success else probe.failures):
        return streak
    if not success and probe.kind != "Readiness":
        return replace(streak, result=False, on_hold=True, run=0)
    return replace(streak, result=success)


def probes_of(container: Object) -> list[Probe]:
    probes = []
    for kind, key in KEYS.items():
        spec = container.get(key)
        if spec and (action := action_of(spec, container)):
            probes.append(_probe(kind, action, spec))
    return probes


def _probe(kind: ProbeKind, action: ProbeAction, spec: Mapping[str, Any]) -> Probe:
    return Probe(
        kind,
        action,
        initial_delay=spec.get("initialDelaySeconds") or 0,
        timeout=spec.get("timeoutSeconds") or 1,
        period=spec.get("periodSeconds") or 10,
        successes=spec.get("successThreshold") or 1,
        failures=spec.get("failureThreshold") or 3,
        grace=spec.get("terminationGracePeriodSeconds"),
    )


def action_of(spec: Mapping[str, Any], container: Object) -> ProbeAction | None:
    """Read the action of a probe or of a lifecycle hook; named ports are looked up.

    An unknown port name becomes port 0, which nothing ever answers on.
    """
    if get := spec.get("httpGet"):
        headers = [
            (header["name"], header.get("value", "")) for header in get.get("httpHeaders") or []
        ]
        return HttpGet(
            _port(get["port"], container),
            get.get("path") or "/",
            get.get("host") or "",
            (get.get("scheme") or "HTTP").lower(),
            tuple(headers),
        )
    if tcp := spec.get("tcpSocket"):
        return TcpSocket(_port(tcp["port"], container), tcp.get("host") or "")
    if grpc := spec.get("grpc"):
        return Grpc(int(grpc["port"]))
    if command := spec.get("exec"):
        return Exec(tuple(command.get("command") or ()))
    return None


def _port(port: int | str, container: Object) -> int:
    if isinstance(port, int):
        return port
    for declared in container.get("ports") or []:
        if declared.get("name") == port:
            return int(declared["containerPort"])
    return int(port) if port.isdecimal() else 0


def ports_of(container: Object) -> set[int]:
    """Return every port that the container is known to use: declared, probed, or hooked."""
    ports = {int(port["containerPort"]) for port in container.get("ports") or []}
    lifecycle = container.get("lifecycle") or {}
    specs = [container.get(key) for key in KEYS.values()] + list(lifecycle.values())
    for action in (action_of(spec, container) for spec in specs if spec):
        if isinstance(action, HttpGet | TcpSocket) and not action.host:
            ports.add(action.port)
    return {port for port in ports if 0 < port < 65536}
