"""The node and the scheduler, when somebody else has written the node's object."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flashsale.embedded.controllers.node import Machine, node_status
from flashsale.embedded.kubelet.images.image_store import ImageStore
from flashsale.embedded.kubelet.images.node_status_images import node_status_images
from flashsale.embedded.scheduler.node_resources import check_resources
from flashsale.embedded.scheduler.snapshot import Rejection, Snapshot
from flashsale.objects.models import Object

MACHINE = Machine(2, 2**30, 2**30, "amd64", "linux", "Linux", "6", "boot", "machine")
POD: Object = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c"}]}}


@pytest.mark.parametrize("conditions", [None, [{}], [{"type": "Ready", "status": "True"}]])
def test_the_node_starts_whatever_its_old_status_says(conditions: Any) -> None:
    """A condition without a time is as old as this start."""
    status = node_status(MACHINE, {"conditions": conditions}, 0.0)
    times = {condition["lastTransitionTime"] for condition in status["conditions"]}
    assert times == {"1970-01-01T00:00:00Z"}


def test_a_node_lists_the_images_that_it_has(tmp_path: Path) -> None:
    """With every name, and its bytes: the scheduler prefers nodes that have an image."""
    (tmp_path / "app.py").write_text("print()\n")
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text("FROM python:3.11\nCOPY app.py .\n")
    store = ImageStore(tmp_path / "images")
    for name in ("shop:1.0", "shop:latest"):
        store.build(name, tmp_path, dockerfile)
    images = node_status_images(store)
    names = [f"docker.io/library/shop:{tag}" for tag in ("1.0", "latest")]
    assert images == [{"names": names, "sizeBytes": len("print()\n")}]
    assert node_status(MACHINE, None, 0.0, images=images)["images"] == images
    assert "images" not in node_status(MACHINE, None, 0.0)


@pytest.mark.parametrize("node", [{}, {"status": {}}, {"status": {"allocatable": {"pods": "0"}}}])
def test_no_pod_fits_on_a_node_that_has_nothing(node: Object) -> None:
    """`kubectl create` of a node without a status makes one."""
    named = {"metadata": {"name": "n"}, "spec": {}}
    assert check_resources(POD, Snapshot([], {}), named | node) == Rejection(("Too many pods",))


def test_the_room_for_pods_may_be_written_as_any_quantity() -> None:
    """The API server itself writes 2000 as 2k."""
    node = {"metadata": {"name": "n"}, "spec": {}, "status": {"allocatable": {"pods": "2k"}}}
    assert check_resources(POD, Snapshot([], {}), node) is None
