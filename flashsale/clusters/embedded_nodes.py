"""The nodes of the embedded cluster, through its API: their number, power and times."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from flashsale.base.errors import ClusterUnreachableError, Hint, RefusedError
from flashsale.base.text import counted
from flashsale.clusters.base import Progress
from flashsale.embedded.types.node_names import POWER, node_name, node_number
from flashsale.kube import Api, NotFoundError, paths
from flashsale.objects import node_timing
from flashsale.objects.fields import part, sections, text
from flashsale.objects.models import Object
from flashsale.objects.node_timing import FAST, NodeTiming
from flashsale.objects.nodes import Node

LIMIT = 30.0  # seconds for new nodes to be ready on a busy machine
POLL_SECONDS = 0.1


async def set_power(api: Api, name: str, power: str) -> None:
    """Switch a node `on` or `off`."""
    annotations = {POWER: power}
    await api.patch(paths.nodes(name), {"metadata": {"annotations": annotations}})


async def read_stopped(api: Api) -> list[str]:
    """Name the nodes that are switched off."""
    return [
        node["metadata"]["name"]
        for node in await api.list(paths.nodes())
        if text(node, "metadata", "annotations", POWER) == "off"
    ]


async def fit_nodes(api: Api, count: int, *, fast: bool | None, progress: Progress) -> None:
    """Have ``count`` nodes, 0 for as many as there are; set how fast a lost one is given up."""
    if fast is not None:
        await _set_timing(api, fast=fast)
    timing = await read_timing(api)
    if words := timing.describe():
        progress.note(f"{words}.")
    if count:
        await _set_count(api, count, progress)


async def read_timing(api: Api) -> NodeTiming:
    try:
        config_map = await api.get(paths.config_maps(node_timing.NAMESPACE, node_timing.NAME))
    except NotFoundError:
        return NodeTiming()
    return NodeTiming.read(config_map.get("data"))


async def _set_timing(api: Api, *, fast: bool) -> None:
    path = paths.config_maps(node_timing.NAMESPACE, node_timing.NAME)
    there = await read_timing(api) != NodeTiming()
    if there and not fast:
        await api.delete(path)
    elif fast and not there:
        body = {"metadata": {"name": node_timing.NAME}, "data": FAST.data()}
        await api.create(paths.config_maps(node_timing.NAMESPACE), body)


async def _set_count(api: Api, count: int, progress: Progress) -> None:
    nodes = {node["metadata"]["name"]: node for node in await api.list(paths.nodes())}
    ours = [name for name in nodes if node_number(name) is not None]
    surplus = [name for name in ours if (node_number(name) or 0) >= count]
    missing = [name for name in map(node_name, range(count)) if name not in ours]
    if surplus:
        await _refuse_if_used(api, [nodes[name] for name in surplus])
        progress.step(f"Removing {counted(len(surplus), 'node')}")
        for name in surplus:
            await api.delete(paths.nodes(name))
    if missing:
        progress.step(f"Adding {counted(len(missing), 'node')}")
        for name in missing:
            await api.create(
                paths.nodes(), {"metadata": {"name": name, "annotations": {POWER: "on"}}}
            )
        await _wait_until_usable(api, missing)
        if count > 1 and await _share_an_address(api):
            progress.note("This machine has only 127.0.0.1: all nodes share that address.")


async def _refuse_if_used(api: Api, nodes: Iterable[Object]) -> None:
    for node in nodes:
        name = node["metadata"]["name"]
        query = {"fieldSelector": f"spec.nodeName={name}"}
        pods = await api.list("/api/v1/pods", query)
        if pods:
            raise RefusedError(
                f"The node '{name}' has {counted(len(pods), 'pod')}; only an empty one is removed.",
                hint=Hint(
                    f"kubectl drain {name}",
                    "moves its pods, after export KUBECONFIG=$(flashsale kubeconfig)",
                )
                if Node.from_object(node).ready
                else Hint(f"flashsale start-node {name}", "lets go of pods that were replaced"),
            )


async def _wait_until_usable(api: Api, names: Iterable[str]) -> None:
    """Wait until the nodes are ready and their first taint is gone."""
    wanted = set(names)
    try:
        async with asyncio.timeout(LIMIT):
            while True:
                if not wanted & {node["metadata"]["name"] for node in await _unusable(api)}:
                    return
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise ClusterUnreachableError(
            f"New nodes of the embedded cluster are not ready after {LIMIT:g} s.",
            hint="flashsale doctor",
        ) from None


async def _unusable(api: Api) -> list[Object]:
    nodes = await api.list(paths.nodes())
    return [
        node for node in nodes if not Node.from_object(node).ready or part(node, "spec", "taints")
    ]


async def _share_an_address(api: Api) -> bool:
    addresses = [
        address["address"]
        for node in await api.list(paths.nodes())
        for address in sections(node, "status", "addresses")
        if address.get("type") == "InternalIP" and node_number(node["metadata"]["name"]) is not None
    ]
    return len(set(addresses)) < len(addresses)
