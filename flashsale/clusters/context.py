"""Any context of the kubeconfig: a cluster that somebody else runs. Nothing is started here."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from flashsale.base.addresses import url_host
from flashsale.base.errors import ClusterUnreachableError, Hint, RefusedError
from flashsale.base.image_names import RemovedImages
from flashsale.base.text import begin_sentence, counted, quoted
from flashsale.clusters import image_loading
from flashsale.clusters.base import (
    App,
    BuildOptions,
    ClusterDefaults,
    ClusterKind,
    Image,
    Progress,
    TunnelUrl,
)
from flashsale.clusters.state.directory import state_home
from flashsale.clusters.subprocesses import tunnels
from flashsale.clusters.subprocesses.port_forward import (
    FORWARDING,
    first_match,
    port_forward,
    while_it_lives,
)
from flashsale.clusters.subprocesses.run import nothing
from flashsale.clusters.tcp_probe import ProbeResult, tcp_probe
from flashsale.kube import Api, connect, paths
from flashsale.kube import kubeconfig as contexts
from flashsale.kube.kubeconfig import kubectl
from flashsale.objects.models import Object, Pod, Service

PATIENCE = 2.0  # seconds for each address that may lead to the Service
FORWARDED, ENDING = 30.0, 5.0  # seconds for kubectl to forward, and to end
FROM_INSIDE = (
    "Killing from inside the container, where process 1 is safe from SIGKILL: its children are"
    " killed, and it is told to quit."
)


class ContextCluster(ClusterDefaults):
    """A cluster that a kubeconfig describes: kind, k3d, a cloud."""

    kind: ClusterKind = "context"
    start_hint = "flashsale doctor"
    stops_with_sale = False
    can_be_started = False
    runs_jobs = True

    def __init__(self, context: str, kubeconfig: Path | None = None) -> None:
        self.context = context
        self.kubeconfig = kubeconfig

    def describe(self) -> str:
        return f"the context '{self.context}'"

    def cli_options(self) -> str:
        return f"--context {quoted(self.context)}"

    async def start(self, progress: Progress) -> None:
        """Make sure that it answers; nothing can be started here."""
        progress.step(f"Asking the cluster '{self.context}'")
        await self._version()

    async def running(self) -> bool:
        """Whether its API server answers."""
        try:
            await self._version()
        except ClusterUnreachableError:
            return False
        return True

    async def provide(
        self, app: App | None, name: str, options: BuildOptions, progress: Progress
    ) -> Image:
        return await image_loading.build_and_load(self.context, app, name, options, progress)

    async def address(self, service: Service) -> str:
        """Try the load balancer, the nodes and this machine; the first that answers is the way."""
        tried = candidate_addresses(service, await self._nodes(), self._server())
        answers = await asyncio.gather(*(tcp_probe(*place, PATIENCE) for place in tried))
        for (host, port), met in zip(tried, answers, strict=True):
            if met is ProbeResult.OPEN:
                return f"http://{host}" if port == 80 else f"http://{host}:{port}"
        raise unreached_error(service, tried, self.context)

    @asynccontextmanager
    async def reach(
        self, service: Service, progress: Progress | None = None, *, one_pod: bool = False
    ) -> AsyncGenerator[str]:
        """Give the address, or forward to one pod where that will do and kubectl is there."""
        note = progress.note if progress else nothing
        try:
            address = await self.address(service)
        except ClusterUnreachableError as error:
            if not one_pod or shutil.which("kubectl") is None:
                raise
            note(f"{error} Using port-forward, which leads to one pod.")
            async with self._forwarded(service) as url:
                note(f"Forwarding from {url}; keep this terminal open (Ctrl-C closes it).")
                yield TunnelUrl(url)
            return
        note(f"Reached at {address}.")
        yield address

    async def crash(self, api: Api, namespace: str, pod: Pod) -> None:
        """Kill the container's processes from inside.

        Process 1 of a container is safe from SIGKILL there, so it gets SIGQUIT, at which gunicorn
        ends without a goodbye; everything it started gets SIGKILL.
        """
        await api.run_in(namespace, pod.name, ["sh", "-c", "kill -9 -1; kill -QUIT 1"])

    async def crashing(self) -> str:
        return FROM_INSIDE

    async def check_node_kill(self) -> None:
        """Refuse: the machines of this cluster are not flashsale's."""
        nodes = [node["metadata"]["name"] for node in await self._nodes()]
        raise RefusedError(
            f"The nodes of {self.describe()} are not flashsale's to kill or to start.",
            hint=Hint(
                kubectl(self.context, f"cordon {nodes[-1] if nodes else 'NODE'}"),
                "keeps new pods away from it; drain in the place of cordon moves those there, too",
            ),
        )

    async def kill_node(self, api: Api, node: str, progress: Progress) -> None:
        await self.check_node_kill()

    start_node = kill_node

    async def check_nodes(self, count: int, *, fast: bool | None) -> None:
        if not count and fast is None:
            return
        have = len(await self._nodes())
        if fast is not None or count not in (0, have):
            raise RefusedError(
                f"{begin_sentence(self.describe())} has {counted(have, 'node')} and"
                " times of its own; flashsale does not change them.",
                hint=f"flashsale up --cluster embedded --nodes {count or 3}",
            )

    async def remove_images(self, image: str, progress: Progress) -> RemovedImages:
        """Say how the image goes that was loaded into its nodes: they are not flashsale's."""
        loader = image_loading.loader_of(self.context)
        if image and loader and (command := loader.removal(image)):
            progress.note(
                f"The image stays in the nodes of the {loader.tool} cluster '{loader.cluster}';"
                f" to remove it: {command}"
            )
        return RemovedImages()

    async def stop(self, progress: Progress) -> bool:
        progress.note(f"The cluster '{self.context}' goes on: it is not flashsale's to stop.")
        return False

    @asynccontextmanager
    async def _forwarded(self, service: Service) -> AsyncGenerator[str]:
        """Forward through the API server, by kubectl."""
        where = [f"--kubeconfig={self.kubeconfig}"] if self.kubeconfig else []
        command = ("kubectl", *where, f"--context={self.context}", *port_forward(service))
        async with tunnels.tunnel(state_home(), *command, patience=ENDING) as child:
            match = await first_match(child, FORWARDING, FORWARDED)
            if not match:
                raise ClusterUnreachableError(
                    f"kubectl forwards no port to the Service {service.name}.",
                    hint=" ".join(command),
                )
            async with while_it_lives(child):
                yield f"http://{match}"

    async def _version(self) -> None:
        async with connect(self.kubeconfig, self.context) as api:
            await api.version()

    async def _nodes(self) -> list[Object]:
        async with connect(self.kubeconfig, self.context) as api:
            return await api.list(paths.nodes())

    def _server(self) -> str:
        context = contexts.read(self.kubeconfig).get(self.context)
        return context.server if context else ""


def candidate_addresses(
    service: Service, nodes: list[Object], server: str
) -> list[tuple[str, int]]:
    """List the addresses that may lead to a Service, best first.

    The API server's host is one of them: it is a node, or this machine where kind, k3d and Docker
    Desktop publish node ports, if they do.
    """
    candidates: list[tuple[str, int]] = []
    if service.external:
        port = service.ports.partition(":")[0].partition("/")[0]
        candidates.append((service.external, int(port)))
    if service.node_port:
        near = url_host(server).replace("0.0.0.0", "127.0.0.1")
        hosts = [*_addresses(nodes, "ExternalIP"), near, *_addresses(nodes, "InternalIP")]
        candidates += [(host, service.node_port) for host in dict.fromkeys(filter(None, hosts))]
    return candidates


def unreached_error(
    service: Service, tried: list[tuple[str, int]], context: str
) -> ClusterUnreachableError:
    hint = Hint(kubectl(context, " ".join(port_forward(service))))
    if shutil.which("kubectl"):
        hint = Hint("flashsale url", "forwards to one pod until Ctrl-C")
    places = ", ".join(f"{host}:{port}" for host, port in tried)
    wrong = f"cannot be reached from here; tried {places}"
    if not tried:
        wrong = f"is a {service.type}: there is no way in from here"
    return ClusterUnreachableError(f"The Service {service.name} {wrong}.", hint=hint)


def _addresses(nodes: list[Object], kind: str) -> list[str]:
    listed = (node.get("status", {}).get("addresses") or [] for node in nodes)
    return [
        address["address"] for part in listed for address in part if address.get("type") == kind
    ]
