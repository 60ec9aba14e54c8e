"""A node that is not ready is why its pods are not, and why nobody takes more."""

from __future__ import annotations

from typing import Any

import pytest

from flashsale.sale.ready.unready_nodes import unready_node

NO_NETWORK = "container runtime network not ready: cni config uninitialized"


def node(name: str, status: str, message: str = "") -> dict[str, Any]:
    """A node with its Ready condition."""
    ready = {"type": "Ready", "status": status, "reason": "KubeletNotReady", "message": message}
    return {"metadata": {"name": name}, "status": {"conditions": [ready]}}


@pytest.mark.parametrize(
    ("nodes", "places", "expected"),
    [
        ([node("a", "False", NO_NETWORK)], {""}, ("a", NO_NETWORK)),
        ([node("a", "Unknown")], {"a"}, ("a", "KubeletNotReady")),
        ([{"metadata": {"name": "a"}}], {""}, ("a", "it has not reported yet")),
        ([node("a", "True"), node("b", "False", NO_NETWORK)], {"b"}, ("b", NO_NETWORK)),
        ([node("a", "True"), node("b", "False", NO_NETWORK)], {"a"}, None),
        ([node("a", "True")], {""}, None),
        ([], {""}, None),
    ],
)
def test_node_that_is_not_ready_is_named_with_its_own_reason(
    nodes: list[dict[str, Any]], places: set[str], expected: tuple[str, str] | None
) -> None:
    """If it has one of the pods, or one of them is on no node yet."""
    assert unready_node(nodes, places) == expected
