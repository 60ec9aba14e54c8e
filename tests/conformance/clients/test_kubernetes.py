"""The official client: typed, dynamic, and with asyncio."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.api import Object
from tests.conformance.clients.asyncio_tour import run_and_collect, scale_delete_and_watch
from tests.conformance.scene import Scene

WAYS_IN = str(Path(__file__).with_name("ways_into_a_pod.py"))


def test_the_typed_client(place: Scene, kubeconfig: Path, replicaset: Object) -> None:
    """Objects come back as models, and a watch starts where a list ended."""
    from kubernetes import config, watch
    from kubernetes.client import AppsV1Api

    with config.new_client_from_config(str(kubeconfig)) as client:
        apps, name = AppsV1Api(client), place.namespace
        made = apps.create_namespaced_replica_set(name, replicaset)
        assert (made.kind, made.spec.replicas) == ("ReplicaSet", 1)
        listed = apps.list_namespaced_replica_set(name)
        assert [obj.metadata.name for obj in listed.items] == ["one"]
        change = {"metadata": {"labels": {"patched": "yes"}}}
        apps.patch_namespaced_replica_set("one", name, change)
        apps.patch_namespaced_replica_set_scale("one", name, {"spec": {"replicas": 2}})
        seen = watch.Watch().stream(
            apps.list_namespaced_replica_set,
            name,
            resource_version=listed.metadata.resource_version,
            timeout_seconds=30,
        )
        assert next(event for event in seen if event["object"].spec.replicas == 2)
        apps.delete_namespaced_replica_set("one", name, propagation_policy="Foreground")
        place.until(lambda: not apps.list_namespaced_replica_set(name).items, "it is gone")


def test_the_dynamic_client(place: Scene, kubeconfig: Path, replicaset: Object) -> None:
    """It finds kinds by discovery, and applies on the server."""
    from kubernetes import config, dynamic

    with config.new_client_from_config(str(kubeconfig)) as client:
        found = dynamic.DynamicClient(client).resources
        kind, name = found.get(api_version="apps/v1", kind="ReplicaSet"), place.namespace
        applied = kind.server_side_apply(replicaset, namespace=name, field_manager="dynamic")
        assert applied.metadata.managedFields[0].operation == "Apply"
        change = {"spec": {"replicas": 2}}
        kind.patch(change, "one", name, content_type="application/merge-patch+json")
        kind.scale.patch(
            {"spec": {"replicas": 3}}, "one", name, content_type="application/merge-patch+json"
        )
        assert kind.get("one", name).spec.replicas == 3
        version = kind.get(namespace=name).metadata.resourceVersion
        kind.delete("one", name)
        events = kind.watch(namespace=name, resource_version=version, timeout=30)
        assert next(event for event in events if event["type"] == "DELETED")


@pytest.mark.running_pods
def test_ways_into_a_pod(sale: Scene, kubeconfig: Path) -> None:
    """In a program of its own, for it leaves its sockets open."""
    where = [str(kubeconfig), sale.namespace, sale.owned()[0]["metadata"]["name"]]
    done = subprocess.run(
        [sys.executable, WAYS_IN, *where], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "well\n"), done.stderr


def test_the_asyncio_client(place: Scene, kubeconfig: Path, replicaset: Object) -> None:
    """The same calls, awaited."""
    run_and_collect(tour(place.namespace, kubeconfig, replicaset))


async def tour(namespace: str, kubeconfig: Path, replicaset: Object) -> None:
    """Create, list, scale, delete and watch."""
    from kubernetes.aio import client, config, watch

    async with await config.new_client_from_config(str(kubeconfig)) as api:
        apps = client.AppsV1Api(api)
        await apps.create_namespaced_replica_set(namespace, replicaset)
        listed = await apps.list_namespaced_replica_set(namespace)
        assert [obj.metadata.name for obj in listed.items] == ["one"]
        await scale_delete_and_watch(apps, watch, namespace, listed.metadata.resource_version)
