"""Which node dies."""

from __future__ import annotations

import random
from typing import Any

import pytest

from flashsale.base.errors import BadInputError, NotReadyError, RefusedError
from flashsale.objects.models import Pod
from flashsale.objects.nodes import Node
from flashsale.sale.kill.kill_node import choose_node

FIRST, SECOND, THIRD = Node("a", True, True), Node("b", True, False), Node("c", True, False)
DEAD = Node("d", False, False)


def pod_on(node: str) -> Pod:
    return Pod.from_object({"metadata": {"name": "p", "uid": "u"}, "spec": {"nodeName": node}})


def chosen(nodes: list[Node], pods: list[Pod], name: str | None = None) -> set[str]:
    seeds = map(random.Random, range(20))
    return {choose_node(nodes, pods, name=name, rng=rng).name for rng in seeds}


def test_a_node_with_pods_of_the_sale_is_chosen() -> None:
    """One without would show nothing."""
    assert chosen([FIRST, SECOND, THIRD], [pod_on("c"), pod_on("a")]) == {"c"}


def test_any_ready_node_but_the_only_control_plane_may_die() -> None:
    """Two control planes may lose one."""
    assert chosen([FIRST, SECOND, THIRD, DEAD], []) == {"b", "c"}
    assert chosen([FIRST, Node("e", True, True)], []) == {"a", "e"}


@pytest.mark.parametrize(
    ("nodes", "name", "error"),
    [
        ([FIRST], None, RefusedError),
        ([FIRST, SECOND], "a", RefusedError),
        ([FIRST, SECOND], "x", BadInputError),
        ([FIRST, DEAD], "d", NotReadyError),
        ([FIRST, DEAD], None, RefusedError),
    ],
)
def test_what_is_refused(nodes: list[Node], name: str | None, error: Any) -> None:
    """The only control plane, a name that no node has, and a node that is dead already."""
    with pytest.raises(error):
        chosen(nodes, [], name)


def test_where_all_others_are_dead_the_hint_starts_one() -> None:
    """`up --nodes` would not help: the nodes are there."""
    with pytest.raises(RefusedError, match="d is NotReady") as refused:
        chosen([FIRST, DEAD], [])
    assert refused.value.hint.command == "flashsale start-node d"
