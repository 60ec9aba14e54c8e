"""A node that is heard of no longer, on a real store with a clock of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.controllers.node import Machine, NodeHeartbeat, NodeIdentity
from flashsale.embedded.controllers.nodelifecycle.node_lifecycle import NodeLifecycleController
from flashsale.embedded.controllers.taint_eviction import seconds_left
from flashsale.embedded.storage.store import Store
from flashsale.embedded.types.node_names import node_name
from flashsale.embedded.types.resources import NAMESPACES, NODES, PODS
from flashsale.objects.models import find_condition

MACHINE = Machine(4, 2**33, 2**33, "amd64", "linux", "Linux", "6", "boot", "machine")
NODES_THERE = 5


def identity(number: int) -> NodeIdentity:
    """One of the nodes, the first of which is never lost here."""
    return NodeIdentity(node_name(number), f"127.0.0.{number + 1}", f"127.9.{number + 1}.0/24")


NODE = identity(1)
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
    for number in range(NODES_THERE):
        NodeHeartbeat(made, MACHINE, identity(number), share=2).register()
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
    node_lifecycle_controller = NodeLifecycleController(registry, clock)
    look(node_lifecycle_controller)
    return node_lifecycle_controller


def look(controller: NodeLifecycleController) -> None:
    """Do what the controller does every few seconds, and after each change."""
    controller.look()
    controller.taint()


class Cluster:
    """All that changes with time: leases that are renewed, and the controller's looks."""

    def __init__(
        self, registry: Registry, controller: NodeLifecycleController, clock: Clock
    ) -> None:
        self.registry, self._controller, self._clock = registry, controller, clock
        self.silent: set[int] = set()

    def wait(self, seconds: float) -> None:
        """Let time pass, in steps of at most five seconds."""
        while seconds > 0:
            self._clock.now += min(5.0, seconds)
            seconds -= 5.0
            for number in set(range(NODES_THERE)) - self.silent:
                NodeHeartbeat(self.registry, MACHINE, identity(number)).renew()
            look(self._controller)

    def evicting(self) -> list[int]:
        """The nodes whose pods are told to leave, in the order of their names."""
        collected = []
        for number in range(NODES_THERE):
            spec = self.registry.get(NODES, "", node_name(number))["spec"]
            if any(taint["effect"] == "NoExecute" for taint in spec.get("taints") or []):
                collected.append(number)
        return collected


@pytest.fixture
def cluster(registry: Registry, controller: NodeLifecycleController, clock: Clock) -> Cluster:
    return Cluster(registry, controller, clock)


def node(registry: Registry) -> Any:
    return registry.get(NODES, "", NODE.name)


def taints(registry: Registry) -> list[tuple[str, str]]:
    found = node(registry)["spec"].get("taints") or []
    return [(row["key"], row["effect"]) for row in found]


def test_a_node_has_its_share_of_the_machine(registry: Registry) -> None:
    """Two nodes on four CPUs have two each; pods of each have addresses of its own range."""
    found = node(registry)
    assert found["status"]["allocatable"]["cpu"] == "2"
    assert found["spec"]["podCIDR"] == "127.9.2.0/24"


def test_a_silent_node_is_not_ready_after_the_grace_period(cluster: Cluster) -> None:
    """All of its conditions are unknown then, and its pods are not ready."""
    cluster.silent = {1}
    cluster.wait(GRACE)
    assert find_condition(node(cluster.registry), "Ready")["status"] == "True"
    cluster.wait(1)
    conditions = node(cluster.registry)["status"]["conditions"]
    assert {condition["status"] for condition in conditions} == {"Unknown"}
    assert {condition["reason"] for condition in conditions} == {"NodeStatusUnknown"}
    pod = cluster.registry.get(PODS, "default", "p")
    assert pod["status"]["conditions"][0]["status"] == "False"


def test_a_lost_node_is_tainted_and_a_found_one_is_not(cluster: Cluster) -> None:
    """Nothing new goes there, and what is there has to tolerate it."""
    cluster.silent = {1}
    cluster.wait(GRACE + 1)
    assert taints(cluster.registry) == [(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")]
    cluster.silent = set()
    NodeHeartbeat(cluster.registry, MACHINE, NODE).register()
    cluster.wait(1)
    assert taints(cluster.registry) == []


async def test_a_kubelet_that_is_there_says_so_at_its_next_beat(
    registry: Registry, controller: NodeLifecycleController, clock: Clock
) -> None:
    """Not minutes later: until then no pod could be scheduled there."""
    clock.now += 2 * GRACE / 3
    look(controller)
    clock.now += 2 * GRACE / 3
    look(controller)
    assert find_condition(node(registry), "Ready")["status"] == "Unknown"
    beating = asyncio.create_task(NodeHeartbeat(registry, MACHINE, NODE).run())
    await asyncio.sleep(0)
    assert find_condition(node(registry), "Ready")["status"] == "True"
    beating.cancel()


def test_a_lease_keeps_a_node_ready(cluster: Cluster) -> None:
    """Its status may be old."""
    cluster.wait(10 * GRACE)
    assert find_condition(node(cluster.registry), "Ready")["status"] == "True"


def test_two_nodes_that_are_lost_at_once_are_emptied_one_after_the_other(cluster: Cluster) -> None:
    """One in ten seconds: `--node-eviction-rate` is 0.1."""
    cluster.silent = {1, 2}
    cluster.wait(GRACE + 1)
    assert cluster.evicting() == [1]
    cluster.wait(9)
    assert cluster.evicting() == [1]
    cluster.wait(1)
    assert cluster.evicting() == [1, 2]


def test_where_most_nodes_are_lost_nobody_is_evicted(cluster: Cluster) -> None:
    """Three of five, it may well be the network; when one is back, evictions go on."""
    cluster.silent = {1, 2, 3}
    cluster.wait(GRACE + 60)
    assert cluster.evicting() == []
    cluster.silent = {1, 2}
    NodeHeartbeat(cluster.registry, MACHINE, identity(3)).register()
    cluster.wait(9)
    assert cluster.evicting() == []
    cluster.wait(30)
    assert cluster.evicting() == [1, 2]


def test_where_all_nodes_are_lost_what_was_to_leave_stays(cluster: Cluster) -> None:
    """Then it is the control plane that hears nobody."""
    cluster.silent = {1}
    cluster.wait(GRACE + 1)
    assert cluster.evicting() == [1]
    cluster.silent = set(range(NODES_THERE))
    cluster.wait(GRACE + 1)
    assert cluster.evicting() == []


def test_a_process_that_was_stopped_blames_no_node(
    registry: Registry, controller: NodeLifecycleController, clock: Clock
) -> None:
    """It could hear nobody: SIGSTOP, or a lid that was closed."""
    clock.now += 3600
    look(controller)
    assert find_condition(node(registry), "Ready")["status"] == "True"


def test_a_kubelet_in_trouble_has_a_taint_for_it(
    registry: Registry, controller: NodeLifecycleController
) -> None:
    """New pods do not go where the disk is full."""
    status = node(registry)["status"]
    full = [condition | {"status": "True"} for condition in status["conditions"]]
    registry.set_status(NODES, node(registry), status | {"conditions": full})
    look(controller)
    pressures = [f"node.kubernetes.io/{kind}-pressure" for kind in ("memory", "disk", "pid")]
    assert taints(registry) == [(key, "NoSchedule") for key in pressures]


def test_a_cordon_is_a_taint(registry: Registry, controller: NodeLifecycleController) -> None:
    """As `kubectl cordon` leaves it to the controller."""
    found = node(registry)
    registry.update(NODES, "", NODE.name, found | {"spec": found["spec"] | {"unschedulable": True}})
    look(controller)
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
    found = {row["key"]: row["tolerationSeconds"] for row in pod["spec"]["tolerations"]}
    assert found == {NOT_READY: 300, UNREACHABLE: 300}
