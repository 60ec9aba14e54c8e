"""Building inside the node with `minikube image build`, for runtimes without a Docker API.

It leaves with 0 even when the build failed or the node is stopped (pkg/minikube/machine/
build_images.go), so only `image ls` says whether an image is there. That list has names and ids, no
labels: the content's digest goes into a tag of its own, and the sale's name is put on that image.
"""

from __future__ import annotations

import json
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from flashsale.clusters.minikube.binary import Binary
from flashsale.clusters.minikube.state import Profile
from flashsale.image import Made, Recipe
from flashsale.image.building import BuildError, failure
from flashsale.image.engine import Emit

SHORT = 12  # hex digits of the content's digest in the tag
HUB = "docker.io/"

Images = dict[str, tuple[str, ...]]  # full name to ids


@dataclass(frozen=True, slots=True)
class NodeBuild:
    """What to call the image: by the sale's name, and by its content."""

    name: str  # with its registry: cri-o resolves no short names
    content: str

    @classmethod
    def of(cls, recipe: Recipe) -> NodeBuild:
        name = full(recipe.name)
        content = f"{name.rpartition(':')[0]}:sale-{recipe.digest[:SHORT]}"
        return cls(name, f"{content}-{secrets.token_hex(3)}" if recipe.rebuild else content)

    def present(self, images: Images) -> str:
        """Return a name of an image with this content, the sale's own first; empty without one."""
        found = [name for name in images if name.startswith(self.content)]
        now = images.get(self.name)
        return next((name for name in found if images[name] == now), next(iter(found), ""))


async def make(minikube: Binary, recipe: Recipe, profile: Profile, emit: Emit, note: Emit) -> Made:
    """Build on every node unless the same content is there; return what the node has then.

    Raises:
        BuildError: after it, the image is not there.
    """
    wanted = NodeBuild.of(recipe)
    source = "" if recipe.rebuild else wanted.present(await images(minikube))
    log = "" if source else await _build(minikube, recipe, wanted, profile, emit, note)
    now = await named(minikube, source or wanted.content, wanted.name)
    ids = now.get(source or wanted.content)
    if ids is None or now.get(wanted.name) != ids:
        error = failure("minikube returned 0 all the same", log.splitlines())
        raise BuildError("Image build failed (minikube returned 0).", hint=error.hint, details=log)
    return Made(ids[0], built=not source, others=ids[1:])


async def named(minikube: Binary, image: str, name: str) -> Images:
    """Put a name on an image, and return what the nodes have then.

    containerd leaves a name that is taken where it is (`ctr images tag` without --force, in
    pkg/minikube/cruntime/containerd.go), and minikube is silent about that; so the name is taken
    off first, with all other names of the image that it was on.
    """
    await minikube.ask("image", "tag", image, name)
    now = await images(minikube)
    if image in now and name in now and now[name] != now[image]:
        await minikube.ask("image", "rm", name)
        await minikube.ask("image", "tag", image, name)
        now = await images(minikube)
    return now


async def images(minikube: Binary) -> Images:
    """List the nodes' images: full name to ids, of which each node that built it has its own.

    The digests of registries come last: a node may report an image by one of them.
    """
    said = await minikube.ask("image", "ls", "--format", "json")
    try:
        listed = json.loads(said.stdout) or []
    except ValueError:
        listed = []
    found: Images = {}
    for image in sorted(listed, key=lambda one: str(one["id"])):
        own = "sha256:" + image["id"].removeprefix("sha256:")
        digests = [one.partition("@")[2] for one in image.get("repoDigests") or ()]
        for tag in image.get("repoTags") or ():
            before = found.get(full(tag), ())
            found[full(tag)] = (own, *before, *digests)
    return found


def full(name: str) -> str:
    """Write a name as registries do: `flashsale:1.0` is `docker.io/library/flashsale:1.0`."""
    first, slash, _ = name.partition("/")
    tagged = name if ":" in name.rpartition("/")[2] else f"{name}:latest"
    if not slash:
        return f"{HUB}library/{tagged}"
    return tagged if set(".:") & set(first) or first == "localhost" else HUB + tagged


def argument(profile: Profile, key: str, value: str) -> str:
    """Write a build argument; minikube puts `--` before it and hands it to the runtime's builder.

    That is `docker build` or `podman build`, but for containerd `buildctl`, which has no
    --build-arg (kubernetes/minikube#12384).
    """
    how = "opt=build-arg:" if profile.runtime == "containerd" else "build-arg="
    return f"--build-opt={how}{key}={value}"


async def _build(
    minikube: Binary, recipe: Recipe, wanted: NodeBuild, profile: Profile, emit: Emit, note: Emit
) -> str:
    network = recipe.passed()
    for line in network.notes:
        note(line)
    dockerfile, extra = recipe.files(network)
    words = [argument(profile, key, value) for key, value in network.arguments.items()]
    everywhere = ["--all"] if profile.nodes > 1 else []
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
