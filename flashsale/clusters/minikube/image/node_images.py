"""What images a profile's nodes have, under which names.

`image ls` joins the lists of several nodes, and does not say which node has what: there, each is
asked by itself, with the command that minikube lists images with (pkg/minikube/cruntime/cri.go).
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from flashsale.base.errors import ClusterUnreachableError
from flashsale.base.image_names import InvalidImageNameError, full_name
from flashsale.clusters.minikube.cli import MinikubeCli
from flashsale.clusters.minikube.plain_text import find_document
from flashsale.clusters.minikube.profile.profile import Profile

LISTING = ("sudo", "crictl", "images", "-o", "json", "2>/dev/null")  # a terminal joins the two

Images = dict[str, tuple[str, ...]]  # of one node: full name to id, and what else it reports


async def list_images_by_node(minikube: MinikubeCli, profile: Profile) -> list[Images]:
    """List each node's images, in their order; ClusterUnreachableError if a node does not say."""
    if len(profile.nodes) == 1:
        return [await _listed(minikube, "image", "ls", "--format", "json")]
    return [
        await _listed(minikube, "ssh", *(("-n", node) if node else ()), "--", *LISTING)
        for node in profile.nodes
    ]


def names_of(image: str, nodes: Sequence[Images]) -> list[str]:
    """Return the names that any node has for an image's id."""
    return sorted({name for images in nodes for name in images if image in images[name][:1]})


async def _listed(minikube: MinikubeCli, *words: str) -> Images:
    output = await minikube.ask(*words)
    try:
        return parse_images(output.stdout)
    except ValueError as error:
        raise ClusterUnreachableError(
            f"A node of minikube '{minikube.profile}' does not say which images it has"
            f" (code {output.code}).",
            hint=" ".join(("minikube", "-p", minikube.profile, *words)),
            details=output.stderr,
        ) from error


def parse_images(text: str) -> Images:
    """Read minikube's list, or crictl's, which is the same one level deeper.

    The digests of registries come last: a node may report an image by one of them.

    Raises:
        ValueError: this is no JSON.
    """
    document = find_document(text)
    listed = document.get("images") if isinstance(document, dict) else document
    images: Images = {}
    for image in listed or ():
        own = "sha256:" + image["id"].removeprefix("sha256:")
        digests = [digest.partition("@")[2] for digest in image.get("repoDigests") or ()]
        for tag in image.get("repoTags") or ():
            with contextlib.suppress(InvalidImageNameError):  # <none>:<none>
                images[full_name(tag)] = (own, *digests)
    return images
