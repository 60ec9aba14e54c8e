"""The exercise from end to end on minikube's road.

The minikube is the double, the Docker inside it is a real engine behind TLS, and the Kubernetes
that its kubeconfig leads to is the embedded cluster: each command does all that it would do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import pytest
import yaml

from flashsale.embedded.kubelet.images.image_store import ImageStore
from flashsale.embedded.process import launch
from tests.clusters.minikube.double_world import World
from tests.command import Flashsale
from tests.docker.engine_proxies import Authority, door
from tests.docker.engines import ROOT, image_name_of_its_own, own_layers
from tests.forking.cluster_process import start_forked_cluster

SHOP = ROOT / "flashsale" / "shop"


@pytest.fixture
def image_name(docker_socket: Path) -> Iterator[str]:
    """A name for the shop's image, whose layers other tests use."""
    yield from image_name_of_its_own(docker_socket, shares_layers=True)


@pytest.fixture
def kubernetes(tmp_path: Path, image_name: str) -> Iterator[Path]:
    """A cluster that has the image, as a minikube node has what was built in its Docker."""
    home = tmp_path / "kubernetes"
    ImageStore(home / "images").build(image_name, SHOP, ROOT / "Dockerfile")
    running = start_forked_cluster(home)
    try:
        yield running.kubeconfig
    finally:
        launch.stop_cluster(home)


@pytest.fixture
def program(
    world: World, kubernetes: Path, docker_socket: Path, base_image: str
) -> Iterator[Flashsale]:
    """flashsale on a machine whose minikube profile `shop` exists and is stopped."""
    known = yaml.safe_load(kubernetes.read_text())
    parts = [
        "clusters:\n- " + json.dumps({"cluster": known["clusters"][0]["cluster"]})[:-1],
        ',"name":"shop"}\nusers:\n- ' + json.dumps({"user": known["users"][0]["user"]})[:-1],
        ',"name":"shop"}\ncontexts:\n- {"context": {}, "name": "work"}\ncurrent-context: work\n',
    ]
    (world.home / "kubeconfig").write_text("".join(parts))
    authority = Authority.make(world.home / "certs")
    with door(docker_socket, authority.server_context()) as port:
        world.set(engines=[f"tcp://127.0.0.1:{port}"], certs=str(authority.folder))
        world.has(host="Stopped", kubelet="Stopped", apiserver="Stopped", kubeconfig="Stopped")
        yield Flashsale(world.home / "home")


def test_pushed_image_is_what_the_pods_are_to_run(
    program: Flashsale, world: World, kubernetes: Path, image_name: str, registry: str
) -> None:
    """`up --push` builds in minikube's Docker, pushes, and writes the digest into the manifest."""
    app = copied(SHOP, world.home / "app", program.quick_manifest())
    (app / "Dockerfile").write_text(f"{own_layers()}COPY app.py /\n")
    repository = f"{registry}/{image_name.partition(':')[0]}"
    words = ("up", str(app), "--profile", "shop", "--image", image_name, "--push", repository)
    opened = json.loads(run(program, world, *words, "--replicas", "1", "--no-wait", "-o", "json"))
    assert opened["image"]["built"]
    assert opened["image"]["name"].startswith(f"{repository}:1@sha256:")
    where = ("get", "rs", "flashsale-rs", "-o", "jsonpath={..containers[0].image}")
    kubectl = [str(Path(sys.executable).parent / "kubectl"), "--kubeconfig", str(kubernetes)]
    done = subprocess.run([*kubectl, *where], capture_output=True, text=True, check=True)
    assert done.stdout == opened["image"]["name"]


def copied(shop: Path, folder: Path, manifest: Path) -> Path:
    """Lay out a learner's folder."""
    folder.mkdir()
    (folder / "app.py").write_text((shop / "app.py").read_text())
    manifest.rename(folder / "flashsale-replicaset.yaml")
    return folder


def run(program: Flashsale, world: World, *words: str) -> str:
    kept = ("PIP_", "REQUESTS_", "SSL_", "HTTP", "NO_PROXY", "MINIKUBE_DOUBLE", "KUBECONFIG")
    extra = {name: value for name, value in os.environ.items() if name.startswith(kept)}
    path = f"{world.home / 'bin'}:{Path(sys.executable).parent}:/usr/bin:/bin"
    done = program(*words, **extra, PATH=path)
    assert done.code == 0, done.err
    return done.out


def test_exercise_from_start_to_clean_up(program: Flashsale, world: World, image_name: str) -> None:
    """Started, built, scaled, healed, closed and stopped; the user's context is never touched."""
    app = copied(SHOP, world.home / "app", program.quick_manifest())
    up = ("up", str(app), "--profile", "shop", "--image", image_name, "-o", "json")
    first = json.loads(run(program, world, *up))
    assert first["cluster"] == {"kind": "minikube", "context": "shop"}
    assert first["image"] == {"name": image_name, "built": True}
    assert json.loads(run(program, world, "scale", "5", "-o", "json"))["to"] == 5
    url = run(program, world, "url").strip()
    with urlopen(f"{url}/buy", timeout=10) as answer:
        assert json.load(answer)["status"] == "success"
    again = json.loads(run(program, world, *up))
    assert (again["image"]["built"], world.profile()["starts"]) == (False, 2)
    assert again["rolled"] == {"replaced": 0, "left": 0}  # though this node has ids of its own
    with (app / "app.py").open("a") as code:
        code.write("# changed\n")
    ImageStore(world.home / "kubernetes" / "images").build(image_name, app, ROOT / "Dockerfile")
    changed = json.loads(run(program, world, *up))
    assert (changed["image"]["built"], changed["rolled"]["replaced"]) == (True, 5)
    (healing,) = json.loads(run(program, world, "kill-pod", "--grace", "0", "-o", "json"))
    assert healing["replacement"]
    assert "minikube" in run(program, world, "status", "-o", "json")
    run(program, world, "down", "--stop")
    assert world.profile()["host"] == "Stopped"
    assert "current-context: work" in (world.home / "kubeconfig").read_text()
    with suppress(FileNotFoundError):
        assert "shop" not in (world.home / "home" / "sale.json").read_text()
