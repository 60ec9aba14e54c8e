"""Somebody says in a pod's status that it is over: an eviction, a node's shutdown, a hand."""

from pathlib import Path
from typing import Any

import pytest

from flashsale.embedded.kubelet.images.image_store import ImageStore
from tests.embedded.kubelet.cluster import (
    READY_AT_ONCE,
    Cluster,
    MemoryAPI,
    condition,
    env,
    spec,
)

WHY = {"reason": "Evicted", "message": "The node was low on resource: memory."}


def say(api: MemoryAPI, phase: str, **more: str) -> None:
    """Write a phase into the status of the pod `p`, as a PATCH of its status does."""
    pod = api.pod("p")
    api._write("MODIFIED", pod | {"status": pod["status"] | {"phase": phase} | more})


async def started(cluster: Cluster, **variables: str) -> None:
    """Start the pod `p`, and wait until it is ready."""
    app = spec("toggle:1.0", readinessProbe=READY_AT_ONCE, env=[*env(**variables)])
    cluster.api.create("p", app)
    await cluster.ready("p")


def end(api: MemoryAPI) -> dict[str, Any]:
    """Return how the container of `p` ended; empty while it runs."""
    ended: dict[str, Any] = api.container("p")["state"].get("terminated", {})
    return ended


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
async def test_a_pod_that_is_said_to_be_over_is_stopped(cluster: Cluster, phase: str) -> None:
    """With SIGTERM; its phase stays as it was said, and its object until it is deleted."""
    await started(cluster, CODE="3")
    say(cluster.api, phase, **WHY)
    await cluster.until(lambda: end(cluster.api))
    assert end(cluster.api)["exitCode"] == 3
    assert b"got SIGTERM" in cluster.log("p")
    status = cluster.api.pod("p")["status"]
    assert {key: status[key] for key in ("phase", *WHY)} == {"phase": phase, **WHY}
    assert condition(cluster.api.pod("p"), "Ready")["status"] == "False"
    assert "Killing" in cluster.api.reasons("p")
    assert cluster.network._attached == {}
    cluster.api.delete("p", grace=0)
    await cluster.gone("p")


async def test_it_has_its_usual_grace_period(cluster: Cluster) -> None:
    """Until it is deleted by force: then the two seconds of every force."""
    await started(cluster, STOP="ignore")
    say(cluster.api, "Failed")
    await cluster.until_logged("p", "got SIGTERM")
    cluster.api.delete("p", grace=0)
    assert await cluster.gone("p") > 1.5


async def test_what_was_said_while_the_kubelet_was_away_counts(
    tmp_path: Path, images: ImageStore
) -> None:
    """Nothing is started again, and the status no longer shows a running container."""
    api = MemoryAPI()
    async with Cluster(tmp_path, images, api) as cluster:
        await started(cluster)
    say(api, "Failed")
    async with Cluster(tmp_path, images, api) as cluster:
        await cluster.until(lambda: end(api))
        assert end(api)["reason"] == "ContainerStatusUnknown"
        assert api.reasons("p").count("Started") == 1
        assert api.pod("p")["status"]["phase"] == "Failed"
        api.delete("p", grace=0)
        await cluster.gone("p")
