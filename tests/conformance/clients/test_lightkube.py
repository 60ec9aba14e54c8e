"""lightkube, whose models are made from Kubernetes' OpenAPI."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.api import Object
from tests.conformance.scene import Scene

lightkube = pytest.importorskip("lightkube")


def test_lightkube(place: Scene, kubeconfig: Path, replicaset: Object) -> None:
    """It applies, lists, patches, scales, watches and deletes."""
    from lightkube import KubeConfig
    from lightkube.models.autoscaling_v1 import ScaleSpec
    from lightkube.models.meta_v1 import ObjectMeta
    from lightkube.resources.apps_v1 import ReplicaSet

    loaded = KubeConfig.from_file(kubeconfig)
    client = lightkube.Client(loaded, namespace=place.namespace, field_manager="lightkube")
    made = client.apply(ReplicaSet.from_dict(replicaset))
    assert made.metadata.managedFields[0].manager == "lightkube"
    assert [obj.metadata.name for obj in client.list(ReplicaSet)] == ["one"]
    client.patch(ReplicaSet, "one", {"metadata": {"labels": {"patched": "yes"}}})
    scale = ReplicaSet.Scale(metadata=ObjectMeta(name="one"), spec=ScaleSpec(replicas=2))
    client.replace(scale, "one")
    changed = client.get(ReplicaSet, "one")
    assert (changed.metadata.labels["patched"], changed.spec.replicas) == ("yes", 2)
    client.delete(ReplicaSet, "one")
    version = made.metadata.resourceVersion
    kinds = (kind for kind, _ in client.watch(ReplicaSet, resource_version=version))
    assert "DELETED" in iter(kinds)
