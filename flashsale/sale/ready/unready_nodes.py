"""Whether a node is why pods are not ready: then fewer pods, or smaller ones, would not help."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from flashsale.kube import ApiError, paths
from flashsale.objects.columns import find_condition
from flashsale.objects.models import Object
from flashsale.sale.ready.diagnosis import Diagnosis
from flashsale.sale.session import Sale


async def node_trouble(sale: Sale, places: Collection[str]) -> Diagnosis | None:
    """Ask for the nodes, where this user may see them, and blame one that is not ready.

    Args:
        places: the nodes of the pods that are not ready; empty for one that no node has taken.
    """
    try:
        nodes = await sale.api.list(paths.nodes())
    except ApiError:
        return None
    if trouble := unready_node(nodes, places):
        name, why = trouble
        cause = f"the node {name} is not ready: {why}"
        return Diagnosis(cause, sale.kubectl(f"describe node {name}"))
    return None


def unready_node(nodes: Sequence[Object], places: Collection[str]) -> tuple[str, str] | None:
    """Name a node that is not ready, with its own reason, if that concerns one of the pods."""
    for node in nodes:
        name, ready = str(node["metadata"]["name"]), find_condition(node, "Ready")
        if ready.get("status") != "True" and not {"", name}.isdisjoint(places):
            why = ready.get("message") or ready.get("reason") or "it has not reported yet"
            return name, str(why)
    return None
