"""A node that is heard of no longer, on a real store with a clock of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flashsale.embedded.apiserver.registry import Registry
from flashsale.embedded.controllers.node import Machine, NodeHeartbeat, NodeIdentity
from flashsale.embedded.controllers.node_lifecycle import NodeLifecycleController
from flashsale.embedded.controllers.taint_eviction import seconds_left
from flashsale.embedded.storage.store import Store
from flashsale.embedded.types.resources import NAMESPACES, NODES, PODS
from flashsale.objects.models import find_condition

MACHINE = Machine(4, 2**33, 2**33, "amd64", "linux", "Linux", "6", "boot", "machine")
NODE = NodeIdentity("embedded-m02", "127.0.0.2", "127.9.2.0/24")
NOT_READY, UNREACHABLE = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"
GRACE = 50.0


class Clock:
    """Seconds, moved by hand."""

    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry(tmp_path: Path, clock: Clock) -> Iterator[Registry]:
    """A registry with one node that has just registered, and a ready pod on it."""
    store = Store(tmp_path / "state.db")
    made = Registry(store, clock=clock)
    for namespace in ("default", "kube-node-lease"):
        made.create(NAMESPACES, "", {"metadata": {"name": namespace}})
    NodeHeartbeat(made, MACHINE, NODE, share=2).register()
    pod = {
        "metadata": {"name": "p"},
        "spec": {"nodeName": NODE.name, "containers": [{"name": "c", "image": "i"}]},
    }
    pod = made.create(PODS, "default", pod)
    ready = {"conditions": [{"type": "Ready", "status": "True"}], "phase": "Running"}
    made.set_status(PODS, pod, pod["status"] | ready)
    yield made
    store.close()


@pytest.fixture
def controller(registry: Registry, clock: Clock) -> NodeLifecycleController:
    found = NodeLifecycleController(registry, clock)
    found.examine(node(registry))
    return found


def node(registry: Registry) -> Any:
    return registry.get(NODES, "", NODE.name)


def taints(registry: Registry) -> list[tuple[str, str]]:
    found = node(registry)["spec"].get("taints") or []
    return [(one["key"], one["effect"]) for one in found]


def test_a_node_has_its_share_of_the_machine(registry: Registry) -> None:
    """Two nodes on four CPUs have two each; pods of each have addresses of its own range."""
    found = node(registry)
    assert found["status"]["allocatable"]["cpu"] == "2"
    assert found["spec"]["podCIDR"] == "127.9.2.0/24"


def test_a_silent_node_is_not_ready_after_the_grace_period(
    registry: Registry, controller: NodeLifecycleController, clock: Clock
) -> None:
    """All of its conditions are unknown then, and its pods are not ready."""
    clock.now += GRACE
    controller.examine(node(registry))
    assert find_condition(node(registry), "Ready")["status"] == "True"
    clock.now += 1
    controller.examine(node(registry))
    conditions = node(registry)["status"]["conditions"]
    assert {one["status"] for one in conditions} == {"Unknown"}
    assert {one["reason"] for one in conditions} == {"NodeStatusUnknown"}
    assert registry.get(PODS, "default", "p")["status"]["conditions"][0]["status"] == "False"


def test_a_lost_node_is_tainted_and_a_found_one_is_not(
    registry: Registry, controller: NodeLifecycleController, clock: Clock
) -> None:
    """Nothing new goes there, and what is there has to tolerate it."""
    clock.now += GRACE + 1
    controller.examine(node(registry))
    assert taints(registry) == [(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")]
    NodeHeartbeat(registry, MACHINE, NODE).register()
    controller.examine(node(registry))
    assert taints(registry) == []


async def test_a_kubelet_that_is_there_says_so_at_its_next_beat(
    registry: Registry, controller: NodeLifecycleController, clock: Clock
) -> None:
    """Not minutes later: until then no pod could be scheduled there."""
    clock.now += GRACE + 1
    controller.examine(node(registry))
    beating = asyncio.create_task(NodeHeartbeat(registry, MACHINE, NODE).run())
    await asyncio.sleep(0)
    assert find_condition(node(registry), "Ready")["status"] == "True"
    beating.cancel()


async def test_a_controller_that_was_away_itself_gives_nodes_up_for_nothing(
    registry: Registry, controller: NodeLifecycleController, clock: Clock
) -> None:
    """The whole process was stopped: the nodes were silent because nobody listened."""
    running = asyncio.create_task(controller.run())
    await asyncio.sleep(0)
    clock.now += GRACE + 1
    found = node(registry)
    registry.update(NODES, "", NODE.name, found | {"spec": found["spec"] | {"unschedulable": True}})
    await asyncio.sleep(0)
    assert taints(registry)  # it has looked
    assert find_condition(node(registry), "Ready")["status"] == "True"
    running.cancel()


def test_a_lease_keeps_a_node_ready(
    registry: Registry, controller: NodeLifecycleController, clock: Clock
) -> None:
    """Its status may be old."""
    heartbeat = NodeHeartbeat(registry, MACHINE, NODE)
    for _ in range(10):
        clock.now += GRACE - 10
        heartbeat.renew()
        controller.examine(node(registry))
    assert find_condition(node(registry), "Ready")["status"] == "True"


def test_a_cordon_is_a_taint(registry: Registry, controller: NodeLifecycleController) -> None:
    """As `kubectl cordon` leaves it to the controller."""
    found = node(registry)
    registry.update(NODES, "", NODE.name, found | {"spec": found["spec"] | {"unschedulable": True}})
    controller.examine(node(registry))
    assert taints(registry) == [("node.kubernetes.io/unschedulable", "NoSchedule")]


@pytest.mark.parametrize(
    ("tolerations", "left"),
    [
        ([], 0.0),
        ([{"key": UNREACHABLE, "operator": "Exists", "tolerationSeconds": 300}], 300.0),
        ([{"operator": "Exists"}], None),
        ([{"operator": "Exists"}, {"operator": "Exists", "tolerationSeconds": 7}], 7.0),
        ([{"key": NOT_READY, "operator": "Exists", "tolerationSeconds": 300}], 0.0),
        ([{"operator": "Exists", "tolerationSeconds": -1}], 0.0),
    ],
    ids=str,
)
def test_how_long_a_pod_may_stay(tolerations: list[Any], left: float | None) -> None:
    """The shortest of the tolerations that accept the taint counts; without one it leaves now."""
    tainted = {"spec": {"taints": [{"key": UNREACHABLE, "effect": "NoExecute"}]}}
    assert seconds_left({"spec": {"tolerations": tolerations}}, tainted) == left


def test_new_pods_tolerate_a_lost_node_for_five_minutes(registry: Registry) -> None:
    """As DefaultTolerationSeconds has it."""
    pod = registry.get(PODS, "default", "p")
    found = {one["key"]: one["tolerationSeconds"] for one in pod["spec"]["tolerations"]}
    assert found == {NOT_READY: 300, UNREACHABLE: 300}
