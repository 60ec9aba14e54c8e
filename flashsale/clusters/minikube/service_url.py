"""An address of the sale that works from here: the node's own port, or a tunnel held open."""

from __future__ import annotations

import asyncio
import re
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from flashsale.base.errors import ClusterUnreachableError, Hint
from flashsale.clusters.base import TunnelUrl
from flashsale.clusters.minikube.cli import MinikubeCli
from flashsale.clusters.minikube.profile.profile import Profile
from flashsale.clusters.subprocesses.port_forward import (
    FORWARDING,
    first_match,
    port_forward,
    while_it_lives,
)
from flashsale.clusters.tcp_probe import ProbeResult, tcp_probe
from flashsale.objects.models import Service

URL = re.compile(r"^https?://\S+$")
NO_NODE_PORTS = 16  # exit code of `service` with qemu's builtin network
NO_PODS = 115
IN_DOCKER_DESKTOP = 0.3  # seconds: on a Mac a container's address answers at once or never


@dataclass(frozen=True, slots=True)
class ServiceRoute:
    """What a way to a service of a profile starts from."""

    minikube: MinikubeCli
    profile: Profile
    service: Service

    async def direct(self) -> str:
        """Give the node port's URL if it can be reached from here, else an empty string.

        A port without ready pods refuses; then the node's API server tells whether we get there.
        """
        host, port, probe = self.profile.ip, self.service.node_port, self._probe
        if not port:
            return ""
        met = await tcp_probe(host, port, probe)
        if met is ProbeResult.REFUSED:
            met = await tcp_probe(host, self.profile.port, probe)
        return f"http://{host}:{port}" if met is ProbeResult.OPEN else ""

    @property
    def _probe(self) -> float:
        behind_a_vm = sys.platform == "darwin" and self.profile.driver in ("docker", "podman")
        return IN_DOCKER_DESKTOP if behind_a_vm else self.minikube.patience.probe


@asynccontextmanager
async def open_route(
    route: ServiceRoute, home: Path, note: Callable[[str], None], *, one_pod: bool
) -> AsyncGenerator[str]:
    """Give a URL of the service for as long as it is held.

    Args:
        home: the state folder, where tunnels are noted.
        note: is told which way it is.
        one_pod: forwarding to one pod will do where the driver allows nothing else.

    Raises:
        ClusterUnreachableError: there is no way to it from here, or the tunnel has closed.
    """
    if url := await route.direct():
        note(reached_at(url))
        yield url
        return
    minikube, service = route.minikube, route.service
    words = ("service", service.name, "-n", service.namespace, "--url")
    async with minikube.tunnel(home, *words) as tunnel:
        url = await first_match(tunnel, URL, minikube.patience.url)
        if url and await _open(minikube, url):
            async with while_it_lives(tunnel):
                note(f"Tunnel open at {url}; keep this terminal open (Ctrl-C closes it).")
                yield TunnelUrl(url)
            return
        code = await _code(minikube, tunnel)
    if code != NO_NODE_PORTS:
        raise no_address_error(service, code)
    if not one_pod:
        raise no_node_ports_error(route.profile)
    note("This driver has no NodePort access; using port-forward, which leads to one pod.")
    async with _forwarded(minikube, service, home) as url:
        yield TunnelUrl(url)


@asynccontextmanager
async def _forwarded(minikube: MinikubeCli, service: Service, home: Path) -> AsyncGenerator[str]:
    """Forward through the API server, where a driver has no node ports at all.

    `minikube kubectl` names its cluster and no user: kubectl would send the current context's
    credentials there, whoever's they are.
    """
    words = ("kubectl", "--", f"--context={minikube.profile}", *port_forward(service))
    async with minikube.tunnel(home, *words) as child:
        match = await first_match(child, FORWARDING, minikube.patience.url)
        if not match:
            raise no_address_error(service, await _code(minikube, child))
        async with while_it_lives(child):
            yield f"http://{match}"


def reached_at(url: str) -> str:
    return f"Reached at the node port, {url}."


def no_address_error(service: Service, code: int | None) -> ClusterUnreachableError:
    """Say why there is no address, by minikube's exit code; None if it still runs."""
    reason = f"minikube left with code {code}"
    if code is None:
        reason = "minikube opened no tunnel that answers"
    elif code == NO_PODS:
        reason = "no pod of it is running"
    return ClusterUnreachableError(
        f"No address for service {service.name} works from here: {reason}.", hint="flashsale status"
    )


def no_node_ports_error(profile: Profile) -> ClusterUnreachableError:
    """Say why there is no load: kubectl's port-forward picks one pod, and dies with it."""
    return ClusterUnreachableError(
        f"The driver {profile.driver} of '{profile.name}' gives no access to node ports,"
        " and a port-forward leads to one pod only.",
        hint=Hint(
            "flashsale up --profile NAME --driver docker",
            "makes a profile whose node ports can be reached; `flashsale url` is enough for a look",
        ),
    )


def tunnel_needed_error(profile: Profile) -> ClusterUnreachableError:
    """Say that there is no address that works by itself, and what gives one for a while."""
    return ClusterUnreachableError(
        f"The node of minikube '{profile.name}' cannot be reached from here, only through a"
        " tunnel.",
        hint=Hint("flashsale url", "holds a tunnel open until Ctrl-C; so does `flashsale open`"),
    )


async def _open(minikube: MinikubeCli, url: str) -> bool:
    parts = urlsplit(url)
    met = await tcp_probe(parts.hostname or "", parts.port or 80, minikube.patience.probe)
    return met is ProbeResult.OPEN


async def _code(minikube: MinikubeCli, child: Process) -> int | None:
    try:
        return await asyncio.wait_for(child.wait(), minikube.patience.probe)
    except TimeoutError:
        return None
