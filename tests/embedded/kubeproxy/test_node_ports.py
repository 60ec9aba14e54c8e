"""The node-port proxy with real sockets: who is chosen, who is refused, what is never cut."""

from __future__ import annotations

import asyncio
import random
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.kubeproxy.node_ports import NodePortProxy, port_is_free
from flashsale.embedded.storage.store import Store
from flashsale.embedded.types.resources import EVENTS, NAMESPACES, PODS, SERVICES
from flashsale.objects.models import Object, rfc3339


class Backend:
    """A TCP server that says its name, echoes what it gets, and closes when told to."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = 0
        self.writers: list[asyncio.StreamWriter] = []

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until its peer has no more to say."""
        self.writers.append(writer)
        writer.write(f"{self.name}\n".encode())
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()


class World:
    """A registry, a proxy on it and some backends that pose as pods."""

    def __init__(self, path: Path) -> None:
        self.registry = Registry(Store(path / "state.db"), port_is_free=port_is_free)
        self.registry.create(NAMESPACES, "", {"metadata": {"name": "default"}})
        self.backends: dict[str, Backend] = {}
        self.port = 0
        self.addresses = ["127.0.0.1"]  # of the nodes

    def resolve(self, pod: Object, port: int) -> tuple[str, int] | None:
        """Where a pod listens."""
        return "127.0.0.1", self.backends[pod["metadata"]["name"]].port

    def service(self) -> None:
        """Create the Service; its node port is chosen for us."""
        body = {
            "metadata": {"name": "svc"},
            "spec": {
                "type": "NodePort",
                "selector": {"app": "shop"},
                "ports": [{"port": 80, "targetPort": 5000}],
            },
        }
        created = self.registry.create(SERVICES, "default", body)
        self.port = created["spec"]["ports"][0]["nodePort"]

    def pod(
        self,
        name: str,
        *,
        ready: bool = True,
        terminating: bool = False,
        hook: bool = True,
        grace: int = 30,
        node: str = "127.0.0.1",
    ) -> None:
        """Create or change a pod, which has a preStop hook or none."""
        meta: Object = {
            "namespace": "default",
            "name": name,
            "uid": name,
            "labels": {"app": "shop"},
        }
        if terminating:
            meta |= {"deletionTimestamp": rfc3339(0), "deletionGracePeriodSeconds": grace}
        container: Object = {"lifecycle": {"preStop": {"sleep": {"seconds": 5}}}} if hook else {}
        status = {
            "phase": "Running",
            "podIP": "127.9.9.9",
            "hostIP": node,
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
        }
        self.registry.store.put(
            PODS,
            {"metadata": meta, "spec": {"containers": [container]}, "status": status},
        )

    async def hello(self, address: str = "127.0.0.1") -> str:
        """Connect to a node and return the name of the pod behind the connection."""
        reader, writer = await asyncio.open_connection(address, self.port)
        name = (await reader.readline()).decode().strip()
        writer.close()
        return name

    async def settled(self, names: set[str]) -> None:
        """Wait until connections reach these pods and no others; none at all means refused."""
        async with asyncio.timeout(10):
            while await self.reached() != names:
                pass  # it waits for its connections

    async def reached(self) -> set[str]:
        """Connect often, and say to whom that led."""
        try:
            return {await self.hello() for _ in range(30)}
        except ConnectionRefusedError:
            return set()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Three pods behind one Service."""
    async with running(tmp_path, ("a", "b", "c")) as world:
        await world.settled({"a", "b", "c"})
        yield world


@asynccontextmanager
async def running(path: Path, names: tuple[str, ...], lag: float = 0.0) -> AsyncIterator[World]:
    """Run a world with these pods ready; who leaves is chosen for ``lag`` seconds longer."""
    world = World(path)
    servers = []
    for name in names:
        backend = world.backends[name] = Backend(name)
        server = await asyncio.start_server(backend.talk, "127.0.0.1", 0)
        backend.port = server.sockets[0].getsockname()[1]
        servers.append(server)
    proxy = asyncio.create_task(
        NodePortProxy(
            world.registry,
            lambda *it: world.resolve(*it),
            random.Random(1),
            lag=(lag, lag),
            addresses=lambda: world.addresses,
        ).run()
    )
    await asyncio.sleep(0)
    world.service()
    for name in names:
        world.pod(name)
    try:
        yield world
    finally:
        proxy.cancel()
        await asyncio.wait([proxy])
        for server in servers:
            server.close()
        for backend in world.backends.values():
            for writer in backend.writers:
                writer.close()
        world.registry.store.close()


async def test_new_connections_spread_at_random(world: World) -> None:
    """Ninety connections: every pod has its share, in no fixed order."""
    names = [await world.hello() for _ in range(90)]
    assert set(names) == {"a", "b", "c"}
    assert min(Counter(names).values()) >= 15
    assert names != sorted(names)


async def test_session_affinity_keeps_a_client_with_its_pod(world: World) -> None:
    """Until that pod leaves; then another is chosen, and kept."""
    service = world.registry.store.all(SERVICES, "default")[0]
    spec = service["spec"] | {"sessionAffinity": "ClientIP"}
    world.registry.store.put(SERVICES, service | {"spec": spec})
    (first,) = await world.reached()
    world.pod(first, terminating=True)
    (second,) = await world.reached()
    assert second != first


@pytest.mark.skipif(sys.platform != "linux", reason="macOS has one loopback address")
async def test_a_local_policy_keeps_connections_on_their_node(world: World) -> None:
    """Each node sends to its own pods; one that has none does not answer."""
    world.addresses = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
    world.pod("b", node="127.0.0.2")
    service = world.registry.store.all(SERVICES, "default")[0]
    spec = service["spec"] | {"externalTrafficPolicy": "Local"}
    world.registry.store.put(SERVICES, service | {"spec": spec})
    assert await world.reached() == {"a", "c"}
    assert {await world.hello("127.0.0.2") for _ in range(10)} == {"b"}
    with pytest.raises(ConnectionRefusedError):
        await world.hello("127.0.0.3")
    world.pod("b", node="127.0.0.2", terminating=True)
    assert await world.hello("127.0.0.2") == "b"  # it serves while it terminates
    world.registry.store.remove(PODS, "default", "b")
    with pytest.raises(ConnectionRefusedError):
        await world.hello("127.0.0.2")


async def test_a_terminating_pod_gets_no_new_connection(tmp_path: Path) -> None:
    """From the very next one on, while its preStop hook keeps it serving what it has."""
    async with running(tmp_path, ("a", "b", "c"), lag=30.0) as world:
        await world.settled({"a", "b", "c"})
        world.pod("a", terminating=True)
        assert "a" not in {await world.hello() for _ in range(40)}


async def test_a_pod_that_has_to_stop_at_once_is_chosen_a_moment_longer(tmp_path: Path) -> None:
    """As on a real node, whose rules follow its pods: that race costs purchases."""
    async with running(tmp_path, ("a", "b", "c"), lag=0.5) as world:
        world.pod("a", terminating=True, hook=False)
        assert "a" in await world.reached()
        await world.settled({"b", "c"})


async def test_the_others_of_one_that_lingers_still_leave_at_once(tmp_path: Path) -> None:
    """The moment longer is for the pod that has to stop at once, and for no other."""
    async with running(tmp_path, ("a", "b", "c"), lag=30.0) as world:
        await world.settled({"a", "b", "c"})
        world.pod("a", terminating=True, hook=False)
        world.pod("b", terminating=True)
        assert await world.reached() == {"a", "c"}


async def test_a_change_of_one_pod_looks_at_no_other(world: World) -> None:
    """A thousand pods that come or go at once must not be a million steps."""
    asked: list[str] = []
    resolve = world.resolve

    def counting(pod: Object, port: int) -> tuple[str, int] | None:
        asked.append(pod["metadata"]["name"])
        return resolve(pod, port)

    world.resolve = counting  # type: ignore[method-assign]
    world.pod("a", ready=False)
    world.pod("a")
    world.pod("b", terminating=True)
    assert set(asked) == {"a", "b"}
    assert len(asked) <= 3
    assert await world.reached() == {"a", "c"}


async def test_a_pod_that_comes_is_chosen_at_once(tmp_path: Path) -> None:
    """What is ready is open."""
    async with running(tmp_path, ("a", "b", "c"), lag=30.0) as world:
        assert await world.reached() == {"a", "b", "c"}


async def test_established_connections_survive_the_pod_leaving_the_service(world: World) -> None:
    """What was begun goes on until the pod itself ends it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    name = (await reader.readline()).decode().strip()
    world.pod(name, ready=False, terminating=True)
    writer.write(b"still there?\n")
    assert await reader.readline() == b"still there?\n"
    writer.close()


async def test_terminating_pods_serve_where_nobody_else_does(world: World) -> None:
    """ProxyTerminatingEndpoints: better a leaving pod than none."""
    world.pod("a", ready=False)
    await world.settled({"b", "c"})
    world.pod("b", terminating=True)
    world.pod("c", terminating=True)
    assert await world.hello() in {"b", "c"}
    world.pod("c", ready=False, terminating=True)
    await world.settled({"b"})


async def test_without_any_serving_pod_clients_are_refused(world: World) -> None:
    """A real refusal, not an accepted connection that dies."""
    for name in world.backends:
        world.pod(name, ready=False)
    await world.settled(set())
    with pytest.raises(ConnectionRefusedError):
        await world.hello()
    world.pod("b")
    assert await world.hello() == "b"


async def test_a_pod_that_refuses_resets_the_client(world: World) -> None:
    """There is no second try with another pod, as there is none in a kernel's rules."""
    gone = socket.socket()
    gone.bind(("127.0.0.1", 0))
    for name in world.backends:
        world.pod(name, ready=False)
    await world.settled(set())
    world.backends["a"].port = gone.getsockname()[1]
    world.pod("a")
    with pytest.raises(ConnectionResetError):
        await world.hello()
    gone.close()


async def test_large_answers_pass_unharmed(world: World) -> None:
    """Megabytes both ways, with back-pressure."""
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    await reader.readline()
    data = random.Random(2).randbytes(4_000_000)

    async def send() -> None:
        for start in range(0, len(data), 65536):
            writer.write(data[start : start + 65536])
            await writer.drain()
        writer.write_eof()

    sending = asyncio.create_task(send())
    assert await reader.readexactly(len(data)) == data
    await sending
    assert await reader.read() == b""
    writer.close()


async def test_a_port_that_a_foreign_program_holds_is_told_in_an_event(world: World) -> None:
    """The event names the port."""
    with socket.socket() as foreign:
        foreign.bind(("127.0.0.1", 0))
        foreign.listen()
        number = foreign.getsockname()[1]
        service = world.registry.get(SERVICES, "default", "svc")
        spec = service["spec"]
        port = spec["ports"][0] | {"nodePort": number}
        world.registry.store.put(SERVICES, service | {"spec": spec | {"ports": [port]}})
        async with asyncio.timeout(5):
            while not world.registry.store.all(EVENTS):
                await world.registry.store.wait()
    event = world.registry.store.all(EVENTS)[0]
    assert event["reason"] == "NodePortInUse"
    assert str(number) in event["message"]


async def test_a_deleted_service_frees_its_port(world: World) -> None:
    """Anybody may have it afterwards."""
    assert await world.hello() in world.backends
    world.registry.store.remove(SERVICES, "default", "svc")
    assert port_is_free(world.port)


async def test_an_address_that_is_none_costs_only_its_own_connections(world: World) -> None:
    """Somebody wrote nonsense into a pod's status; other pods go on serving."""
    good = world.resolve
    world.resolve = lambda pod, port: (  # type: ignore[method-assign]
        ("a..b", port) if pod["metadata"]["name"] == "a" else good(pod, port)
    )
    world.pod("a", ready=False)
    world.pod("a")
    outcomes = set()
    for _ in range(30):
        try:
            outcomes.add(await world.hello())
        except ConnectionResetError:
            outcomes.add("reset")
    assert outcomes == {"reset", "b", "c"}
