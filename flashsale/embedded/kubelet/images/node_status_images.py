"""A store's images as a node's `status.images` lists them (pkg/kubelet/nodestatus/setters.go)."""

from __future__ import annotations

from typing import Any

from flashsale.embedded.kubelet.images.image_store import ImageStore


def node_status_images(store: ImageStore) -> list[dict[str, Any]]:
    """List all images by their ids, the largest first."""
    names: dict[str, list[str]] = {}
    sizes: dict[str, int] = {}
    for image in store.list():
        names.setdefault(image.id, []).append(image.name)
        sizes[image.id] = image.size
    largest = sorted(names, key=lambda identity: (-sizes[identity], names[identity]))
    return [{"names": names[image_id], "sizeBytes": sizes[image_id]} for image_id in largest]
