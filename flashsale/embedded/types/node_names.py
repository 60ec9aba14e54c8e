"""How the nodes of the embedded cluster are called, and how one is known to be its own."""

from __future__ import annotations

NAME = "embedded"  # of the first node, which is the control plane's
MOST_NODES = 9
POWER = "embedded.flashsale/power"  # the annotation of nodes that the cluster runs: on, off


def node_name(number: int) -> str:
    """Name the node of that number, from 0 on, as minikube does."""
    return f"{NAME}-m{number + 1:02d}" if number else NAME


def node_number(name: str) -> int | None:
    """Return the number of a node, None for a name that no node of ours has."""
    return next((n for n in range(MOST_NODES) if node_name(n) == name), None)
