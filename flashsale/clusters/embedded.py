"""The adapter to the embedded cluster: starts it, fills its image store, knows its URL."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from flashsale.base.aio import finish
from flashsale.base.errors import BadInputError, ClusterUnreachableError, FlashsaleError, Hint
from flashsale.clusters import embedded_nodes
from flashsale.clusters.base import (
    App,
    BuildOptions,
    ClusterDefaults,
    ClusterKind,
    Image,
    Progress,
    no_node_port,
)
from flashsale.objects.models import Pod, Service
from flashsale.objects.node_timing import NodeTiming

if TYPE_CHECKING:
    from flashsale.base.image_names import RemovedImages
    from flashsale.kube import Api

CONTEXT = "flashsale-embedded"
START = "flashsale up"  # the command that brings it back
STUCK = 5.0  # seconds without an answer


def _not_running_error() -> ClusterUnreachableError:
    return ClusterUnreachableError("The embedded cluster is not running.", hint=START)


class EmbeddedCluster(ClusterDefaults):
    """A small Kubernetes of our own, in a process of its own, with its state under one folder."""

    kind: ClusterKind = "embedded"
    context = CONTEXT
    start_hint = START
    stops_with_sale = True
    can_be_started = True
    runs_jobs = False

    def __init__(self, home: Path) -> None:
        self.home = home  # its own folder, inside the state home

    def describe(self) -> str:
        return "the embedded cluster"

    def cli_options(self) -> str:
        return "--cluster embedded"

    @property
    def kubeconfig(self) -> Path:
        """The file that the running cluster wrote; ClusterUnreachableError if it does not run."""
        from flashsale.embedded.process import launch

        running = launch.find_cluster(self.home)
        if running is None:
            raise _not_running_error()
        return running.kubeconfig

    async def start(self, progress: Progress) -> None:
        """Start it, or find it running; even Ctrl-C waits until it is one or the other.

        One that a signal has stopped goes on; one that is stuck is ended and started anew.
        """
        from flashsale.embedded.process import launch

        if await self._is_well(progress):
            return
        progress.step("Starting the embedded cluster")
        await finish(asyncio.to_thread(launch.start_cluster, self.home))

    async def _is_well(self, progress: Progress) -> bool:
        from flashsale.embedded.process import launch

        if pid := await asyncio.to_thread(launch.stopped_process, self.home):
            progress.note("The embedded cluster had been stopped by a signal; it goes on.")
            os.kill(pid, signal.SIGCONT)
        running = await asyncio.to_thread(launch.find_cluster, self.home)
        if running is None or await asyncio.to_thread(launch.answers, running, STUCK):
            return running is not None
        progress.note("The embedded cluster is stuck; it is started anew, with its objects.")
        await asyncio.to_thread(launch.stop_cluster, self.home)
        return False

    async def running(self) -> bool:
        from flashsale.embedded.process import launch

        return await asyncio.to_thread(launch.find_cluster, self.home) is not None

    async def diagnosis(self) -> FlashsaleError | None:
        """Say that a signal has stopped its process, or that it ended since it was found."""
        from flashsale.embedded.process import launch

        pid = await asyncio.to_thread(launch.stopped_process, self.home)
        if not pid:
            return None if await self.running() else _not_running_error()
        return ClusterUnreachableError(
            f"The embedded cluster is stopped by a signal (SIGSTOP; its process is {pid}).",
            hint=Hint(START, "lets it go on"),
        )

    async def provide(
        self, app: App | None, name: str, options: BuildOptions, progress: Progress
    ) -> Image:
        """Copy the app into the image store of the embedded node."""
        from flashsale.embedded.kubelet.images.image_store import ImageStore
        from flashsale.embedded.kubelet.runtime.container_root import is_possible

        if options.push:
            raise BadInputError(
                "The embedded cluster takes its images from this machine, not from a registry.",
                hint=Hint("kubectl config get-contexts", "name one of them with --context"),
            )
        if app is None:
            return Image(name, built=False)
        progress.step(f"Preparing the image {name}")
        store, loop = ImageStore(self.home / "images"), asyncio.get_running_loop()

        def emit(line: str) -> None:
            loop.call_soon_threadsafe(progress.detail, line)

        words = (name, app.folder, app.dockerfile, options.build_args, emit)
        built = await finish(asyncio.to_thread(store.build, *words), store.layers.cancel)
        await asyncio.to_thread(store.collect, running_images(self.home))
        for note in built.notes:
            progress.note(note)
        if built.built and not await asyncio.to_thread(is_possible):
            progress.note(
                "This machine gives containers no root of their own (no user namespaces):"
                " absolute paths of the image are translated in commands, variables and Python's"
                " open(); other programs do not find them."
            )
        return Image(built.name, built=built.built, id=built.id)

    async def address(self, service: Service) -> str:
        if service.node_port is None:
            raise no_node_port(service)
        return f"http://127.0.0.1:{service.node_port}"

    @asynccontextmanager
    async def reach(
        self, service: Service, progress: Progress | None = None, *, one_pod: bool = False
    ) -> AsyncIterator[str]:
        """Give the address; nothing has to be held."""
        yield await self.address(service)

    async def crash(self, api: Api, namespace: str, pod: Pod) -> None:
        """Send SIGKILL to the pod's process, which is one of this machine."""
        pid = process_of(self.home, pod.uid)
        if not pid:
            raise FlashsaleError(
                f"The process of the pod '{pod.name}' cannot be found on this machine.",
                hint=f"flashsale kill-pod {pod.name}",
            )
        os.kill(pid, signal.SIGKILL)

    async def stopped_nodes(self, api: Api) -> Collection[str]:
        return await embedded_nodes.read_stopped(api)

    async def kill_node(self, api: Api, node: str, progress: Progress) -> None:
        """End the node's kubelet and all its pods at once, and say nothing of it in the API."""
        await embedded_nodes.set_power(api, node, "off")

    async def start_node(self, api: Api, node: str, progress: Progress) -> None:
        await embedded_nodes.set_power(api, node, "on")

    async def node_timing(self, api: Api) -> NodeTiming:
        return await embedded_nodes.read_timing(api)

    async def fit_nodes(
        self, api: Api, count: int, *, fast: bool | None, progress: Progress
    ) -> None:
        await embedded_nodes.fit_nodes(api, count, fast=fast, progress=progress)

    async def remove_images(self, image: str, progress: Progress) -> RemovedImages:
        """Remove nothing: it holds no image that is not in our own folder."""
        from flashsale.base.image_names import RemovedImages

        return RemovedImages()

    async def stop(self, progress: Progress) -> bool:
        """Stop it and its pods; its objects stay on disk."""
        progress.step("Stopping the embedded cluster")
        await asyncio.to_thread(self._stop)
        return True

    def _stop(self) -> None:
        from flashsale.embedded.kubelet.images.image_store import ImageStore
        from flashsale.embedded.kubelet.runtime.processes import kill_marked
        from flashsale.embedded.process import launch

        launch.stop_cluster(self.home)
        kill_marked(f"{self.home}/")  # what a cluster that was killed may have left
        with suppress(OSError):  # a disk that refuses keeps nobody from stopping
            ImageStore(self.home / "images").collect(set())

    async def purge(self, progress: Progress) -> int:
        """Stop it and remove all that it keeps: objects, images, packages.

        Returns:
            The bytes that this freed.

        Raises:
            ClusterUnreachableError: the folder is not one of ours.
        """
        from flashsale.embedded.kubelet.images.package_layers import disk_usage
        from flashsale.embedded.process.cluster_directory import ClusterDirectory

        await self.stop(progress)
        if not self.home.exists():
            return 0
        ClusterDirectory(self.home).prepare()  # refuses a folder that holds other things
        progress.step(f"Removing {self.home}")
        freed = await asyncio.to_thread(disk_usage, self.home)
        await asyncio.to_thread(shutil.rmtree, self.home)
        return freed


def running_images(home: Path) -> set[str]:
    """Return which images the pods' containers were started from, by their 64 hex digits."""
    images = set()
    for file in chain(home.glob("pods/*/*/image"), home.glob("nodes/*/pods/*/*/image")):
        with suppress(OSError, ValueError):  # the pod went meanwhile; the file was spoiled
            images.add(file.read_text().strip())
    return images


def process_of(home: Path, uid: str) -> int:
    """Read the pid of a pod's first container, which the kubelet wrote down; 0 if none runs."""
    own, others = home.glob(f"pods/{uid}/*/pid"), home.glob(f"nodes/*/pods/{uid}/*/pid")
    for file in sorted(chain(own, others)):
        with suppress(OSError, ValueError):  # it ended meanwhile
            return int(file.read_text())
    return 0
