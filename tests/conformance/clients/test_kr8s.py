"""kr8s, which speaks of objects rather than of calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.api import Object
from tests.conformance.scene import Scene

kr8s = pytest.importorskip("kr8s")


@pytest.mark.filterwarnings("ignore:Kubernetes version")  # it knows those of its own time
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it closes nothing
async def test_kr8s(place: Scene, kubeconfig: Path, replicaset: Object) -> None:
    """It creates, lists, labels, scales, watches and deletes."""
    from kr8s.asyncio.objects import ReplicaSet

    api = await kr8s.asyncio.api(kubeconfig=str(kubeconfig), namespace=place.namespace)
    made = await ReplicaSet(replicaset, namespace=place.namespace, api=api)
    await made.create()
    assert [one.name async for one in api.get("replicasets")] == ["one"]
    await made.label({"patched": "yes"})
    await made.scale(2)
    assert (made.labels["patched"], made.replicas) == ("yes", 2)
    async for kind, one in api.watch("replicasets"):
        if kind == "DELETED":
            assert one.name == "one"
            break
        if kind == "ADDED":
            await made.delete()
    place.until(lambda: not place.owned("one"), "its pods are gone")


@pytest.mark.filterwarnings("ignore:Kubernetes version")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.running_pods
async def test_a_command_in_a_pod(sale: Scene, kubeconfig: Path) -> None:
    """It runs one and gives its output."""
    from kr8s.asyncio.objects import Pod

    api = await kr8s.asyncio.api(kubeconfig=str(kubeconfig), namespace=sale.namespace)
    pod = await Pod.get(sale.owned()[0]["metadata"]["name"], api=api)
    done = await pod.exec(["sh", "-c", "echo out; echo err >&2"])
    assert (done.returncode, done.stdout, done.stderr) == (0, b"out\n", b"err\n")
