"""The same life of nodes on the real controller manager and on ours: the same changes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from flashsale.embedded.process import launch
from flashsale.objects.node_timing import NAME, NAMESPACE, NodeTiming
from tests.conformance.api import Object
from tests.conformance.conftest import EMBEDDED, Cluster, connected
from tests.peers import programs
from tests.peers.control_plane import CONTEXT
from tests.peers.nodes.life import Life, changes, first, live, lived, taints_of
from tests.peers.running import real_cluster, skip_unless_built

SECONDS = 4  # until a silent node is not ready, and until its pods leave
CONFIG_MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
NEW = "no conditions"
BORN = ["node.kubernetes.io/not-ready:NoSchedule"]  # goes with or before the first status
Seen = dict[str, Any]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Seen, Seen]:
    """What was seen of that life on the real control plane, and on ours."""
    skip_unless_built(programs.CONTROL_PLANE)
    folders = [tmp_path_factory.mktemp(name) for name in ("real", "ours")]
    with ThreadPoolExecutor() as pool:
        real, ours = pool.map(lambda run, folder: run(folder), (on_real, on_ours), folders)
    return real, ours


def on_real(folder: Path) -> Seen:
    """Live on a real control plane."""
    with real_cluster(folder, "--control-plane", "--node-seconds", str(SECONDS)) as kubeconfig:
        return seen_on(Cluster(kubeconfig, CONTEXT, embedded=False))


def on_ours(folder: Path) -> Seen:
    """Live on an embedded cluster with the same times."""
    running = launch.start_cluster(folder)
    try:
        return seen_on(Cluster(running.kubeconfig, EMBEDDED, embedded=True))
    finally:
        launch.stop_cluster(folder)


def seen_on(cluster: Cluster) -> Seen:
    """Live on a cluster; returns all that is compared."""
    with connected(cluster) as api:
        if cluster.embedded:
            timing = NodeTiming(lease=SECONDS, grace=SECONDS, toleration=SECONDS)
            api.create(CONFIG_MAPS, {"metadata": {"name": NAME}, "data": timing.data()})
        with lived(api) as life:
            live(life)
            names = names_of(life)
            (endpoints,) = steady(list(changes(life.slices, shown_slice).values()), names)
            return {
                "nodes": of_nodes(life),
                "pods": steady(changes(life.pods, shown_pod), names),
                "endpoints": list(map(sorted, endpoints)),
                "events": sorted(steady(list(map(shown_event, events_of(life))), names)),
                "order": order(life),
            }


def of_nodes(life: Life) -> Seen:
    """Return what became of each node, from its first status on.

    Conditions and the taints of either effect stand apart: the real controller writes them from
    several threads.
    """
    shown = {"conditions": conditions_of, "NoSchedule": no_schedule, "NoExecute": no_execute}
    return {
        f"{what} of {name}": from_first_status(change)
        for what, show in shown.items()
        for name, change in changes(life.nodes, partial(since_status, show)).items()
        if name in ("a", "b", "c")
    }


def from_first_status(objects: list[object]) -> list[object]:
    """Leave out what a node was before its first status, and the taint of that time."""
    said = [one for one in objects if one != NEW]
    return said[1:] if said[:1] == [BORN] else said


def since_status(show: Callable[[Object], object], node: Object) -> object:
    return show(node) if node["status"].get("conditions") else NEW


def conditions_of(node: Object) -> object:
    return shown_conditions(node["status"]["conditions"])


def no_schedule(node: Object) -> object:
    return [taint for taint in taints_of(node) if taint.endswith(":NoSchedule")]


def no_execute(node: Object) -> object:
    return [taint for taint in taints_of(node) if taint.endswith(":NoExecute")]


def shown_pod(pod: Object) -> object:
    return {
        "node": pod["spec"].get("nodeName"),
        "phase": pod["status"]["phase"],
        "conditions": shown_conditions(pod["status"].get("conditions") or []),
        "leaving": "deletionTimestamp" in pod["metadata"],
    }


def shown_conditions(conditions: list[Object]) -> list[str]:
    keys = ("type", "status", "reason", "message")
    return [
        " ".join(condition[key] for key in keys if key in condition) for condition in conditions
    ]


def shown_slice(found: Object) -> object:
    return [
        [
            endpoint["targetRef"]["name"],
            endpoint.get("nodeName"),
            sorted(endpoint["conditions"].items()),
        ]
        for endpoint in found.get("endpoints") or []
    ]


def events_of(life: Life) -> list[Object]:
    """Return the events about nodes and pods, without those of parts that only one of both has."""
    return [
        one
        for one in life.events.now.values()
        if one["involvedObject"]["kind"] in ("Node", "Pod", "ReplicaSet")
        and one["source"].get("component") not in ("kubelet", "cidrAllocator")
        and one["involvedObject"]["name"] != "embedded"
    ]


def shown_event(event: Object) -> str:
    about = event["involvedObject"]
    named = [about["kind"], about["name"], *sorted(about.keys() - {"resourceVersion"})]
    source = event["source"].get("component", "")
    return " ".join([*named, event["type"], event["reason"], event["message"], source])


def order(life: Life) -> list[str]:
    """Return what happened to node `a` and because of it, in the order of the writes."""

    def evicting(node: Object) -> bool:
        return "node.kubernetes.io/unreachable:NoExecute" in taints_of(node)

    def leaving(pod: Object) -> bool:
        return "deletionTimestamp" in pod["metadata"]

    def unknown(node: Object) -> bool:
        return "Unknown" in str(node["status"].get("conditions"))

    victim, replacement = pods_of_shop(life)
    found = {
        "conditions are unknown": first(life.nodes, "a", unknown),
        "what is there must go": first(life.nodes, "a", evicting),
        "the hasty pod leaves": first(life.pods, "hasty", leaving),
        "the usual pod leaves": first(life.pods, victim, leaving),
        "a replacement is made": first(life.pods, replacement, lambda pod: True),
    }
    return sorted(found, key=lambda what: found[what].version)


def pods_of_shop(life: Life) -> list[str]:
    """Return the names of the ReplicaSet's pods, the oldest first."""
    names = dict.fromkeys(change.name for change in life.pods.changes)
    return [name for name in names if name.startswith("shop-")]


def names_of(life: Life) -> dict[str, str]:
    """Return by which name each object with a drawn one is called here."""
    return {name: f"shop-{number}" for number, name in enumerate(pods_of_shop(life), 1)}


def steady(value: Any, names: dict[str, str]) -> Any:
    """Give objects names that are the same in every run."""
    if isinstance(value, dict):
        return {names.get(key, key): steady(one, names) for key, one in value.items()}
    if isinstance(value, list):
        return [steady(one, names) for one in value]
    if isinstance(value, str):
        for name, said in names.items():
            value = value.replace(name, said)
    return value


@pytest.mark.thorough
@pytest.mark.parametrize("what", ["order", "nodes", "pods", "endpoints", "events"])
def test_both_live_alike(both: tuple[Seen, Seen], what: str) -> None:
    """Conditions, taints, pods, endpoints and events: the same changes, in the same order."""
    real, ours = both
    assert ours[what] == real[what]
