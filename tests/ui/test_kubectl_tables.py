"""How `status -o wide` tells where the pods are."""

from __future__ import annotations

from flashsale.objects.models import Pod
from flashsale.ui.kubectl_tables import spread
from tests.sale.api_objects import pod_object


def pods(*nodes: str) -> list[Pod]:
    """One pod on each of these nodes."""
    return [Pod.from_object(pod_object(f"p{n}", node=node)) for n, node in enumerate(nodes)]


def test_one_node_carries_all() -> None:
    """The exercise's own last look: that is what one machine means."""
    assert spread(pods("minikube", "minikube")) == "all on one node, minikube"


def test_several_nodes_are_counted() -> None:
    """Where one machine is too small."""
    assert spread(pods("b", "a", "b")) == "spread over 2 nodes: a 1, b 2"


def test_pods_without_a_node_are_not_forgotten() -> None:
    """There may be no room for them."""
    assert spread(pods("a", "")) == "all on one node, a; 1 not on a node yet"
    assert spread(pods()) == "on no node"
