"""Less important pods make way, as few and as unimportant ones as possible."""

from __future__ import annotations

from typing import Any

import pytest

from flashsale.embedded.scheduler.placement import place
from flashsale.embedded.scheduler.preemption import Preemption, find_preemption
from flashsale.embedded.scheduler.snapshot import Snapshot, pods_by_node

Object = dict[str, Any]
STARTED = "2026-01-01T00:00:{:02}Z"


def _node(name: str, cpu: str = "2") -> Object:
    room = {"cpu": cpu, "memory": "8Gi", "pods": "110"}
    return {"metadata": {"name": name}, "status": {"allocatable": room}}


def _pod(
    name: str, cpu: str, priority: int = 0, node: str = "", *, started: int = 0, **spec: Any
) -> Object:
    container = {"name": "c", "image": "x", "resources": {"requests": {"cpu": cpu}}}
    meta = {
        "name": name,
        "namespace": "default",
        "labels": {"pod": name},
        "creationTimestamp": STARTED.format(started),
    }
    placed = {"nodeName": node} if node else {}
    return {
        "metadata": meta,
        "spec": {"containers": [container], "priority": priority, **placed, **spec},
        "status": {"startTime": STARTED.format(started)},
    }


def _preempted(
    pod: Object, pods: list[Object], nodes: list[Object], budgets: list[Object] | None = None
) -> Preemption:
    snapshot = Snapshot(nodes, pods_by_node(pods))
    return find_preemption(pod, snapshot, place(pod, snapshot).rejections, budgets or [])


def _victims(preemption: Preemption) -> tuple[str, list[str]]:
    assert preemption.chosen is not None
    return preemption.chosen.node, [obj["metadata"]["name"] for obj in preemption.chosen.victims]


def test_only_as_many_leave_as_must() -> None:
    """The most important ones stay, of equals those that run longest."""
    pods = [
        _pod("old", "800m", 0, "n", started=1),
        _pod("young", "700m", 0, "n", started=9),
        _pod("middle", "400m", 500, "n"),
    ]
    assert _victims(_preempted(_pod("new", "600m", 1000), pods, [_node("n")])) == ("n", ["young"])


def test_the_node_with_the_least_important_victims_is_chosen() -> None:
    """Rather two of no importance than one of some."""
    pods = [
        _pod("important", "2", 500, "a"),
        _pod("one", "1", 0, "b"),
        _pod("other", "1", 0, "b", started=1),
    ]
    preemption = _preempted(_pod("new", "2", 1000), pods, [_node("a"), _node("b")])
    assert _victims(preemption) == ("b", ["one", "other"])


def test_a_guarded_pod_leaves_last() -> None:
    """A PodDisruptionBudget that allows nothing makes another node cheaper, whatever its pods."""
    selector = {"matchLabels": {"pod": "guarded"}}
    budget = {
        "metadata": {"name": "b", "namespace": "default"},
        "spec": {"selector": selector},
        "status": {"disruptionsAllowed": 0},
    }
    pods = [_pod("guarded", "2", 0, "a"), _pod("free", "2", 500, "b")]
    preemption = _preempted(_pod("new", "2", 1000), pods, [_node("a"), _node("b")], [budget])
    assert _victims(preemption) == ("b", ["free"])


@pytest.mark.parametrize(
    ("pod", "outlook"),
    [
        (
            _pod("equal", "1", 500),
            "0/1 nodes are available: 1 No preemption victims found for incoming pod.",
        ),
        (
            _pod("large", "9", 1000),
            "0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
        ),
        (
            _pod("polite", "1", 1000, preemptionPolicy="Never"),
            "not eligible due to preemptionPolicy=Never.",
        ),
    ],
    ids=lambda value: value["metadata"]["name"] if isinstance(value, dict) else "",
)
def test_nobody_makes_way_in_vain(pod: Object, outlook: str) -> None:
    """The scheduler's message says why."""
    preemption = _preempted(pod, [_pod("there", "2", 500, "n")], [_node("n")])
    assert preemption.chosen is None
    assert preemption.outlook() == outlook


def test_a_pod_waits_for_those_that_make_way_already() -> None:
    """Nobody else is asked to leave meanwhile."""
    leaving = _pod("leaving", "2", 0, "n")
    leaving["metadata"]["deletionTimestamp"] = STARTED.format(30)
    promised = _pod("promised", "1", 1000)
    promised["status"]["nominatedNodeName"] = "n"
    preemption = _preempted(promised, [leaving], [_node("n")])
    assert preemption.outlook() == "not eligible due to a terminating pod on the nominated node."
