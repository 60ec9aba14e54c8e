"""Node ports: every new connection goes to one pod, picked at random among the ready ones.

What kube-proxy's rules do in a kernel (pkg/proxy/topology.go, iptables' `--mode random`), done in
this process: no retry, no cutting of established connections, and where no pod serves, nothing
listens, so that a client is refused.

A pod leaves the choice in the same moment in which its deletion is accepted. With one exception: a
pod that is told to stop in that moment, for want of a preStop hook, is chosen a little longer, as
it is on a real node, where the EndpointSlice has to be written and read first. That race loses
purchases, and it is why manifests have a preStop sleep; without it the exercise's own manifest
would seem to need none.
"""

from __future__ import annotations

import asyncio
import logging
import random
import resource
import socket
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field

from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.controllers.endpointslice import endpoint_of, target_port
from flashsale.embedded.controllers.event_recorder import EventRecorder
from flashsale.embedded.kubeproxy.backends import Backends, stops_at_once
from flashsale.embedded.kubeproxy.relay import Address, serve
from flashsale.embedded.storage.store import StoreEvent
from flashsale.embedded.types.resources import PODS, SERVICES
from flashsale.objects.models import Object

HOST = "127.0.0.1"
BACKLOG = 1024
MOST_CONNECTIONS = 20_000  # at once; fewer where fewer descriptors are allowed
SPARE_DESCRIPTORS = 256  # for everything else that the cluster's process has open
STICKY_SECONDS = 10_800  # of sessionAffinity ClientIP, where the Service does not say
REPORT_SECONDS = 10.0  # between two log lines about too many connections
ACCEPTS = 64  # connections taken in one turn, so that a rush cannot starve everything else
RETRY_SECONDS = 5.0  # when a foreign program holds a port
PAUSE_SECONDS = 0.1  # when the machine refuses to accept
LAG = (0.04, 0.14)  # seconds by which an EndpointSlice followed a DELETE, on v1.36.2
NOBODY = Backends()
Resolve = Callable[[Object, int], Address | None]  # pod and container port -> where it listens
log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Port:
    """One node port: who stands behind it now, and the socket while there is anybody."""

    service: Object
    wanted: Object  # the Service's port
    backends: Backends = field(default_factory=Backends)
    local: dict[str, Backends] = field(default_factory=dict)  # the same by their node's address
    listeners: dict[str, socket.socket] = field(default_factory=dict)  # by address
    sticky: dict[str, tuple[Address, float]] = field(default_factory=dict)  # by client, and when

    @property
    def number(self) -> int:
        return int(self.wanted["nodePort"])

    def behind(self, address: str) -> Backends:
        """Return the pods that a node sends to: only its own with externalTrafficPolicy Local."""
        if self.service["spec"].get("externalTrafficPolicy") != "Local":
            return self.backends
        return self.local.get(address, NOBODY)


class NodePortProxy:
    """Listens on the node ports of all Services."""

    def __init__(
        self,
        registry: Registry,
        resolve: Resolve,
        rng: random.Random,
        *,
        lag: tuple[float, float] = LAG,
        addresses: Callable[[], Sequence[str]] = lambda: (HOST,),
    ) -> None:
        """Prepare.

        Args:
            lag: bounds of the seconds for which a pod that leaves is still chosen.
            addresses: of the nodes that live; a port answers on each.
        """
        self._registry = registry
        self._resolve = resolve
        self._rng = rng
        self._lag = lag
        self._addresses = addresses
        self._due: dict[str, asyncio.TimerHandle] = {}  # by the Service's uid: lingering ends
        self._ports: dict[int, _Port] = {}
        self._tasks: set[asyncio.Task[None]] = set()  # one for each open connection
        self._most = MOST_CONNECTIONS
        self._unreported, self._next_report = 0, 0.0
        self._events = EventRecorder(registry, "kube-proxy", "embedded")

    async def run(self) -> None:
        self._loop = asyncio.get_running_loop()
        descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self._most = max(1, min(MOST_CONNECTIONS, (descriptors - SPARE_DESCRIPTORS) // 2))
        with self._registry.store.subscribe(self._changed):
            try:
                self.refresh()
                while True:
                    await asyncio.sleep(RETRY_SECONDS)
                    for port in self._ports.values():
                        self._listen(port)
            finally:
                for timer in self._due.values():
                    timer.cancel()
                for port in self._ports.values():
                    self._close(port)
                for task in self._tasks:
                    task.cancel()

    def refresh(self) -> None:
        """Work out everything anew, as after a node came or went."""
        for service in self._registry.store.all(SERVICES):
            try:
                self._refresh(service)
            except Exception:
                log.exception("node ports of %s", service["metadata"]["name"])

    def _changed(self, event: StoreEvent) -> None:
        if event.resource is SERVICES:
            if event.type == "DELETED":
                self._drop(event.object, keep=())
            else:
                self._refresh(event.object)
        elif event.resource is PODS:
            self._follow(event.object, gone=event.type == "DELETED")

    def _follow(self, pod: Object, *, gone: bool) -> None:
        """Take a pod's change in; one that has to stop at once may be chosen a moment longer."""
        for port in self._ports.values():
            if port.service["metadata"]["namespace"] != pod["metadata"]["namespace"]:
                continue
            served = self._serving(port)
            if self._update(port, pod, gone=gone, lingers=stops_at_once(pod, gone=gone)):
                self._let_linger(port.service["metadata"]["uid"])
            if self._serving(port) != served:
                self._listen(port)

    def _let_linger(self, uid: str) -> None:
        if uid not in self._due:
            lag = self._rng.uniform(*self._lag)
            self._due[uid] = self._loop.call_later(lag, self._catch_up, uid)

    def _catch_up(self, uid: str) -> None:
        """Nobody lingers any more behind the Service with that uid."""
        del self._due[uid]
        for port in self._ports.values():
            if port.service["metadata"]["uid"] == uid:
                for backends in (port.backends, *port.local.values()):
                    backends.forget()
                self._listen(port)

    def _refresh(self, service: Object) -> None:
        """Work out anew which node ports a Service has, and who stands behind them."""
        numbers = {}
        for port in service["spec"].get("ports") or []:
            if port.get("nodePort") and port.get("protocol", "TCP") == "TCP":
                numbers[port["nodePort"]] = port
        self._drop(service, keep=numbers)
        pods = self._registry.store.all(PODS, service["metadata"]["namespace"]) if numbers else []
        for number, wanted in numbers.items():
            port = self._ports.setdefault(number, _Port(service, wanted))
            port.service, port.wanted, port.backends, port.local = service, wanted, Backends(), {}
            for pod in pods:
                self._update(port, pod)
            self._listen(port)

    def _update(
        self, port: _Port, pod: Object, *, gone: bool = False, lingers: bool = False
    ) -> bool:
        """Find out how one pod stands behind one port; says whether it begins to linger."""
        endpoint = None if gone else endpoint_of(port.service, pod)
        target = target_port(port.wanted, pod) if endpoint else None
        address = self._resolve(pod, target) if target else None
        uid, node = pod["metadata"]["uid"], (pod.get("status") or {}).get("hostIP", "")
        here = port.local.setdefault(node, Backends())
        here.update(uid, endpoint, address, lingers=lingers)
        return port.backends.update(uid, endpoint, address, lingers=lingers)

    def _serving(self, port: _Port) -> list[str]:
        """Return the addresses behind which somebody serves; a real node drops what is Local."""
        return [address for address in self._addresses() if port.behind(address)]

    def _listen(self, port: _Port) -> None:
        """Listen where somebody serves, and nowhere else."""
        wanted = self._serving(port)
        for address in [known for known in port.listeners if known not in wanted]:
            self._close_one(port, address)
        for address in wanted:
            if address not in port.listeners:
                self._open_one(port, address)

    def _drop(self, service: Object, keep: Container[int]) -> None:
        """Close the service's ports that it no longer asks for."""
        uid = service["metadata"]["uid"]
        for number, port in tuple(self._ports.items()):
            if port.service["metadata"]["uid"] == uid and number not in keep:
                self._close(port)
                del self._ports[number]

    def _open_one(self, port: _Port, address: str) -> None:
        try:
            listener = port.listeners[address] = listen(port.number, address)
        except OSError as error:
            message = (
                f"Node port {port.number} cannot be opened on {address}: {error.strerror}. "
                "Another program on this machine may be using it."
            )
            # Called while a write is being announced, and an event is a write: so a moment later.
            self._loop.call_soon(
                self._events.record, SERVICES, port.service, "Warning", "NodePortInUse", message
            )
            return
        self._loop.add_reader(listener, self._accept, port, listener)

    def _close(self, port: _Port) -> None:
        for address in tuple(port.listeners):
            self._close_one(port, address)

    def _close_one(self, port: _Port, address: str) -> None:
        listener = port.listeners.pop(address)
        self._loop.remove_reader(listener)
        listener.close()

    def _accept(self, port: _Port, listener: socket.socket) -> None:
        """Take the connections that wait, each with a pod of its own."""
        backends = port.behind(listener.getsockname()[0])
        for _ in range(ACCEPTS):
            if listener.fileno() < 0 or not backends:
                return
            try:
                client, (host, _) = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._report(f"port {port.number} pauses: {error}")
                self._pause(port)
                return
            backend = self._choose(port, backends, host)
            task = self._loop.create_task(serve(client, backend))
            self._tasks.add(task)
            task.add_done_callback(self._ended)
            if len(self._tasks) >= self._most:
                self._report(f"{len(self._tasks)} connections are open")
                self._pause(port)
                return

    def _choose(self, port: _Port, backends: Backends, client: str) -> Address:
        """Pick a pod: at random, or the one of last time where the Service asks for that."""
        choices, spec = backends.choices(), port.service["spec"]
        if spec.get("sessionAffinity") != "ClientIP":
            return self._rng.choice(choices)
        options = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
        last, since = port.sticky.get(client, (None, 0.0))
        lasts = self._loop.time() - since < float(options.get("timeoutSeconds") or STICKY_SECONDS)
        chosen = last if last in choices and lasts and last else self._rng.choice(choices)
        port.sticky[client] = chosen, self._loop.time()
        return chosen

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A connection is over; what went wrong with it concerns its client alone."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._report(f"a connection failed: {error}")

    def _report(self, what: str) -> None:
        """Log at most one line in a while: there may be thousands of reasons a second."""
        now = self._loop.time()
        self._unreported += 1
        if now >= self._next_report:
            log.warning("node ports: %s (%d times so far)", what, self._unreported)
            self._next_report = now + REPORT_SECONDS

    def _pause(self, port: _Port) -> None:
        """Stop accepting for a moment, for want of descriptors most likely; clients wait."""
        for listener in port.listeners.values():
            self._loop.remove_reader(listener)
        self._loop.call_later(PAUSE_SECONDS, self._resume, port)

    def _resume(self, port: _Port) -> None:
        for listener in port.listeners.values():
            self._loop.add_reader(listener, self._accept, port, listener)


def listen(number: int, address: str = HOST) -> socket.socket:
    """Open a listening socket on a loopback address.

    Raises:
        OSError: the port is in use.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, number))
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def port_is_free(number: int) -> bool:
    """Whether a port can be opened on loopback now."""
    try:
        listen(number).close()
    except OSError:
        return False
    return True
