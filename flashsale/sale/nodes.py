"""The nodes that a sale runs on."""

from __future__ import annotations

from flashsale.kube import Api, paths
from flashsale.objects.nodes import Node


async def read_nodes(api: Api) -> list[Node]:
    """Return all nodes, in the order of their names."""
    found = map(Node.from_object, await api.list(paths.nodes()))
    return sorted(found, key=lambda node: node.name)
