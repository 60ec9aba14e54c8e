"""Building inside the node with `minikube image build`, for runtimes without a Docker API.

It leaves with 0 even when the build failed or the node is stopped (pkg/minikube/machine/
build_images.go), so only each node's list says whether an image is there. They have names
and ids, no labels: the content's digest goes into a tag of its own, and the sale's name is put on
that image.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flashsale.base.image_names import full_name
from flashsale.clusters.minikube.cli import MinikubeCli
from flashsale.clusters.minikube.image.node_images import Images, list_images_by_node
from flashsale.clusters.minikube.profile.profile import Profile
from flashsale.docker import BuildRecipe, Made
from flashsale.docker.build import BuildError, step_failed_error
from flashsale.docker.engine import Emit

SHORT = 12  # hex digits of the content's digest in the tag


@dataclass(frozen=True, slots=True)
class NodeBuild:
    """What to call the image: by the sale's name, and by its content."""

    name: str  # with its registry: cri-o resolves no short names
    content: str

    @classmethod
    def of(cls, recipe: BuildRecipe) -> NodeBuild:
        name = full_name(recipe.name)
        content = f"{name.rpartition(':')[0]}:sale-{recipe.digest[:SHORT]}"
        return cls(name, f"{content}-{secrets.token_hex(3)}" if recipe.rebuild else content)

    def present(self, nodes: Sequence[Images]) -> str:
        """Return a name of an image with this content, the sale's own first.

        Empty unless every node has it.
        """
        images_found = [
            name
            for name in nodes[0]
            if name.startswith(self.content) and all(name in images for images in nodes)
        ]
        own = (name for name in images_found if not nodes_lacking(nodes, name, self.name))
        return next(own, next(iter(images_found), ""))


async def build_on_nodes(
    minikube: MinikubeCli, recipe: BuildRecipe, profile: Profile, emit: Emit, note: Emit
) -> Made:
    """Build on every node unless all have the same content; return what they have then.

    Raises:
        BuildError: after it, the image is not there.
        ClusterUnreachableError: a node does not say what it has.
    """
    wanted = NodeBuild.of(recipe)
    nodes, log = await list_images_by_node(minikube, profile), ""
    source = "" if recipe.rebuild else wanted.present(nodes)
    if not source:
        log = await _build(minikube, recipe, wanted, profile, emit, note)
        nodes = await list_images_by_node(minikube, profile)
    image = source or wanted.content
    if nodes_lacking(nodes, image, wanted.name):
        nodes = await tag_on_nodes(minikube, profile, image, wanted.name, nodes)
    if without := nodes_lacking(nodes, image, wanted.name):
        where = [profile.machines[index] for index in without] if len(nodes) > 1 else []
        raise build_failed_error(log, where)
    ids = list(dict.fromkeys(image_id for images in nodes for image_id in images[image]))
    return Made(ids[0], built=not source, others=tuple(ids[1:]))


def nodes_lacking(nodes: Sequence[Images], image: str, name: str) -> list[int]:
    """Say which nodes do not have the image under both names."""
    return [
        index
        for index, images in enumerate(nodes)
        if image not in images or images.get(name) != images[image]
    ]


def build_failed_error(log: str, where: Sequence[str]) -> BuildError:
    """Say that the image is not there, or not on these nodes, though minikube said nothing."""
    places = f" on {', '.join(where)}" if where else ""
    error = step_failed_error("minikube returned 0 all the same", log.splitlines())
    return BuildError(
        f"Image build failed{places} (minikube returned 0).", hint=error.hint, details=log
    )


async def tag_on_nodes(
    minikube: MinikubeCli, profile: Profile, image: str, name: str, nodes: Sequence[Images]
) -> list[Images]:
    """Put a name on an image, and return what the nodes have then.

    containerd leaves a name that is taken where it is (`ctr images tag` without --force, in
    pkg/minikube/cruntime/containerd.go), and minikube is silent about that; so the name is taken
    off first, with all other names of the image that it was on. Before any tagging: once one node
    has the name right, taking it off would cost that node the image.

    Args:
        nodes: what they have so far.
    """
    if any(
        image in images and images.get(name, images[image]) != images[image] for images in nodes
    ):
        await minikube.ask("image", "rm", name)
    await minikube.ask("image", "tag", image, name)
    return await list_images_by_node(minikube, profile)


def argument(profile: Profile, key: str, value: str) -> str:
    """Write a build argument; minikube puts `--` before it and hands it to the runtime's builder.

    That is `docker build` or `podman build`, but for containerd `buildctl`, which has no
    --build-arg (kubernetes/minikube#12384).
    """
    how = "opt=build-arg:" if profile.runtime == "containerd" else "build-arg="
    return f"--build-opt={how}{key}={value}"


async def _build(
    minikube: MinikubeCli,
    recipe: BuildRecipe,
    wanted: NodeBuild,
    profile: Profile,
    emit: Emit,
    note: Emit,
) -> str:
    network = recipe.passed()
    for line in network.notes:
        note(line)
    dockerfile, extra = recipe.files(network)
    words = [argument(profile, key, value) for key, value in network.arguments.items()]
    everywhere = ["--all"] if len(profile.nodes) > 1 else []
    log: list[str] = []

    def each(line: str) -> None:
        log.append(line)
        emit(line)

    with tempfile.TemporaryDirectory(prefix="flashsale-build-") as folder:
        recipe.context.unpack(Path(folder), dockerfile, **extra)
        await minikube.follow(
            *("image", "build", "-t", wanted.content, *everywhere, *words, folder),
            each=each,
            each_error=each,  # where BuildKit writes its log
            timeout=minikube.patience.build,
        )
    return "\n".join(log)
