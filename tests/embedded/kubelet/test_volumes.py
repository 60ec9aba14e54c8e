"""Volumes: what containers find where they are mounted."""

from __future__ import annotations

from typing import Any

from flashsale.embedded.types.api_errors import StatusError
from flashsale.objects.models import Object
from tests.embedded.kubelet.cluster import NAME, Cluster, env

WAIT = "while :; do sleep 0.1; done"


def shell(name: str, script: str, *mounts: tuple[str, str], **more: Any) -> Object:
    """Return a container that runs a shell script, with volumes at places."""
    listed = [{"name": volume, "mountPath": place} for volume, place in mounts]
    command = ["sh", "-c", script]
    return {"name": name, "image": "toggle:1.0", "command": command, "volumeMounts": listed} | more


async def test_an_empty_dir_is_shared_and_outlives_a_container(cluster: Cluster) -> None:
    """One container writes, another reads; a restart finds what was there."""
    writer = (
        "echo x >> /work/deep/log; wc -l < /work/deep/log; test $(wc -l < /work/deep/log) -gt 1"
    )
    writer += f" && {WAIT}; sleep 0.1"
    reader = f"while ! test -s /seen/log; do sleep 0.1; done; echo saw; {WAIT}"
    volumes = [{"name": "v", "emptyDir": {}}]
    containers = [shell(NAME, writer, ("v", "/work/deep")), shell("b", reader, ("v", "/seen"))]
    cluster.api.create("p", {"containers": containers, "volumes": volumes})
    await cluster.until(lambda: cluster.api.container("p").get("restartCount") == 1)
    for name, words in ((NAME, b"2\n"), ("b", b"saw\n")):
        await cluster.until(lambda n=name, w=words: read(cluster, n) == w)


def read(cluster: Cluster, name: str) -> bytes:
    """Return what a container of the pod `p` has said."""
    try:
        return cluster.log("p", name)
    except StatusError:
        return b""  # it is between two lives


async def test_config_maps_are_files_and_variables(cluster: Cluster) -> None:
    """Also beside what the machine has in /etc, item by item, and in a projected volume."""
    data = {"greeting": "hello", "colour": "blue"}
    cluster.api.config_maps["default", "shop"] = {"data": data}
    item = [{"key": "colour", "path": "deep/colour"}]
    field = [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]
    sources = [{"configMap": {"name": "shop", "items": item}}, {"downwardAPI": {"items": field}}]
    volumes = [
        {"name": "all", "configMap": {"name": "shop"}},
        {"name": "some", "projected": {"sources": sources}},
    ]
    script = "cat /etc/shop/greeting /some/deep/colour /some/name; echo $GREETING $colour"
    variables = [
        *env(A="1"),
        {"name": "GREETING", "valueFrom": {"configMapKeyRef": {"name": "shop", "key": "greeting"}}},
    ]
    container = shell(
        NAME, f"{script}; {WAIT}", ("all", "/etc/shop"), ("some", "/some"),
        env=variables, envFrom=[{"configMapRef": {"name": "shop"}}],
    )  # fmt: skip
    cluster.api.create("p", {"containers": [container], "volumes": volumes})
    await cluster.until_logged("p", "hellobluep")
    await cluster.until_logged("p", "hello blue")


async def test_a_missing_config_map_keeps_the_pod_waiting_until_it_is_there(
    cluster: Cluster,
) -> None:
    """With the event of a real kubelet."""
    volumes = [{"name": "v", "configMap": {"name": "late"}}]
    pod = {"containers": [shell(NAME, f"cat /v/k; {WAIT}", ("v", "/v"))], "volumes": volumes}
    cluster.api.create("p", pod)
    await cluster.until(lambda: cluster.api.messages("p", "FailedMount"))
    (text, *_) = cluster.api.messages("p", "FailedMount")
    assert text == 'MountVolume.SetUp failed for volume "v" : configmap "late" not found'
    waiting = cluster.api.container("p")["state"]["waiting"]
    assert waiting["reason"] == "ContainerCreating"
    cluster.api.config_maps["default", "late"] = {"data": {"k": "there\n"}}
    await cluster.until_logged("p", "there")


async def test_a_config_map_volume_follows_its_config_map(cluster: Cluster) -> None:
    """All files at once, through one link, with their modes; what a subPath mounts stays."""
    config = cluster.api.config_maps
    config["default", "shop"] = {"data": {"colour": "blue", "run": "old"}}
    volumes = [{"name": "v", "configMap": {"name": "shop", "defaultMode": 0o750}}]
    script = (
        "readlink /v/colour; ls -lL /v/colour | cut -c1-10;"
        " while test -e /v/run; do sleep 0.1; done; cat /v/colour; ls /v; "
    )
    pod = {"containers": [shell(NAME, script + WAIT, ("v", "/v"))], "volumes": volumes}
    cluster.api.create("p", pod)
    await cluster.until_logged("p", "..data/colour")
    await cluster.until_logged("p", "-rwxr-x---")
    config["default", "shop"] = {"data": {"colour": "red\n", "more": "1"}}
    await cluster.until_logged("p", "red\ncolour\nmore")


async def test_a_volume_that_is_not_offered_is_named(cluster: Cluster) -> None:
    """The pod waits, with an event that says why: nothing is missing without a word."""
    volumes = [{"name": "v", "nfs": {"server": "nas", "path": "/x"}}]
    pod = {"containers": [shell(NAME, WAIT, ("v", "/v"))], "volumes": volumes}
    cluster.api.create("p", pod)
    await cluster.until(lambda: cluster.api.messages("p", "FailedMount"))
    assert cluster.api.messages("p", "FailedMount")[0] == (
        'MountVolume.SetUp failed for volume "v" : volumes of the kind nfs are not offered on the'
        " embedded cluster"
    )
    assert cluster.api.container("p")["state"]["waiting"]["reason"] == "ContainerCreating"
