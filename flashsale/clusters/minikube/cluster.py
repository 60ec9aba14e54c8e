"""minikube as a `Cluster`: start or find it, make the image, reach the service, stop it."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from flashsale.base.addresses import is_loopback, url_host
from flashsale.base.errors import ClusterUnreachableError, FlashsaleError, NoSaleError, RefusedError
from flashsale.clusters.base import (
    App,
    BuildOptions,
    ClusterDefaults,
    ClusterKind,
    Image,
    NewProfileOptions,
    Progress,
    no_node_port,
)
from flashsale.clusters.context import FROM_INSIDE, ContextCluster
from flashsale.clusters.minikube import current_context
from flashsale.clusters.minikube.cli import (
    MinikubeCli,
    MinikubeTimeouts,
    is_installed,
    not_installed_error,
)
from flashsale.clusters.minikube.image.docker_env import keep_proxies_off, node_engine
from flashsale.clusters.minikube.image.image_route import image_route
from flashsale.clusters.minikube.image.sale_image import ImageBuilder, remove_sale_images
from flashsale.clusters.minikube.kill_container import kill_main_process
from flashsale.clusters.minikube.profile.condition import describe_condition, up_command
from flashsale.clusters.minikube.profile.profile import (
    Profile,
    read_profile,
    read_profile_state,
    read_version,
)
from flashsale.clusters.minikube.profile.profile_nodes import switch_node
from flashsale.clusters.minikube.profile.usability import host_docker_trouble
from flashsale.clusters.minikube.service_url import (
    ServiceRoute,
    open_route,
    reached_at,
    tunnel_needed_error,
)
from flashsale.clusters.minikube.start.lifecycle import Lifecycle
from flashsale.clusters.minikube.start.start_plan import Wish, asks_docker, check_version
from flashsale.clusters.state.directory import state_home
from flashsale.clusters.subprocesses.run import nothing
from flashsale.clusters.tcp_probe import ProbeResult, tcp_probe
from flashsale.docker import EngineProblem, RemovedImages, connected, own_docker
from flashsale.kube import Api
from flashsale.kube import kubeconfig as contexts
from flashsale.objects.models import Pod, Service


@dataclass(frozen=True, slots=True)
class MinikubeCluster(ClusterDefaults):
    """One minikube profile; `making` matters when it is created, and must fit one that exists."""

    profile: str = "minikube"
    making: NewProfileOptions = field(default_factory=NewProfileOptions)
    home: Path | None = None  # the state folder; None stands for the usual one
    patience: MinikubeTimeouts = field(default_factory=MinikubeTimeouts)
    kind: ClusterKind = "minikube"
    start_hint: str = "flashsale up"
    stops_with_sale: bool = False
    runs_jobs: bool = True
    can_be_started: bool = True

    @property
    def context(self) -> str:
        """minikube names cluster, user and context after the profile."""
        return self.profile

    @property
    def kubeconfig(self) -> Path:
        """The file that minikube writes: the first of $KUBECONFIG."""
        return current_context.kubeconfig_path()

    def describe(self) -> str:
        return f"the minikube profile '{self.profile}'"

    def cli_options(self) -> str:
        return up_command(self.profile).removeprefix("flashsale up ")

    async def running(self) -> bool:
        return (await read_profile_state(self.profile)).running

    async def diagnosis(self) -> FlashsaleError | None:
        """Say what minikube says of the profile; None if that is running and well."""
        if not is_installed():
            raise not_installed_error()
        name, state = self.profile, await read_profile_state(self.profile)
        if not state.exists:
            return NoSaleError(
                f"No sale is open here: there is no minikube profile '{name}'.", hint="flashsale up"
            )
        if not state.running:
            trouble = await host_docker_trouble() if asks_docker(state) else None
            if trouble and trouble.trouble is not EngineProblem.ABSENT:
                return trouble
            return describe_condition(name, state, docker=trouble is None).error(name)
        if name in contexts.read():
            return None
        return ClusterUnreachableError(
            f"minikube '{name}' runs, but the kubeconfig has no context of that name.",
            hint=f"minikube update-context -p {name}",
        )

    async def start(self, progress: Progress) -> None:
        """Create, start, resume or repair the profile; leave what runs of it alone."""
        if warning := check_version(await read_version(self._minikube)):
            progress.note(warning)
        await self._ensure(progress)

    async def provide(
        self, app: App | None, name: str, options: BuildOptions, progress: Progress
    ) -> Image:
        if app is None:
            return Image(name, built=False)
        builder = await self._image_builder(progress, lambda: self._ensure(progress))
        return await builder.build(app, name, options)

    async def address(self, service: Service) -> str:
        """Give the node's port, unless it takes a tunnel to get there."""
        if url := await self._near(service):
            return url
        route = await self._route(service)
        if url := await route.direct():
            return url
        raise tunnel_needed_error(route.profile)

    @asynccontextmanager
    async def reach(
        self, service: Service, progress: Progress | None = None, *, one_pod: bool = False
    ) -> AsyncGenerator[str]:
        """Give the node's port, or hold a tunnel open."""
        note = progress.note if progress else nothing
        if url := await self._near(service):
            note(reached_at(url))
            yield url
            return
        route = await self._route(service)
        async with open_route(route, self._home, note, one_pod=one_pod) as url:
            yield url

    async def crash(self, api: Api, namespace: str, pod: Pod) -> None:
        """Kill the main process of the pod's first container: by its Docker, else from inside."""
        way, _ = image_route(await self._profile())
        if way == "node":
            await ContextCluster(self.context, self.kubeconfig).crash(api, namespace, pod)
            return
        host = connected(own_docker(os.environ))
        engine = host if way == "host" else node_engine(self._minikube, self._asleep)
        await kill_main_process(engine, api, namespace, pod)

    async def crashing(self) -> str:
        """Say so where there is no Docker to kill with."""
        way, _ = image_route(await self._profile())
        return FROM_INSIDE if way == "node" else ""

    async def stopped_nodes(self, api: Api) -> Collection[str]:
        status = (await read_profile_state(self.profile)).status
        return status.stopped_nodes if status else ()

    async def kill_node(self, api: Api, node: str, progress: Progress) -> None:
        await switch_node(self._minikube, "stop", node)

    async def start_node(self, api: Api, node: str, progress: Progress) -> None:
        await switch_node(self._minikube, "start", node)

    async def check_nodes(self, count: int, *, fast: bool | None) -> None:
        """Refuse other times; `start` sees to the number of nodes."""
        if fast is not None:
            raise RefusedError(
                "Only the embedded cluster can give up a lost node faster.",
                hint=f"flashsale up --cluster embedded --fast-nodes --nodes {count or 3}",
            )

    async def remove_images(self, image: str, progress: Progress) -> RemovedImages:
        """Remove them from the node's Docker; where it has none, say how it is done."""
        builder = await self._image_builder(progress, self._asleep)
        return await remove_sale_images(builder, image, self._home)

    async def stop(self, progress: Progress) -> bool:
        """Stop the profile; its image and objects are there again after the next start."""
        return await self._lifecycle(progress).stop()

    @property
    def _minikube(self) -> MinikubeCli:
        return MinikubeCli(self.profile, self.patience)

    @property
    def _home(self) -> Path:
        return self.home or state_home()

    def _lifecycle(self, progress: Progress) -> Lifecycle:
        wish = Wish(self.profile, self.making)
        return Lifecycle(self._minikube, wish, progress, host_docker_trouble, self._home)

    async def _ensure(self, progress: Progress) -> None:
        profile = await self._lifecycle(progress).ensure_running()
        keep_proxies_off(profile.ip)  # from the Kubernetes client too

    async def _asleep(self) -> None:
        if error := await self.diagnosis():
            raise error

    async def _profile(self) -> Profile:
        profile = await read_profile(self._minikube)
        if profile is None:
            raise ClusterUnreachableError(
                f"There is no minikube profile '{self.profile}'.", hint=up_command(self.profile)
            )
        keep_proxies_off(profile.ip)
        return profile

    async def _image_builder(
        self, progress: Progress, revive: Callable[[], Awaitable[object]]
    ) -> ImageBuilder:
        return ImageBuilder(self._minikube, await self._profile(), progress, revive)

    async def _near(self, service: Service) -> str:
        """Try where the kubeconfig says that the node is: that takes no minikube, and no time."""
        context = contexts.read(self.kubeconfig).get(self.context)
        host = url_host(context.server) if context else ""
        if not host or is_loopback(host) or not service.node_port:
            return ""
        keep_proxies_off(host)
        met = await tcp_probe(host, service.node_port, self.patience.probe)
        return f"http://{host}:{service.node_port}" if met is ProbeResult.OPEN else ""

    async def _route(self, service: Service) -> ServiceRoute:
        if service.node_port is None:
            raise no_node_port(service)
        return ServiceRoute(self._minikube, await self._profile(), service)
