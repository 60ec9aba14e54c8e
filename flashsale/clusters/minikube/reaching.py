"""An address of the sale that works from here: the node's own port, or a tunnel held open."""

from __future__ import annotations

import asyncio
import re
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from flashsale.clusters.minikube.binary import Binary
from flashsale.clusters.minikube.state import Profile
from flashsale.errors import ClusterUnreachableError
from flashsale.model import Service

URL = re.compile(r"^https?://\S+$")
FORWARDING = re.compile(r"\b(127\.0\.0\.1:\d+)\b")
NO_NODE_PORTS = 16  # exit code of `service` with qemu's builtin network
NO_PODS = 115
IN_DOCKER_DESKTOP = 0.3  # seconds: on a Mac a container's address answers at once or never


@asynccontextmanager
async def reachable(minikube: Binary, profile: Profile, service: Service) -> AsyncGenerator[str]:
    """Give a URL of the service for as long as it is held.

    Raises:
        ClusterUnreachableError: there is no way to it from here.
    """
    port = service.node_port
    if port and await answers(profile.ip, port, _probe(minikube, profile)):
        yield f"http://{profile.ip}:{port}"
        return
    words = ("service", service.name, "-n", service.namespace, "--url")
    async with minikube.child(*words) as tunnel:
        url = await first_url(minikube, tunnel, URL)
        if url and await _open(minikube, url):
            yield url
            return
        code = await _code(minikube, tunnel) if not url else 0
    if code != NO_NODE_PORTS:
        raise unreachable(service, code)
    async with _forwarded(minikube, service) as url:
        yield url


@asynccontextmanager
async def _forwarded(minikube: Binary, service: Service) -> AsyncGenerator[str]:
    """Forward through the API server, where a driver has no node ports at all."""
    words = ("kubectl", "--", "port-forward", "-n", service.namespace, f"service/{service.name}")
    async with minikube.child(*words, ":80") as child:
        found = await first_url(minikube, child, FORWARDING)
        if not found:
            raise unreachable(service, await _code(minikube, child))
        yield f"http://{found}"


async def first_url(minikube: Binary, child: Process, pattern: re.Pattern[str]) -> str:
    """Read lines until one is an address; an empty string if the command ends without one."""
    assert child.stdout is not None
    try:
        async with asyncio.timeout(minikube.patience.url):
            async for raw in child.stdout:
                if found := pattern.search(raw.decode(errors="replace").strip()):
                    return found[found.lastindex or 0]
    except TimeoutError:
        pass
    return ""


async def answers(host: str, port: int, timeout: float) -> bool:
    """Whether something accepts a connection there within `timeout` seconds."""
    try:
        async with asyncio.timeout(timeout):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def unreachable(service: Service, code: int | None) -> ClusterUnreachableError:
    """Say why there is no address; minikube's own words would be translated."""
    reason = "no pod of it is running" if code == NO_PODS else f"minikube left with code {code}"
    return ClusterUnreachableError(
        f"No address for service {service.name} works from here: {reason}.",
        hint="flashsale status",
    )


async def _open(minikube: Binary, url: str) -> bool:
    parts = urlsplit(url)
    return await answers(parts.hostname or "", parts.port or 80, minikube.patience.probe)


async def _code(minikube: Binary, child: Process) -> int | None:
    try:
        return await asyncio.wait_for(child.wait(), minikube.patience.probe)
    except TimeoutError:
        return None


def _probe(minikube: Binary, profile: Profile) -> float:
    behind_a_vm = sys.platform == "darwin" and profile.driver in ("docker", "podman")
    return IN_DOCKER_DESKTOP if behind_a_vm else minikube.patience.probe
