"""Watches: kubectl's, the Python client's in three forms, and the protocol itself."""

from __future__ import annotations

import json
import logging
import time
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.api import Object
from tests.conformance.clients.asyncio_tour import run_and_collect
from tests.conformance.conftest import Cluster, connected
from tests.conformance.manifests import NOWHERE, Maker
from tests.conformance.scene import Scene, names

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
END = "k8s.io/initial-events-end"


@pytest.fixture(scope="module")
def watched(stage: Scene, maker: Maker) -> Scene:
    """Three pods that go nowhere: nothing happens unless a test makes it happen."""
    stage.create(maker.replicaset(**NOWHERE))
    stage.until(lambda: settled(stage), "there are three")
    return stage


def settled(scene: Scene) -> bool:
    """Whether all three pods are there, told to fit nowhere, and counted."""
    pods = [pod for pod in scene.owned() if pod["status"].get("conditions")]
    status = scene.replicasets.now.get("flashsale-rs", {}).get("status") or {}
    return len(pods) == 3 and status.get("replicas") == 3


def read(scene: Scene, query: str, *, kind: str = "pods", accept: str = "application/json") -> Any:
    """Watch until the server's timeout; returns all events."""
    with scene.api.stream(f"{scene.path(kind)}?watch=1&{query}", accept=accept) as stream:
        assert stream.response.status == 200
        return [json.loads(line) for line in stream.lines()]


def version(scene: Scene) -> str:
    """Return the list's resourceVersion."""
    return str(scene.api.get(scene.path("pods"))["metadata"]["resourceVersion"])


def test_kubectl_watch(watched: Scene) -> None:
    """H62: a watch prints its headers once, and new rows as they come."""
    with watched.kubectl.following("get pods -w") as followed:
        watched.until(lambda: len(followed.lines) >= 4, "kubectl printed the three")
        watched.scale("flashsale-rs", 4)
        watched.until(lambda: len(followed.lines) >= 5, "kubectl printed the fourth")
    assert sum("NAME" in line for line in followed.lines) == 1
    assert followed.lines[4].split()[1:3] == ["0/1", "Pending"]
    watched.scale("flashsale-rs", 3)
    watched.until(lambda: settled(watched), "there are three again")


def test_kubectl_watch_of_one(watched: Scene) -> None:
    """H62: a watch of one object begins with it."""
    name = watched.owned()[0]["metadata"]["name"]
    command = f"get pod {name} -w --output-watch-events"
    with watched.kubectl.following(command) as followed:
        watched.until(lambda: len(followed.lines) >= 2, "kubectl printed it")
    assert followed.lines[1].split()[:2] == ["ADDED", name]


def test_python_watch_of_nothing(watched: Scene) -> None:
    """H63: nothing happens, nothing comes, and the watch ends when it was told to."""
    from kubernetes import watch
    from kubernetes.client import CoreV1Api

    began = time.monotonic()
    listing = CoreV1Api(watched.api.client).list_namespaced_pod
    since = listing(watched.namespace).metadata.resource_version
    query = {"resource_version": since, "timeout_seconds": 2}
    assert list(watch.Watch().stream(listing, watched.namespace, **query)) == []
    assert 1.5 < time.monotonic() - began < 12


def test_python_watch_after_a_delete(watched: Scene) -> None:
    """H63: from a list's version on, the watch tells what happened since, and nothing before."""
    from kubernetes import watch
    from kubernetes.client import CoreV1Api

    listing = CoreV1Api(watched.api.client).list_namespaced_pod
    since = listing(watched.namespace).metadata.resource_version
    victim = watched.owned()[0]["metadata"]["name"]
    watched.delete("pods", victim)
    watched.until(lambda: victim not in watched.pods.now and settled(watched), "it is replaced")
    query = {"resource_version": since, "timeout_seconds": 2}
    events = list(watch.Watch().stream(listing, watched.namespace, **query))
    kinds = [(event["type"], event["object"].metadata.name == victim) for event in events]
    assert ("DELETED", True) in kinds
    assert ("ADDED", False) in kinds
    assert ("ADDED", True) not in kinds
    later = [int(event["object"].metadata.resource_version) for event in events]
    assert min(later) > int(since)
    assert later == sorted(later)


def test_too_old(watched: Scene, cluster: Cluster, tmp_path: Path) -> None:
    """H63: a version that is forgotten is Expired, in the stream, with all that clients need."""
    if cluster.embedded:
        events = [event_after_restart(tmp_path)]
    else:
        events = read(watched, "resourceVersion=1&timeoutSeconds=1")
    if not events or events[0]["type"] != "ERROR":
        pytest.skip("this cluster still remembers its first write")
    status = events[0]["object"]
    assert (status["code"], status["reason"]) == (410, "Expired")
    assert status["message"].startswith("too old resource version: 1 (")


def event_after_restart(home: Path) -> Object:
    """Watch from the first version on in a cluster that has its objects but not their history."""
    from flashsale.embedded.process import launch
    from tests.forking.cluster_process import start_forked_cluster

    start_forked_cluster(home)
    launch.stop_cluster(home)
    again = start_forked_cluster(home)
    try:
        with (
            connected(Cluster(again.kubeconfig, launch.CONTEXT, embedded=True)) as api,
            api.stream("/api/v1/namespaces?watch=1&resourceVersion=1&timeoutSeconds=5") as stream,
        ):
            event: Object = json.loads(next(stream.lines()))
            return event
    finally:
        launch.stop_cluster(home)


def test_informer(watched: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """H64: the official informer's cache follows the cluster."""
    from kubernetes.client import CoreV1Api
    from kubernetes.informer import SharedInformer

    caplog.set_level(logging.CRITICAL, "kubernetes.informer")  # stop() logs a traceback
    listing = CoreV1Api(watched.api.client).list_namespaced_pod
    seen: list[tuple[str, str]] = []
    informer = SharedInformer(listing, namespace=watched.namespace)
    for kind in ("ADDED", "MODIFIED", "DELETED"):
        informer.add_event_handler(
            kind, lambda pod, kind=kind: seen.append((kind, pod.metadata.name))
        )
    informer.start()
    try:
        watched.until(lambda: len(seen) >= 3, "the informer lists three")
        victim = watched.owned()[0]["metadata"]["name"]
        watched.delete("pods", victim)
        watched.until(lambda: ("DELETED", victim) in seen, "the informer sees it go")
        prefix = f"{watched.namespace}/"

        def same() -> bool:
            known = {key.removeprefix(prefix) for key in informer.cache.list_keys()}
            return settled(watched) and known == names(watched.owned()) and victim not in known

        watched.until(same, "its cache is what our own recording says")
    finally:
        informer.stop()


def test_asynchronous_client(watched: Scene, cluster: Cluster) -> None:
    """H64: the asynchronous client lists and watches the same."""
    run_and_collect(list_and_watch(watched, cluster))
    watched.until(lambda: settled(watched), "there are three again")


async def list_and_watch(watched: Scene, cluster: Cluster) -> None:
    """List three pods, delete one, and watch it go and another one come."""
    from kubernetes.aio import client, config, watch

    configuration = client.Configuration()
    await config.load_kube_config(
        config_file=str(cluster.kubeconfig) if cluster.kubeconfig else None,
        context=cluster.context,
        client_configuration=configuration,
    )
    async with client.ApiClient(configuration) as connection:
        core = client.CoreV1Api(connection)
        pods = await core.list_namespaced_pod(watched.namespace)
        assert len(pods.items) == 3
        victim = pods.items[0].metadata.name
        query = {"resource_version": pods.metadata.resource_version, "timeout_seconds": 20}
        seen = []
        async with watch.Watch() as watching:
            await core.delete_namespaced_pod(victim, watched.namespace)
            async for event in watching.stream(
                core.list_namespaced_pod, watched.namespace, **query
            ):
                seen.append((event["type"], event["object"].metadata.name))
                if ("DELETED", victim) in seen and any(kind == "ADDED" for kind, _ in seen):
                    break


def test_initial_events(watched: Scene) -> None:
    """H65: a streamed list: all that is there, then a bookmark that marks its end."""
    query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    with watched.api.stream(f"{watched.path('pods')}?watch=1&{query}&timeoutSeconds=20") as stream:
        events = [json.loads(line) for line in islice(stream.lines(), 4)]
    assert [event["type"] for event in events] == ["ADDED"] * 3 + ["BOOKMARK"]
    mark = events[3]["object"]
    assert (mark["kind"], mark["apiVersion"]) == ("Pod", "v1")
    assert mark["metadata"]["annotations"][END] == "true"
    assert int(mark["metadata"]["resourceVersion"]) > 0


def test_initial_events_must_be_asked_for_well(watched: Scene) -> None:
    """H65: without resourceVersionMatch a streamed list is refused."""
    path = f"{watched.path('pods')}?watch=1&sendInitialEvents=true"
    answer = watched.api.send("GET", path)
    assert answer.status == 422
    assert "resourceVersionMatch: Forbidden" in answer.message


def test_nobody_gets_bookmarks_unasked(watched: Scene) -> None:
    """H65: who does not ask for bookmarks gets none."""
    events = read(watched, "timeoutSeconds=2")
    assert [event["type"] for event in events] == ["ADDED"] * 3


def test_a_watch_of_tables(watched: Scene) -> None:
    """H62: a watch in tables: one row an event, the columns in the first only."""
    events = read(watched, "timeoutSeconds=2", accept=TABLE)
    tables: list[Object] = [event["object"] for event in events]
    assert [table["kind"] for table in tables] == ["Table"] * 3
    assert [len(table["rows"]) for table in tables] == [1] * 3
    assert [bool(table.get("columnDefinitions")) for table in tables] == [True, False, False]


def test_a_selector_applies_to_both_states(watched: Scene) -> None:
    """H62: what stops to match leaves a watch as DELETED, and comes back as ADDED."""
    since = version(watched)
    pod = watched.owned()[0]["metadata"]["name"]
    for value in ("there", None, "there"):
        watched.patch("pods", pod, {"metadata": {"labels": {"marked": value}}})
    events = read(watched, f"resourceVersion={since}&labelSelector=marked&timeoutSeconds=2")
    assert [event["type"] for event in events] == ["ADDED", "DELETED", "ADDED"]


def test_versions_that_are_none(watched: Scene) -> None:
    """H63: a resourceVersion that is no number is refused; a real server says it is its fault."""
    answer = watched.api.send("GET", f"{watched.path('pods')}?watch=1&resourceVersion=abc")
    assert answer.status == 500
    assert "abc" in answer.message
