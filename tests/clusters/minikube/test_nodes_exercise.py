"""Several nodes on minikube's road, from `up` to `start-node`, as somebody types it.

The minikube is the double. The Kubernetes behind it is the embedded cluster with two nodes, whose
names are those of a profile called `embedded`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from flashsale.embedded.kubelet.images.image_store import ImageStore
from flashsale.embedded.process import launch
from flashsale.embedded.types.node_names import POWER
from tests.clusters.minikube.double_world import World
from tests.command import Flashsale, Result
from tests.conformance.conftest import EMBEDDED, Cluster, connected
from tests.docker.engines import ROOT
from tests.forking.cluster_process import start_forked_cluster

PROFILE, WORKER, IMAGE = "embedded", "embedded-m02", "flashsale:1.0"


@pytest.fixture
def kubernetes(tmp_path: Path) -> Iterator[Path]:
    """A cluster of two nodes that have the image."""
    home = tmp_path / "kubernetes"
    shop = ROOT / "flashsale" / "shop"
    ImageStore(home / "images").build(IMAGE, shop, ROOT / "Dockerfile")
    running = start_forked_cluster(home)
    try:
        with connected(Cluster(running.kubeconfig, EMBEDDED, embedded=True)) as api:
            named = {"name": WORKER, "annotations": {POWER: "on"}}
            api.create("/api/v1/nodes", {"metadata": named})
        yield running.kubeconfig
    finally:
        launch.stop_cluster(home)


@pytest.fixture
def sale(world: World, kubernetes: Path) -> Flashsale:
    """flashsale on a machine whose profile has two nodes, and is stopped."""
    known = yaml.safe_load(kubernetes.read_text())
    parts = [
        "clusters:\n- " + json.dumps({"cluster": known["clusters"][0]["cluster"]})[:-1],
        f',"name":"{PROFILE}"}}\nusers:\n- ' + json.dumps({"user": known["users"][0]["user"]})[:-1],
        f',"name":"{PROFILE}"}}\ncontexts:\n- {{"context": {{}}, "name": "work"}}\n',
        "current-context: work\n",
    ]
    (world.home / "kubeconfig").write_text("".join(parts))
    stopped = dict.fromkeys(("host", "kubelet", "apiserver", "kubeconfig"), "Stopped")
    world.has(PROFILE, nodes=2, **stopped)
    return Flashsale(world.home / "home")


def run(sale: Flashsale, world: World, *words: str) -> Result:
    kept = ("PIP_", "REQUESTS_", "SSL_", "HTTP", "NO_PROXY", "MINIKUBE_DOUBLE", "KUBECONFIG")
    extra = {name: value for name, value in os.environ.items() if name.startswith(kept)}
    path = f"{world.home / 'bin'}:{Path(sys.executable).parent}:/usr/bin:/bin"
    return sale(*words, **extra, PATH=path)


def nodes_switched(world: World) -> list[list[str]]:
    """What was done to nodes, as the arguments of `minikube node`."""
    return [words[3:] for words in world.calls() if words[0] == "node"]


def test_a_worker_is_stopped_and_started(sale: Flashsale, world: World) -> None:
    """The image is on both nodes; only the worker can be killed, and `up` would bring it back."""
    up = ("up", "--profile", PROFILE, "--manifest", str(sale.lean_manifest()))
    opened = run(sale, world, *up, "--nodes", "2", "-o", "json")
    assert opened.code == 0, opened.err
    stores = [world.profile(PROFILE)["images"], *world.profile(PROFILE)["workers"].values()]
    assert all(f"docker.io/library/{IMAGE}" in images for images in stores)
    assert {pod["node"] for pod in opened.json["pods"]} == {PROFILE, WORKER}

    other = run(sale, world, *up, "--nodes", "3")
    assert (other.code, "flashsale up --profile embedded-3 --nodes 3" in other.err) == (2, True)
    fast = run(sale, world, *up, "--fast-nodes")
    assert (fast.code, "Only the embedded cluster" in fast.err) == (6, True)

    assert run(sale, world, "kill-node", "--dry-run").out.startswith(f"{WORKER} would be killed")
    assert run(sale, world, "kill-node", PROFILE).code == 6
    assert nodes_switched(world) == []

    killed = run(sale, world, "kill-node", "--no-wait")
    assert (killed.code, killed.out.split()[:2]) == (0, [WORKER, "killed,"]), killed.err
    again = run(sale, world, "kill-node", WORKER)
    assert (again.code, f"flashsale start-node {WORKER}" in again.err) == (6, True)
    assert run(sale, world, "status").code == 0
    assert run(sale, world, "start-node", WORKER).code == 0
    assert run(sale, world, "start-node", WORKER).out == f"{WORKER} runs already\n"
    assert nodes_switched(world) == [["stop", WORKER], ["start", WORKER]]

    run(sale, world, "kill-node", "--no-wait")
    starts = world.profile(PROFILE)["starts"]
    assert run(sale, world, *up).code == 0
    assert world.profile(PROFILE)["stopped"] == []
    assert world.profile(PROFILE)["starts"] == starts  # the control plane was left alone
