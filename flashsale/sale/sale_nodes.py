"""The nodes that a sale runs on."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from flashsale.base.errors import BadInputError, RefusedError
from flashsale.base.text import joined
from flashsale.clusters.base import Progress
from flashsale.kube import Api, ApiError, paths
from flashsale.objects.nodes import Node
from flashsale.sale.session import Sale


def find_node(nodes: Sequence[Node], name: str) -> Node:
    """Return the node of that name; BadInputError if there is none."""
    for node in nodes:
        if node.name == name:
            return node
    names = joined([node.name for node in nodes])
    there = f"there {'is' if len(nodes) == 1 else 'are'} {names}"
    raise BadInputError(f"There is no node '{name}'; {there}.", hint="flashsale status -o wide")


async def stopped_nodes(sale: Sale) -> Collection[str]:
    """Name the nodes without power; a cluster of one node is not asked, it has power."""
    try:
        several = len(await sale.api.list(paths.nodes())) > 1
    except ApiError:  # this user may not see nodes
        return ()
    return await sale.cluster.stopped_nodes(sale.api) if several else ()


async def note_lost_nodes(sale: Sale, progress: Progress) -> None:
    """Say which nodes are not ready, where this user may see them, and what brings them back."""
    try:
        lost = [node.name for node in await read_nodes(sale.api) if not node.ready]
    except ApiError:
        return
    for name in lost:
        try:
            await sale.cluster.check_node_kill()
            helps = f"flashsale start-node {name}"
        except RefusedError:
            helps = sale.kubectl(f"describe node {name}")
        progress.note(f"The node {name} is NotReady: {helps}")


async def read_nodes(api: Api) -> list[Node]:
    """Return all nodes, in the order of their names."""
    nodes = map(Node.from_object, await api.list(paths.nodes()))
    return sorted(nodes, key=lambda node: node.name)
