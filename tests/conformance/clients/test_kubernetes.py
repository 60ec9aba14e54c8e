"""The official client: typed, dynamic, and with asyncio."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.api import Object
from tests.conformance.clients.asyncio_tour import run_and_collect, scale_delete_and_watch
from tests.conformance.scene import Scene


def test_the_typed_client(place: Scene, kubeconfig: Path, replicaset: Object) -> None:
    """Objects come back as models, and a watch starts where a list ended."""
    from kubernetes import config, watch
    from kubernetes.client import AppsV1Api

    with config.new_client_from_config(str(kubeconfig)) as client:
        apps, name = AppsV1Api(client), place.namespace
        made = apps.create_namespaced_replica_set(name, replicaset)
        assert (made.kind, made.spec.replicas) == ("ReplicaSet", 1)
        listed = apps.list_namespaced_replica_set(name)
        assert [one.metadata.name for one in listed.items] == ["one"]
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
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it closes nothing
def test_a_command_through_the_clients_stream(sale: Scene, kubeconfig: Path) -> None:
    """It speaks the protocol on its own, with outputs apart and the exit code at the end."""
    from kubernetes import config, stream
    from kubernetes.client import CoreV1Api

    name = sale.owned()[0]["metadata"]["name"]
    with config.new_client_from_config(str(kubeconfig)) as client:
        talk = stream.stream(
            CoreV1Api(client).connect_get_namespaced_pod_exec,
            name,
            sale.namespace,
            command=["sh", "-c", "read line; echo got $line; echo err >&2; exit 4"],
            stdin=True,
            stdout=True,
            stderr=True,
            _preload_content=False,
        )
        talk.write_stdin("it\n")
        talk.run_forever(timeout=30)
        assert (talk.read_stdout(), talk.read_stderr()) == ("got it\n", "err\n")
        assert talk.returncode == 4
        talk.close()


@pytest.mark.running_pods
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_port_through_the_clients_stream(sale: Scene, kubeconfig: Path) -> None:
    """A connection that is made at once, in channels of a WebSocket."""
    from kubernetes import config, stream
    from kubernetes.client import CoreV1Api

    name = sale.owned()[0]["metadata"]["name"]
    with config.new_client_from_config(str(kubeconfig)) as client:
        forward = stream.portforward(
            CoreV1Api(client).connect_get_namespaced_pod_portforward,
            name,
            sale.namespace,
            ports="5000",
        )
        with forward.socket(5000) as connection:
            connection.setblocking(True)
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = b""
            while more := connection.recv(4096):
                answer += more
        assert name.encode() in answer
        assert forward.error(5000) is None


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
        assert [one.metadata.name for one in listed.items] == ["one"]
        await scale_delete_and_watch(apps, watch, namespace, listed.metadata.resource_version)
