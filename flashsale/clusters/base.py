"""What every cluster can do for the sale. Nothing above this package knows which one it is."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from flashsale.base.errors import BadInputError, FlashsaleError, Hint
from flashsale.objects.models import Pod, Service
from flashsale.objects.node_timing import NodeTiming

if TYPE_CHECKING:
    from flashsale.base.image_names import RemovedImages
    from flashsale.kube import Api

ClusterKind = Literal["embedded", "minikube", "context"]


class Progress(Protocol):
    """Where long work says what it is doing; stderr only, never the result."""

    def step(self, text: str) -> None:
        """A new step began; the one before it is done."""

    def detail(self, text: str) -> None:
        """One line of output of the current step; a terminal shows the last few in place."""

    def note(self, text: str) -> None:
        """A line that stays."""


class SilentProgress:
    """Progress that nobody has to hear of."""

    def step(self, text: str) -> None:
        return

    detail = note = step


@dataclass(frozen=True, slots=True)
class NewProfileOptions:
    """How to make a cluster that is not there yet; empty or 0 leaves it to the cluster's tool."""

    driver: str = ""
    cpus: int = 0
    memory: str = ""  # 4096 (MiB), 4g
    nodes: int = 0  # not among the options below: other clusters have nodes, too
    recreate: bool = False  # delete one that is beyond repair first

    @property
    def options(self) -> str:
        """Write what was asked for as it is typed."""
        typed = {"driver": self.driver, "cpus": self.cpus, "memory": self.memory}
        words = [f"--{name} {value}" for name, value in typed.items() if value]
        return " ".join([*words, *["--recreate"] * self.recreate])


@dataclass(frozen=True, slots=True)
class App:
    """What goes into the image: a folder with `app.py`, and a Dockerfile that may lie elsewhere."""

    folder: Path
    dockerfile: Path


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """How to make the image available."""

    build_args: dict[str, str] = field(default_factory=dict)
    rebuild: bool = False  # even if nothing changed
    push: str = ""  # repository to tag and push to; the sale then runs that image


@dataclass(frozen=True, slots=True)
class Image:
    """An image that the cluster can run."""

    name: str  # as the manifest must name it
    built: bool  # False when an unchanged app was found ready
    id: str = ""  # sha256:..., empty where unknown
    digest: str = ""  # sha256:... of its manifest in a registry, once pushed
    others: tuple[str, ...] = ()  # what else pods may report: other nodes' ids, other registries'

    def runs_in(self, image_id: str) -> bool:
        """Whether a pod that was there before runs this image, by its imageID.

        Runtimes write it differently: `docker://sha256:...`, `sha256:...` or the bare digits, and
        for an image that a registry knows `docker-pullable://NAME@sha256:...` or
        `NAME@sha256:...` with the registry's digest. Where either side is not known, a pod runs
        the image unless that was built just now.
        """
        known = {_digits(part) for part in (self.id, self.digest, *self.others) if part}
        if not image_id or not known:
            return not self.built
        return _digits(image_id) in known


def _digits(reference: str) -> str:
    return reference.rpartition(":")[2]


def no_node_port(service: Service) -> BadInputError:
    """Say that nothing leads to a Service, and what to write in the manifest."""
    return BadInputError(
        f"The Service {service.name} is a {service.type} without a node port: "
        "there is no way in from here.",
        hint=Hint("flashsale up", "after you wrote `type: NodePort` in the manifest"),
    )


class TunnelUrl(str):
    """A URL that works only while it is held: a tunnel's, which ends with it."""

    __slots__ = ()


class Cluster(Protocol):
    """A kubeconfig and a URL, however they come about."""

    @property
    def kind(self) -> ClusterKind:
        """What it is, as `status -o json` says it."""

    @property
    def context(self) -> str:
        """The kubeconfig context's name."""

    @property
    def start_hint(self) -> str:
        """The command to type when it turns out to be stopped."""

    @property
    def stops_with_sale(self) -> bool:
        """Whether it is there for the sale alone: closing the sale stops it."""

    @property
    def can_be_started(self) -> bool:
        """Whether `start` can bring it up when it does not run."""

    @property
    def runs_jobs(self) -> bool:
        """Whether it has Jobs, so that more than this machine can send purchases."""

    def describe(self) -> str:
        """Name it in a sentence: `the context 'kind-dev'`."""

    def cli_options(self) -> str:
        """Write the options that lead to it: `--context kind-dev`."""

    @property
    def kubeconfig(self) -> Path | None:
        """The file that defines the context; None means kubectl's own search order."""

    async def start(self, progress: Progress) -> None:
        """Start the cluster, or find it running; its API answers on return.

        Raises:
            ClusterUnreachableError: it cannot be started; nothing is left half-done.
        """

    async def running(self) -> bool:
        """Whether the cluster is up; quick, and never starts anything."""

    async def diagnosis(self) -> FlashsaleError | None:
        """Say why it does not answer, where its own tool knows; None where nothing does.

        Raises:
            ClusterUnreachableError: that tool cannot be asked.
        """

    async def provide(
        self, app: App | None, name: str, options: BuildOptions, progress: Progress
    ) -> Image:
        """Make an image of that name runnable on every node, built from the app where given."""

    async def address(self, service: Service) -> str:
        """Find a base URL of the service that works from here by itself; opens nothing.

        Raises:
            ClusterUnreachableError: there is none; the hint says what leads there.
            BadInputError: the Service is of a kind that nothing leads to.
        """

    def reach(
        self, service: Service, progress: Progress | None = None, *, one_pod: bool = False
    ) -> AbstractAsyncContextManager[str]:
        """Give a base URL of the service that works from here, for as long as it is held.

        Args:
            progress: is told which way it is.
            one_pod: a way that leads to one pod only will do: enough for a look, not for a load.

        Raises:
            ClusterUnreachableError: there is no way.
        """

    async def crash(self, api: Api, namespace: str, pod: Pod) -> None:
        """Kill the main process of the pod's first container; FlashsaleError if it cannot."""

    async def crashing(self) -> str:
        """Say in what a crash made by `crash` differs from a real one; empty if in nothing."""

    async def check_node_kill(self) -> None:
        """Raise RefusedError if nodes cannot be killed from here; its hint says what to type."""

    async def stopped_nodes(self, api: Api) -> Collection[str]:
        """Name the nodes that have no power, whether or not Kubernetes has noticed it yet."""

    async def kill_node(self, api: Api, node: str, progress: Progress) -> None:
        """Take a node's power away, as if its machine had died; not the only control plane's.

        Raises:
            RefusedError: nodes of this cluster cannot be killed from here.
        """

    async def start_node(self, api: Api, node: str, progress: Progress) -> None:
        """Give a node its power back; RefusedError where that cannot be done from here."""

    async def node_timing(self, api: Api) -> NodeTiming:
        """Return how long this cluster waits for a lost node, as far as it can be known."""

    async def check_nodes(self, count: int, *, fast: bool | None) -> None:
        """Raise RefusedError if `fit_nodes` may not do that; called before anything is started."""

    async def fit_nodes(
        self, api: Api, count: int, *, fast: bool | None, progress: Progress
    ) -> None:
        """Have that many nodes (0: as many as there are), and give lost ones up fast, if wanted.

        Raises:
            RefusedError: one to be removed has pods.
        """

    async def remove_images(self, image: str, progress: Progress) -> RemovedImages:
        """Remove the images that were built inside it from this state folder.

        Where that is not to be done from here, it notes the command that does it. What this
        machine's own Docker or our own folder holds is not the cluster's.

        Args:
            image: id of the sale's image; empty where it is not known.
        """

    async def stop(self, progress: Progress) -> bool:
        """Stop the cluster itself, and say whether it is stopped: one that is not ours goes on.

        Objects on it survive where the cluster can keep them.
        """


class ClusterDefaults:
    """What is so for most clusters, by the names and with the meanings of :class:`Cluster`."""

    async def diagnosis(self) -> FlashsaleError | None:
        return None

    async def crashing(self) -> str:
        return ""

    async def check_node_kill(self) -> None:
        return

    async def stopped_nodes(self, api: Api) -> Collection[str]:
        return ()

    async def node_timing(self, api: Api) -> NodeTiming:
        return NodeTiming()

    async def check_nodes(self, count: int, *, fast: bool | None) -> None:
        return

    async def fit_nodes(
        self, api: Api, count: int, *, fast: bool | None, progress: Progress
    ) -> None:
        return
