"""Getting an image into a cluster that somebody else runs: loaded by its own tool, or pushed.

kind and k3d name their contexts after their clusters, and load images from this machine's Docker.
Docker Desktop and its like share that Docker with their cluster. Everyone else needs a registry.
"""

from __future__ import annotations

from dataclasses import dataclass

from flashsale.base.errors import BadInputError, FlashsaleError, Hint
from flashsale.base.text import quoted
from flashsale.clusters.base import App, BuildOptions, Image, Progress
from flashsale.clusters.docker_build import build_with_docker
from flashsale.clusters.subprocesses import run
from flashsale.clusters.subprocesses.run import Each
from flashsale.docker import connected

TIMEOUT, PATIENCE = 600, 20  # seconds for a large image; between SIGINT and SIGKILL
SHARED = ("docker-desktop", "orbstack", "rancher-desktop", "colima")


class LoadError(FlashsaleError):
    """The cluster's own tool could not load the image."""


@dataclass(frozen=True, slots=True)
class Loader:
    """The tool that owns a context; without a command, the cluster sees Docker's images anyway."""

    tool: str
    cluster: str

    def command(self, image: str) -> tuple[str, ...]:
        """Write the command that loads an image on every node."""
        match self.tool:
            case "kind":
                return ("kind", "load", "docker-image", image, "--name", self.cluster)
            case "k3d":
                return ("k3d", "image", "import", image, "--cluster", self.cluster)
        return ()

    def removal(self, image: str) -> str:
        """Write the command line that removes an image from every node, by its id."""
        name = quoted(self.cluster)
        match self.tool:
            case "kind":
                nodes = f"kind get nodes --name {name}"
            case "k3d":
                nodes = (
                    "docker ps --format '{{.Names}}' --filter"
                    f" label=k3d.cluster={name} | grep -E -e '-(server|agent)-[0-9]+$'"
                )
            case _:
                return ""
        return f"{nodes} | xargs -I NODE docker exec NODE crictl rmi {image}"


def loader_of(context: str) -> Loader | None:
    """Tell from a context's name which tool can load images there; None if none can."""
    for tool in ("kind", "k3d"):
        if context.startswith(f"{tool}-") and context != f"{tool}-":
            return Loader(tool, context.removeprefix(f"{tool}-"))
    return Loader("", context) if context in SHARED else None


async def build_and_load(
    context: str, app: App | None, name: str, options: BuildOptions, progress: Progress
) -> Image:
    """Build the image with this machine's Docker, and bring it to the context's nodes.

    Raises:
        BadInputError: nothing can bring it there, and no registry has it.
        EngineError: there is no Docker here to build with.
        BuildError, PushError, LoadError: it could not be made, pushed or loaded.
    """
    loader = loader_of(context)
    if app is None or not (loader or options.push):
        if loader is None:
            check_pullable(context, name)
        progress.note(f"The cluster '{context}' has to find the image {name} by itself.")
        return Image(name, built=False)
    async with connected() as engine:
        image = await build_with_docker(engine, app, name, options, progress)
    if options.push or loader is None:
        return image
    if command := loader.command(name):
        progress.step(f"Loading {name} into {loader.tool} cluster '{loader.cluster}'")
        await load_image(command, progress.detail)
    return image


def check_pullable(context: str, name: str) -> None:
    """Raise BadInputError for a name of this machine's own, which no registry knows."""
    if "/" not in name:
        raise BadInputError(
            f"Nothing can bring an image to the cluster '{context}' but a registry.",
            hint=Hint(
                f"flashsale up --context {quoted(context)} --push REPOSITORY",
                "or --image REPOSITORY/NAME:TAG for one that a registry has already",
            ),
        )


async def load_image(command: tuple[str, ...], each: Each) -> None:
    """Run a loading command; LoadError if it failed, or its program is not installed."""
    tool = command[0]
    try:
        output = await run.run_program(
            *command, each=each, each_error=each, timeout=TIMEOUT, patience=PATIENCE
        )
    except FileNotFoundError as error:
        raise LoadError(
            f"{tool}, which owns this cluster, is not in PATH.",
            hint=Hint("flashsale up --push REPOSITORY", f"or install {tool}"),
        ) from error
    except TimeoutError as error:
        raise LoadError(f"{' '.join(command)} did not end.", hint=" ".join(command)) from error
    if output.code:
        raise LoadError(
            f"{tool} could not load the image (code {output.code}).",
            hint=" ".join(command),
            details="\n".join([*output.stdout.splitlines(), output.stderr]),
        )
