"""Scaling up and down: how many, which ones go, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime

import pytest

from tests.conformance.api import JSON_PATCH, MERGE, STRATEGIC, Object
from tests.conformance.manifests import NOWHERE, Maker
from tests.conformance.scene import Scene, condition, names, ready, uids

COST = "controller.kubernetes.io/pod-deletion-cost"
OLDER = 8  # seconds between the first pods and the later ones
MARGIN = 2  # seconds by which ages must keep clear of a bucket's edge


@pytest.fixture(scope="module")
def small(stage: Scene, maker: Maker) -> Scene:
    """A ReplicaSet whose pods fit nowhere: it counts them, and nothing runs."""
    stage.create(maker.replicaset("small", replicas=3, app="small", **NOWHERE))
    stage.until(lambda: counted(stage) == 3, "three pods are counted")
    return stage


def counted(scene: Scene, name: str = "small") -> int | None:
    """Return the replicas that a settled ReplicaSet's status tells, None before that."""
    one = scene.api.get(scene.path("replicasets", name))
    settled = one["status"].get("observedGeneration") == one["metadata"]["generation"]
    return int(one["status"]["replicas"]) if settled else None


def test_scale_to_what_is(small: Scene) -> None:
    """H27: kubectl says `scaled` also when nothing changes, and nothing changes."""
    before = small.api.get(small.path("replicasets", "small"))["metadata"]["generation"]
    done = small.kubectl("scale rs/small --replicas=3")
    assert done.lines == ["replicaset.apps/small scaled"]
    assert small.api.get(small.path("replicasets", "small"))["metadata"]["generation"] == before


def test_scale_precondition(small: Scene) -> None:
    """H29: --current-replicas guards against a surprise."""
    done = small.kubectl("scale rs/small --current-replicas=4 --replicas=1", code=1)
    assert done.err.strip() == "error: Expected replicas to be 4, was 3"
    assert small.kubectl("scale rs/small --current-replicas=3 --replicas=3").code == 0


def test_scale_below_zero(small: Scene) -> None:
    """H29: kubectl itself refuses a negative count."""
    done = small.kubectl("scale rs/small --replicas=-1", code=1)
    assert "COUNT must be greater than or equal to 0" in done.err


@pytest.mark.parametrize(
    ("subresource", "subject"),
    [("scale", 'Scale.autoscaling "small"'), ("", 'ReplicaSet.apps "small"')],
)
def test_negative_replicas(small: Scene, subresource: str, subject: str) -> None:
    """H33: the server refuses it too, by field and value."""
    path = small.path("replicasets", "small", subresource)
    answer = small.api.send("PATCH", path, {"spec": {"replicas": -1}}, content_type=MERGE)
    assert (answer.status, answer.json["reason"]) == (422, "Invalid")
    wrong = "spec.replicas: Invalid value: -1: must be greater than or equal to 0"
    assert answer.message == f"{subject} is invalid: {wrong}"
    assert [cause["field"] for cause in answer.json["details"]["causes"]] == ["spec.replicas"]


@pytest.mark.parametrize(
    ("content_type", "change", "wanted"),
    [
        (MERGE, {"spec": {"replicas": 4}}, 4),
        (STRATEGIC, {"spec": {"replicas": 2}}, 2),
        (JSON_PATCH, [{"op": "add", "path": "/spec/replicas", "value": 3}], 3),
    ],
)
def test_scale_takes_three_kinds_of_patch(
    small: Scene, content_type: str, change: object, wanted: int
) -> None:
    """H34: the scale subresource is patched in any of the three ways."""
    scale = small.api.patch(small.path("replicasets", "small", "scale"), change, content_type)
    assert (scale["kind"], scale["spec"]) == ("Scale", {"replicas": wanted})
    small.until(lambda: counted(small) == wanted, f"{wanted} pods are counted")


def test_python_scale(small: Scene) -> None:
    """H34: the Python client scales by patch and by replacement; a stale one is a conflict."""
    from kubernetes.client import AppsV1Api
    from kubernetes.client.exceptions import ApiException

    apps, where = AppsV1Api(small.api.client), ("small", small.namespace)
    stale = apps.read_namespaced_replica_set_scale(*where)
    patched = apps.patch_namespaced_replica_set_scale(*where, {"spec": {"replicas": 4}})
    assert patched.spec.replicas == 4
    stale.spec.replicas = 2
    with pytest.raises(ApiException) as refused:
        apps.replace_namespaced_replica_set_scale(*where, stale)
    assert refused.value.status == 409
    assert "the object has been modified" in refused.value.body
    stale.metadata.resource_version = None
    assert apps.replace_namespaced_replica_set_scale(*where, stale).spec.replicas == 2
    small.until(lambda: counted(small) == 2, "two pods are counted")


def test_scale_of_a_missing_one(small: Scene) -> None:
    """H29: there is nothing to scale."""
    done = small.kubectl("scale rs/nope --replicas=2", code=1)
    assert done.err.strip() == 'Error from server (NotFound): replicasets.apps "nope" not found'


def test_status_at_zero(stage: Scene, maker: Maker) -> None:
    """H58: at zero the ReplicaSet stays, and its status leaves out all other zeros."""
    stage.create(maker.replicaset("none", replicas=1, app="none", **NOWHERE))
    stage.until(lambda: counted(stage, "none") == 1, "one pod is counted")
    stage.scale("none", 0)
    stage.until(lambda: counted(stage, "none") == 0, "no pod is counted")
    status = stage.api.get(stage.path("replicasets", "none"))["status"]
    assert status.keys() - {"terminatingReplicas"} == {"replicas", "observedGeneration"}
    assert stage.api.get(stage.path("replicasets", "none", "scale"))["spec"] == {}


@pytest.fixture(scope="module")
def grown(stage: Scene, maker: Maker) -> Iterator[tuple[Scene, list[Object]]]:
    """A sale scaled from two to four with kubectl, and the two pods that it began with."""
    stage.create(maker.replicaset(replicas=2))
    first = stage.until_ready(2)
    oldest = max(map(ready_since, first))
    stage.until(lambda: clock(stage) - oldest > OLDER, "the first pods are some seconds old")
    done = stage.kubectl("scale rs/flashsale-rs --replicas=4")
    assert done.lines == ["replicaset.apps/flashsale-rs scaled"]
    stage.until_ready(4)
    yield stage, first
    stage.delete("replicasets", "flashsale-rs")


def ready_since(pod: Object) -> float:
    """Return when a pod became ready, unix seconds."""
    return datetime.fromisoformat(condition(pod, "Ready")["lastTransitionTime"]).timestamp()


def clock(scene: Scene) -> float:
    """Return the server's time, whole unix seconds: that of a virtual machine may not be ours."""
    date = scene.api.send("GET", "/version").headers["Date"]
    return parsedate_to_datetime(date).timestamp()


@pytest.mark.running_pods
def test_scaling_up_keeps_what_runs(grown: tuple[Scene, list[Object]]) -> None:
    """H27: the first pods are still the same ones, restarted or replaced by nobody."""
    scene, first = grown
    assert uids(first) < uids(scene.owned())


@pytest.mark.running_pods
def test_scaling_up_is_told(grown: tuple[Scene, list[Object]]) -> None:
    """H28: each new pod has its SuccessfulCreate event, and the generation was observed."""
    scene, _ = grown
    messages = {
        event["message"] for event in scene.events_about("flashsale-rs")
        if event["reason"] == "SuccessfulCreate"
    }  # fmt: skip
    assert messages == {f"Created pod: {name}" for name in names(scene.owned())}
    replicaset = scene.replicasets.now["flashsale-rs"]
    assert replicaset["status"]["observedGeneration"] == replicaset["metadata"]["generation"]


@pytest.mark.running_pods
def test_the_youngest_go_first(grown: tuple[Scene, list[Object]]) -> None:
    """H30: of pods alike in everything else those go that became ready last."""
    scene, first = grown

    def apart() -> bool:
        """Ages are compared on a logarithmic scale: wait until a power of two lies between."""
        now = clock(scene)
        ages = {pod["metadata"]["name"]: now - ready_since(pod) for pod in scene.owned()}
        old = min(ages[name] for name in names(first))
        young = max(age for name, age in ages.items() if name not in names(first))
        edge = 2.0 ** math.ceil(math.log2((young + MARGIN) * 1e9)) / 1e9
        return young + MARGIN < edge < old - MARGIN

    scene.until(apart, "the pods' ages lie in different buckets")
    scene.scale("flashsale-rs", 2)
    scene.until(lambda: len(scene.owned()) == 2, "two pods are left")
    assert uids(scene.owned()) == uids(first)
    scene.until_event("flashsale-rs", "SuccessfulDelete", count=2)


@pytest.mark.running_pods
def test_the_cheapest_goes_first(stage: Scene, maker: Maker) -> None:
    """H31: a pod with a low deletion cost goes before others, however old it is."""
    stage.create(maker.replicaset("cost", replicas=1, app="cost"))
    (cheap,) = stage.until_ready(1, "cost")
    name = cheap["metadata"]["name"]
    assert stage.kubectl(f"annotate pod {name} {COST}=-100").lines == [f"pod/{name} annotated"]
    stage.scale("cost", 3)
    stage.until_ready(3, "cost")
    stage.scale("cost", 2)
    stage.until(lambda: len(stage.owned("cost")) == 2, "two pods are left")
    assert name not in names(stage.owned("cost"))
    stage.delete("replicasets", "cost")


def test_a_cost_must_be_a_number(small: Scene) -> None:
    """H31: a cost that is no 32-bit integer is refused."""
    name = small.owned("small")[0]["metadata"]["name"]
    done = small.kubectl(f"annotate pod {name} {COST}=abc", code=1)
    assert (
        f'metadata.annotations[{COST}]: Invalid value: "abc": must be a 32bit integer' in done.err
    )


@pytest.mark.running_pods
def test_the_unready_go_first(stage: Scene, maker: Maker) -> None:
    """H32: an unready pod goes before ready ones, even if it is the oldest."""
    replicaset = maker.replicaset("sick", replicas=1, app="sick", env={"HEALTH": "503@0"})
    stage.create(replicaset)
    sick = stage.until(lambda: stage.owned("sick"), "there is a pod")[0]
    healthy = maker.pod_spec()
    stage.patch("replicasets", "sick", {"spec": {"template": {"spec": healthy}, "replicas": 3}})
    stage.until(lambda: sum(map(ready, stage.owned("sick"))) == 2, "two of three are ready")
    stage.scale("sick", 2)
    stage.until_ready(2, "sick")
    assert sick["metadata"]["uid"] not in uids(stage.owned("sick"))
    stage.delete("replicasets", "sick")


@pytest.mark.running_pods
def test_the_unscheduled_go_first(stage: Scene, maker: Maker) -> None:
    """H32: a pod that has no node goes before one that runs."""
    stage.create(maker.replicaset("room", replicas=1, app="room", **NOWHERE))
    homeless = stage.until(lambda: stage.owned("room"), "there is a pod")[0]
    fitting = {"spec": {"template": {"spec": maker.pod_spec()}, "replicas": 2}}
    stage.patch("replicasets", "room", fitting)
    stage.until(lambda: any(map(ready, stage.owned("room"))), "one of two is ready")
    stage.scale("room", 1)
    stage.until_ready(1, "room")
    assert homeless["metadata"]["uid"] not in uids(stage.owned("room"))
    stage.delete("replicasets", "room")


def test_a_scale_takes_the_replicas_from_their_owner(stage: Scene, maker: Maker) -> None:
    """Who owned the replicas keeps them in an entry of its own, without a time (v1.36.2)."""
    stage.create(maker.replicaset("owned", replicas=2, app="owned", **NOWHERE))
    path = stage.path("replicasets", "owned", "scale")
    stage.until(lambda: stage.replicasets.now["owned"]["status"]["replicas"] == 2, "two are there")
    before = stage.api.get(path)["metadata"]["resourceVersion"]
    first = stage.api.patch(path, {"spec": {"replicas": 2}})["metadata"]["resourceVersion"]
    second = stage.api.patch(path, {"spec": {"replicas": 2}})["metadata"]["resourceVersion"]
    third = stage.api.patch(path, {"spec": {"replicas": 2}})["metadata"]["resourceVersion"]
    assert len({before, first, second}) == 3
    assert second == third
