"""Whose pods they are: release, adoption, orphans, cascades, templates, immutable fields."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import pytest

from tests.conformance.api import STRATEGIC, Object
from tests.conformance.manifests import NOWHERE, Maker, service, template
from tests.conformance.scene import Scene, condition, leaving, names, owner, ready, uids

FINALIZER = "foregroundDeletion"


@pytest.fixture(scope="module")
def released(stage: Scene, maker: Maker) -> str:
    """Take one of three pods out of the sale by its label; returns its name."""
    stage.create(maker.replicaset(), service())
    stage.until_ready(3)
    name = str(stage.owned()[0]["metadata"]["name"])
    stage.until(lambda: stage.endpoints().get(name, {}).get("ready"), "its endpoint is ready")
    done = stage.kubectl(f"label pod {name} app=debug --overwrite")
    assert done.lines == [f"pod/{name} labeled"]
    stage.until(lambda: not owner(stage.pods.now[name]), "it has no owner")
    stage.until_ready(3)
    return name


@pytest.mark.running_pods
def test_release(stage: Scene, released: str) -> None:
    """H47: the pod loses its owner and runs on; another takes its place."""
    pod = stage.pods.now[released]
    assert "ownerReferences" not in pod["metadata"]
    assert ready(pod)
    assert released not in names(stage.owned())
    stage.until(lambda: released not in stage.endpoints(), "its endpoint is gone")
    assert pod["metadata"].get("generation") == stage.pods.of(released)[0].object["metadata"].get(
        "generation"
    )


@pytest.mark.running_pods
def test_the_replacement_is_prompt(stage: Scene, released: str) -> None:
    """H47: the replacement is made as soon as the label is gone."""
    changed = next(
        c for c in stage.pods.of(released) if c.object["metadata"]["labels"]["app"] == "debug"
    )
    replaced = [c.at for c in stage.pods.changes if c.type == "ADDED" and c.at > changed.at]
    assert replaced
    assert replaced[0] - changed.at < 3


@pytest.mark.running_pods
def test_adoption_of_the_released(stage: Scene, released: str) -> None:
    """H48: labelled back it is adopted, and one of the four has to go."""
    stage.kubectl(f"label pod {released} app=flashsale --overwrite")
    stage.until_event("flashsale-rs", "SuccessfulDelete")
    stage.until_ready(3)
    last = stage.pods.of
    stage.until(lambda: owner(last(released)[-1].object) == "flashsale-rs", "it is adopted")
    seen = stage.replicasets.of
    stage.until(
        lambda: any(c.object["status"].get("replicas") == 4 for c in seen("flashsale-rs")),
        "the ReplicaSet counted four",
    )


@pytest.mark.running_pods
def test_a_bare_pod_too_many(stage: Scene, maker: Maker, released: str) -> None:
    """H49: a bare pod with the sale's label is adopted and deleted before it starts."""
    stage.until_ready(3)
    before = uids(stage.owned())
    stage.create(maker.pod("bare", app="flashsale"))
    stage.until(lambda: stage.pods.of("bare")[-1:] and "bare" not in stage.pods.now, "it is gone")
    history = [change.object for change in stage.pods.of("bare")]
    assert "flashsale-rs" in map(owner, history)
    stage.until_event("flashsale-rs", "SuccessfulDelete", text="Deleted pod: bare")
    assert uids(stage.owned()) == before


def test_a_bare_pod_before_the_replicaset(stage: Scene, maker: Maker) -> None:
    """H49: one that was there before counts as the first of three."""
    stage.create(maker.pod("early", app="later", **NOWHERE))
    known = partial(condition, kind="PodScheduled")
    stage.until(lambda: known(stage.pods.now["early"]), "the controllers know it")
    stage.create(maker.replicaset("later", app="later", **NOWHERE))
    stage.until(lambda: len(stage.owned("later")) == 3, "there are three")
    stage.until(lambda: status(stage, "later").get("replicas") == 3, "three are counted")
    assert "early" in names(stage.owned("later"))
    assert stage.reasons("later").count("SuccessfulCreate") <= 2


def status(scene: Scene, name: str) -> Object:
    """Return a ReplicaSet's status."""
    found: Object = scene.replicasets.now.get(name, {}).get("status") or {}
    return found


def test_a_failed_pod_is_replaced(stage: Scene, maker: Maker) -> None:
    """H41: a pod that ended for good is neither counted nor deleted, and is replaced."""
    stage.create(maker.replicaset("evicted", replicas=1, app="evicted", **NOWHERE))
    (pod,) = stage.until(lambda: stage.owned("evicted"), "there is a pod")
    name = pod["metadata"]["name"]
    path = stage.path("pods", name, "status")
    stage.api.patch(path, {"status": {"phase": "Failed", "reason": "Evicted"}})
    others = stage.until(lambda: names(stage.owned("evicted")) - {name}, "there is another")
    assert len(others) == 1
    assert name in stage.pods.now


@pytest.mark.running_pods
def test_deleting_a_replicaset(stage: Scene, maker: Maker) -> None:
    """H50: by default the ReplicaSet goes at once and its pods follow."""
    stage.create(maker.replicaset("plain", replicas=2, app="plain"))
    pods = names(stage.until_ready(2, "plain"))
    done = stage.kubectl("delete rs plain")
    assert done.lines[0].startswith('replicaset.apps "plain" deleted')
    assert stage.api.send("GET", stage.path("replicasets", "plain")).status == 404
    stage.until(lambda: all(leaving(stage.pods.now.get(n) or GONE) for n in pods), "pods leave")
    stage.until(lambda: pods.isdisjoint(stage.pods.now), "its pods are gone")


GONE: Object = {"metadata": {"deletionTimestamp": "long ago"}}


def test_orphans(stage: Scene, maker: Maker) -> None:
    """H50: orphaned pods live on without an owner, and the next ReplicaSet adopts them."""
    stage.create(maker.replicaset("parent", replicas=2, app="child", **NOWHERE))
    stage.until(lambda: len(stage.owned("parent")) == 2, "there are two")
    before = uids(stage.owned("parent"))
    stage.kubectl("delete rs parent --cascade=orphan")
    stage.until(lambda: "parent" not in stage.replicasets.now, "the ReplicaSet is gone")

    def orphans() -> list[Object]:
        pods = [pod for pod in stage.pods.now.values() if pod["metadata"]["uid"] in before]
        return [pod for pod in pods if "ownerReferences" not in pod["metadata"]]

    stage.until(lambda: len(orphans()) == 2, "both live on and belong to nobody")
    stage.create(maker.replicaset("parent", replicas=2, app="child", **NOWHERE))
    stage.until(lambda: uids(stage.owned("parent")) == before, "the same two are adopted")


@pytest.mark.running_pods
def test_foreground(stage: Scene, maker: Maker) -> None:
    """H50: in the foreground the ReplicaSet stays until its last pod is gone."""
    stage.create(maker.replicaset("slow", replicas=1, app="slow", env={"STOP_DELAY": 3}))
    (pod,) = stage.until_ready(1, "slow")
    generation = stage.replicasets.now["slow"]["metadata"]["generation"]
    stage.kubectl("delete rs slow --cascade=foreground --wait=false")
    meta = stage.api.get(stage.path("replicasets", "slow"))["metadata"]
    assert meta["finalizers"] == [FINALIZER]
    assert (meta["deletionGracePeriodSeconds"], meta["generation"]) == (0, generation + 1)
    refused = stage.api.send(
        "POST", stage.path("replicasets"), maker.replicaset("slow", app="slow")
    )
    assert refused.status == 409
    assert refused.message.startswith("object is being deleted: replicasets.apps")
    name = pod["metadata"]["name"]
    stage.until(lambda: "slow" not in stage.replicasets.now, "the ReplicaSet is gone")
    stage.until(lambda: name not in stage.pods.now, "its pod is gone")
    assert stage.pods.of(name)[-1].version < stage.replicasets.of("slow")[-1].version
    assert {change.name for change in stage.pods.changes if owner(change.object) == "slow"} == {
        name
    }


def test_a_new_template_changes_no_pod(stage: Scene, maker: Maker) -> None:
    """H51: an edited template is for later pods only."""
    stage.create(maker.replicaset("edited", replicas=2, app="edited", **NOWHERE))
    stage.until(lambda: len(stage.owned("edited")) == 2, "there are two")
    before = uids(stage.owned("edited"))
    change = template({"image": "flashsale:2.0"})
    edited = stage.api.patch(stage.path("replicasets", "edited"), change, STRATEGIC)
    generation = edited["metadata"]["generation"]
    stage.until(
        lambda: status(stage, "edited").get("observedGeneration") == generation, "it is known"
    )
    victim = stage.owned("edited")[0]["metadata"]["name"]
    stage.delete("pods", victim)
    stage.until(lambda: uids(stage.owned("edited")) - before, "there is a replacement")
    images = {
        pod["metadata"]["uid"]: pod["spec"]["containers"][0]["image"]
        for pod in stage.owned("edited")
    }
    assert {image for uid, image in images.items() if uid in before} == {maker.image}
    assert {image for uid, image in images.items() if uid not in before} == {"flashsale:2.0"}


def refusal(stage: Scene, thing: Object) -> tuple[int, str]:
    """Create something wrong; returns the refusal."""
    answer = stage.api.send("POST", stage.path("replicasets"), thing)
    return answer.status, answer.message


def test_the_selector_is_immutable(stage: Scene, maker: Maker) -> None:
    """H52: a selector cannot be changed."""
    stage.create(maker.replicaset("fixed", replicas=0, app="fixed"))
    change = '\'{"spec":{"selector":{"matchLabels":{"app":"x"}}}}\''
    done = stage.kubectl(f"patch rs fixed --type=merge -p {change}", code=1)
    assert 'The ReplicaSet "fixed" is invalid' in done.err
    assert re.search("spec.selector: Invalid value: .*: field is immutable$", done.err.strip())


def test_the_selector_must_match(stage: Scene, maker: Maker) -> None:
    """H52: a template that the selector does not match is refused."""
    thing = maker.replicaset("wrong", app="a")
    thing["spec"]["template"]["metadata"]["labels"] = {"app": "b"}
    code, message = refusal(stage, thing)
    assert code == 422
    assert "spec.template.metadata.labels: Invalid value:" in message
    assert "`selector` does not match template `labels`" in message


def test_no_selector(stage: Scene, maker: Maker) -> None:
    """H52: a ReplicaSet needs a selector."""
    thing = maker.replicaset("wrong", app="a")
    del thing["spec"]["selector"]
    code, message = refusal(stage, thing)
    assert code == 422
    assert "spec.selector: Required value" in message


def test_a_bad_name(stage: Scene, maker: Maker) -> None:
    """H52: names follow RFC 1123."""
    code, message = refusal(stage, maker.replicaset("Flash_Sale", app="a"))
    assert code == 422
    assert 'metadata.name: Invalid value: "Flash_Sale": a lowercase RFC 1123 subdomain' in message


@pytest.mark.parametrize(
    ("path", "value", "wrong"),
    [
        (("restartPolicy",), "Never", 'Unsupported value: "Never": supported values: "Always"'),
        (("containers",), [], "spec.template.spec.containers: Required value"),
        (("containers", 0, "image"), "", "containers[0].image: Required value"),
        (("containers", 0, "ports", 0, "containerPort"), 70000, "must be between 1 and 65535"),
    ],
)
def test_templates_are_checked(
    stage: Scene, maker: Maker, path: tuple[Any, ...], value: object, wrong: str
) -> None:
    """H52: mistakes in the template are refused by field, before any pod is made."""
    thing = maker.replicaset("wrong", app="a")
    place: Any = thing["spec"]["template"]["spec"]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    code, message = refusal(stage, thing)
    assert code == 422
    assert wrong in message


@pytest.mark.running_pods
def test_what_the_kubelet_owns(stage: Scene, maker: Maker) -> None:
    """The resources, empty or not, and of the scheduler's condition the generation (v1.36.2)."""
    stage.create(maker.pod("fields"))
    stage.until(lambda: ready(stage.pods.now.get("fields") or GONE), "it is ready")
    path = stage.path("pods", "fields")
    entries = stage.api.get(path)["metadata"]["managedFields"]
    (own,) = (row["fieldsV1"]["f:status"] for row in entries if row["manager"] == "kubelet")
    assert own["f:resources"] == {}
    assert own["f:conditions"]['k:{"type":"PodScheduled"}'] == {"f:observedGeneration": {}}
