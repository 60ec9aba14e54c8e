"""Which node dies."""

from __future__ import annotations

import random
from typing import Any

import pytest

from flashsale.base.errors import BadInputError, RefusedError
from flashsale.objects.models import Pod
from flashsale.objects.nodes import Node
from flashsale.sale.kill.kill_node import choose_node, stopped_evictions_line, tolerated_seconds
from flashsale.sale.sale_nodes import find_node

FIRST, SECOND, THIRD = Node("a", True, True), Node("b", True, False), Node("c", True, False)
DEAD = Node("d", False, False)


def pod_on(node: str, **meta: str) -> Pod:
    meta = {"name": "p", "uid": "u", **meta}
    return Pod.from_object({"metadata": meta, "spec": {"nodeName": node}})


def chosen(nodes: list[Node], pods: list[Pod], name: str | None = None) -> set[str]:
    seeds = map(random.Random, range(20))
    return {choose_node(nodes, pods, name=name, rng=rng).name for rng in seeds}


def test_a_node_with_pods_of_the_sale_is_chosen() -> None:
    """One without would show nothing."""
    assert chosen([FIRST, SECOND, THIRD], [pod_on("c"), pod_on("a")]) == {"c"}
    leaving = pod_on("b", deletionTimestamp="2026-01-01T00:00:00Z")
    assert chosen([FIRST, SECOND, THIRD], [pod_on("c"), leaving]) == {"c"}


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
        ([FIRST, DEAD], "d", RefusedError),
        ([FIRST, DEAD], None, RefusedError),
    ],
)
def test_what_is_refused(nodes: list[Node], name: str | None, error: Any) -> None:
    """The only control plane, a name that no node has, and a node that is dead already."""
    with pytest.raises(error):
        chosen(nodes, [], name)


def test_a_node_without_power_is_dead_before_kubernetes_knows() -> None:
    """It is Ready for 50 s more; killing it once more would change nothing."""
    found = {
        choose_node([FIRST, SECOND, THIRD], [], name=None, rng=random.Random(seed), stopped=["b"])
        for seed in range(20)
    }
    assert found == {THIRD}
    with pytest.raises(RefusedError, match="'b' has been stopped already") as refused:
        choose_node([FIRST, SECOND], [], name="b", rng=random.Random(0), stopped=["b"])
    assert refused.value.hint.command == "flashsale start-node b"


@pytest.mark.parametrize(
    ("nodes", "words"), [([FIRST], "there is a"), ([FIRST, SECOND, THIRD], "there are a, b and c")]
)
def test_a_name_that_no_node_has_is_told_the_names(nodes: list[Node], words: str) -> None:
    """All of them."""
    with pytest.raises(BadInputError, match=f"no node 'x'; {words}"):
        find_node(nodes, "x")


@pytest.mark.parametrize(
    ("ready", "lost", "stopped"), [(2, 1, False), (1, 2, False), (2, 3, True), (4, 3, False)]
)
def test_where_most_nodes_are_lost_the_wait_is_explained(
    ready: int, lost: int, stopped: bool
) -> None:
    """Kubernetes evicts nobody then, and that is no hanging command."""
    line = stopped_evictions_line([FIRST] * ready + [DEAD] * lost)
    assert bool(line) is stopped
    assert not line or f"{lost} of {ready + lost} nodes are NotReady" in line


@pytest.mark.parametrize(("seconds", "expected"), [([5], 5.0), ([], None), ([None], None)])
def test_how_long_a_pod_stays_on_a_lost_node(seconds: list[Any], expected: float | None) -> None:
    """As its toleration says; for ever without an end."""
    tolerations = [
        {"key": "node.kubernetes.io/unreachable", "tolerationSeconds": second} for second in seconds
    ]
    pod = {"metadata": {"name": "p"}, "spec": {"tolerations": tolerations}}
    assert tolerated_seconds(Pod.from_object(pod)) == expected


def test_where_all_others_are_dead_the_hint_starts_one() -> None:
    """`up --nodes` would not help: the nodes are there."""
    with pytest.raises(RefusedError, match="d does not run") as refused:
        chosen([FIRST, DEAD], [])
    assert refused.value.hint.command == "flashsale start-node d"
