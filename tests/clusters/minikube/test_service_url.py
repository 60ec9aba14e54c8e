"""An address of the sale that works from here."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import ssl as ssl_module
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from flashsale.base.errors import BadInputError, ClusterUnreachableError
from flashsale.clusters.base import TunnelUrl
from flashsale.clusters.minikube import cluster
from flashsale.objects.models import Service
from tests.clusters.minikube.double_world import STOPPED, World, gone
from tests.docker.engine_proxies import Authority

SERVICE = Service("flashsale-svc", "NodePort", "10.96.0.1", None, "80:1/TCP", 0, namespace="sale")


async def test_node_port_is_used_where_it_answers(world: World, listening: int) -> None:
    """No child, nothing to hold open; and it says which way it took."""
    world.has()
    service = replace(SERVICE, node_port=listening)
    assert await world.minikube.address(service) == f"http://127.0.0.1:{listening}"
    async with world.minikube.reach(service, world.progress) as url:
        assert url == f"http://127.0.0.1:{listening}"
        assert not isinstance(url, TunnelUrl)
    assert world.progress.notes == [f"Reached at the node port, {url}."]
    assert world.acts() == []


@pytest.mark.skipif(sys.platform != "linux", reason="one loopback address only")
async def test_kubeconfig_knows_where_the_node_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then minikube need not be asked, which takes time."""
    monkeypatch.setattr(cluster, "is_loopback", lambda host: host == "127.0.0.1")
    server = {"name": "shop", "cluster": {"server": "https://127.0.0.2:8443"}}
    context = {"name": "shop", "context": {"cluster": "shop", "user": "shop"}}
    written = json.dumps({"clusters": [server], "contexts": [context]})
    (world.home / "kubeconfig").write_text(written)
    with socket.create_server(("127.0.0.2", 0)) as node:
        port = node.getsockname()[1]
        url = await world.minikube.address(replace(SERVICE, node_port=port))
    assert (url, world.calls()) == (f"http://127.0.0.2:{port}", [])


async def test_port_without_ready_pods_is_still_the_way(
    world: World, listening: int, refusing: int
) -> None:
    """It refuses until a pod is ready; the node's API server shows that we get there."""
    world.has(port=listening)
    assert await world.minikube.address(replace(SERVICE, node_port=refusing)) != ""
    world.has(port=refusing)
    with pytest.raises(ClusterUnreachableError, match="only through a tunnel") as caught:
        await world.minikube.address(replace(SERVICE, node_port=refusing))
    assert "flashsale url" in caught.value.hint
    assert world.acts() == []  # looking opens none


async def test_service_without_a_node_port_is_a_matter_of_the_manifest(world: World) -> None:
    """minikube would print nothing, and leave with 0."""
    world.has()
    inner = replace(SERVICE, type="ClusterIP")
    with pytest.raises(BadInputError, match="ClusterIP without a node port"):
        await world.minikube.address(inner)
    with pytest.raises(BadInputError, match="ClusterIP without a node port"):
        async with world.minikube.reach(inner):
            pass


async def test_tunnel_is_held_open_where_the_node_cannot_be_reached(
    world: World, listening: int, refusing: int
) -> None:
    """Docker Desktop, WSL: as long as it is needed, then ended with all that it started."""
    world.has()
    world.set(tunnel=True, url=f"http://127.0.0.1:{listening}")
    async with world.minikube.reach(replace(SERVICE, node_port=refusing), world.progress) as url:
        assert url == f"http://127.0.0.1:{listening}"
        assert isinstance(url, TunnelUrl)
        child = await ssh(world)
        assert not gone(child)
    assert world.progress.notes == [
        f"Tunnel open at {url}; keep this terminal open (Ctrl-C closes it)."
    ]
    assert world.words("service") == ["flashsale-svc", "-n", "sale", "--url"]
    await ended(child)
    assert list((world.home / "home" / "tunnels").iterdir()) == []


async def test_tunnel_ends_with_a_cancelled_command(
    world: World, listening: int, refusing: int
) -> None:
    """Ctrl-C leaves no ssh behind."""
    world.has()
    world.set(tunnel=True, url=f"http://127.0.0.1:{listening}")
    opened = asyncio.Event()

    async def hold() -> None:
        async with world.minikube.reach(replace(SERVICE, node_port=refusing)):
            opened.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hold())
    await asyncio.wait_for(opened.wait(), 10)
    child = await ssh(world)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await ended(child)


async def test_tunnel_that_closes_by_itself_is_no_silent_end(
    world: World, listening: int, refusing: int
) -> None:
    """Whoever holds it is told, instead of losing purchase after purchase."""
    world.has()
    world.set(tunnel=True, url=f"http://127.0.0.1:{listening}")

    async def hold() -> None:
        async with world.minikube.reach(replace(SERVICE, node_port=refusing)):
            os.killpg(os.getpgid(await ssh(world)), signal.SIGKILL)
            await asyncio.Event().wait()

    with pytest.raises(ClusterUnreachableError, match="The tunnel to the sale has closed"):
        await asyncio.wait_for(hold(), 20)


async def test_url_of_a_service_without_pods_is_not_believed(world: World, refusing: int) -> None:
    """minikube prints it before it looks at the pods, and then leaves with 115."""
    world.has()
    world.set(url=f"http://127.0.0.1:{refusing}")
    with pytest.raises(ClusterUnreachableError, match="no pod of it is running") as caught:
        async with world.minikube.reach(replace(SERVICE, node_port=refusing)):
            pass
    assert caught.value.hint == "flashsale status"


@pytest.mark.parametrize("silent", [True, False])
async def test_tunnel_that_does_not_open_in_time_is_given_up(
    world: World, refusing: int, silent: bool
) -> None:
    """No URL within the limit, or one that nobody answers; what was started is ended."""
    world.has()
    world.set(tunnel=True, url="" if silent else f"http://127.0.0.1:{refusing}")
    impatient = replace(
        world.minikube, patience=replace(world.minikube.patience, url=0.5, probe=0.2)
    )
    with pytest.raises(ClusterUnreachableError, match="opened no tunnel that answers"):
        async with impatient.reach(replace(SERVICE, node_port=refusing)):
            pass
    await ended(await ssh(world))


@pytest.mark.parametrize(
    ("state", "words"), [({}, "no pod of it is running"), (STOPPED, "code 83")]
)
async def test_reason_for_no_address_comes_from_the_code(
    world: World, refusing: int, state: dict[str, str], words: str
) -> None:
    """Not from texts, which are translated."""
    world.has(**state)
    with pytest.raises(ClusterUnreachableError, match=words):
        async with world.minikube.reach(replace(SERVICE, node_port=refusing)):
            pass


async def test_driver_without_node_ports_forwards_through_the_api(
    world: World, listening: int, refusing: int
) -> None:
    """qemu's builtin network: good enough for a look."""
    world.has(driver="qemu2")
    world.set(url=f"http://127.0.0.1:{listening}")
    async with world.minikube.reach(
        replace(SERVICE, node_port=refusing), world.progress, one_pod=True
    ) as url:
        assert url == f"http://127.0.0.1:{listening}"
        child = await ssh(world)
    assert "This driver has no NodePort access; using port-forward" in world.progress.notes[0]
    assert world.acts() == ["service", "kubectl"]
    await ended(child)


async def test_port_forward_sends_nobodys_credentials(world: World, refusing: int) -> None:
    """With the real kubectl: `minikube kubectl` names a cluster, and no user.

    Else those of the current context would be sent to minikube's API server.
    """
    asked: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request.headers.get("Authorization", ""))
        return web.json_response({"kind": "Status", "code": 403, "message": "no"}, status=403)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    authority = Authority.make(world.home / "certs")
    tls = authority.server_context()
    tls.verify_mode = ssl_module.CERT_NONE  # kubectl sends tokens over TLS alone
    server = TestServer(app)
    await server.start_server(ssl=tls)
    async with server:
        ca = str(authority.folder / "ca.pem")
        entry = {"server": f"https://127.0.0.1:{server.port}", "certificate-authority": ca}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "shop", "cluster": entry}],
            "users": [{"name": name, "user": {"token": f"of-{name}"}} for name in ("shop", "work")],
            "contexts": [
                {"name": name, "context": {"cluster": "shop", "user": name}}
                for name in ("shop", "work")
            ],
            "current-context": "work",
        }
        (world.home / "kubeconfig").write_text(json.dumps(config))
        world.has(driver="qemu2")
        world.set(kubectl=str(Path(sys.executable).parent))
        with pytest.raises(ClusterUnreachableError):
            async with world.minikube.reach(
                replace(SERVICE, node_port=refusing), world.progress, one_pod=True
            ):
                pass
    assert set(asked) == {"Bearer of-shop"}
    assert "--context=shop" in world.words("kubectl")


async def test_load_never_goes_through_a_port_forward(world: World, refusing: int) -> None:
    """It leads to one pod, and dies with it."""
    world.has(driver="qemu2")
    with pytest.raises(ClusterUnreachableError, match="leads to one pod only"):
        async with world.minikube.reach(replace(SERVICE, node_port=refusing)):
            pass
    assert world.acts() == ["service"]


async def ssh(world: World) -> int:
    """The process that the double started as minikube starts ssh."""
    file = world.home / "ssh.pid"
    await until(lambda: file.exists() and file.read_text() != "")
    return int(file.read_text())


async def ended(pid: int) -> None:
    await until(lambda: gone(pid))


async def until(met: object, limit: float = 10) -> None:
    assert callable(met)
    deadline = time.monotonic() + limit
    while not met():
        assert time.monotonic() < deadline
        await asyncio.sleep(0)
