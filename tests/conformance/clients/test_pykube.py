"""pykube-ng, the smallest of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.api import Object
from tests.conformance.scene import Scene

pykube = pytest.importorskip("pykube")


def test_pykube(place: Scene, kubeconfig: Path, replicaset: Object) -> None:
    """It creates, lists, patches, scales, watches and deletes."""
    api = pykube.HTTPClient(pykube.KubeConfig.from_file(str(kubeconfig)))
    replicaset["metadata"]["namespace"] = place.namespace
    made = pykube.ReplicaSet(api, replicaset)
    made.create()
    query = pykube.ReplicaSet.objects(api).filter(namespace=place.namespace)
    assert [one.name for one in query] == ["one"]
    made.patch({"metadata": {"labels": {"patched": "yes"}}})
    made.reload()  # a controller wrote its status meanwhile
    made.scale(2)
    made.reload()
    assert (made.labels["patched"], made.replicas) == ("yes", 2)
    version = made.obj["metadata"]["resourceVersion"]
    made.delete()
    seen = query.watch(since=version, params={"timeoutSeconds": 30}).object_stream()
    assert next(event for event in seen if event.type == "DELETED")
    api.session.close()
