"""Writing with care: conflicts, preconditions, patches of every kind."""

from __future__ import annotations

import pytest

from tests.conformance.api import APPLY, JSON_PATCH, MERGE, STRATEGIC, Object
from tests.conformance.manifests import NOWHERE, Maker, service
from tests.conformance.scene import Scene


@pytest.fixture(scope="module")
def written(stage: Scene, maker: Maker) -> Scene:
    """The exercise's ReplicaSet without a pod, and its Service."""
    replicaset = maker.replicaset(replicas=0, env={"COLOUR": "red", "SIZE": "big"}, **NOWHERE)
    stage.create(replicaset, service())
    stage.until(lambda: settled(current(stage)), "it is settled")
    return stage


def current(scene: Scene) -> Object:
    """Fetch the ReplicaSet."""
    found: Object = scene.api.get(scene.path("replicasets", "flashsale-rs"))
    return found


def settled(thing: Object) -> bool:
    """Whether the controller has seen the newest generation; it writes its status then."""
    return bool(thing["status"].get("observedGeneration") == thing["metadata"]["generation"])


def test_a_stale_replacement(written: Scene) -> None:
    """H66: replacing what somebody else changed meanwhile is a conflict."""
    stale = current(written)
    written.patch("replicasets", "flashsale-rs", {"metadata": {"annotations": {"newer": "yes"}}})
    answer = written.api.send("PUT", written.path("replicasets", "flashsale-rs"), stale)
    assert (answer.status, answer.json["reason"]) == (409, "Conflict")
    assert answer.message == (
        'Operation cannot be fulfilled on replicasets.apps "flashsale-rs": the object has been '
        "modified; please apply your changes to the latest version and try again"
    )


def test_a_replacement_without_a_version(written: Scene) -> None:
    """H66: without a resourceVersion a replacement is unconditional, and needs no Content-Type."""
    thing = current(written)
    del thing["metadata"]["resourceVersion"]
    thing["metadata"]["labels"]["replaced"] = "yes"
    path = written.path("replicasets", "flashsale-rs")
    assert written.api.send("PUT", path, thing, content_type="").status == 200
    assert current(written)["metadata"]["labels"]["replaced"] == "yes"


def test_a_write_that_changes_nothing(written: Scene) -> None:
    """H66: it keeps the resourceVersion, so no watch hears of it."""
    before = current(written)
    answer = written.api.send("PUT", written.path("replicasets", "flashsale-rs"), before)
    assert answer.json["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


def test_preconditions(written: Scene, maker: Maker) -> None:
    """H66: a deletion may insist on a uid and a version."""
    written.create(maker.pod("kept", **NOWHERE))
    uid = written.api.get(written.path("pods", "kept"))["metadata"]["uid"]
    wrong = {"uid": "not-it"}, {"uid": uid, "resourceVersion": "1"}
    for preconditions in wrong:
        path = written.path("pods", "kept")
        answer = written.api.send("DELETE", path, {"preconditions": preconditions})
        assert answer.status == 409
        assert answer.message.startswith('Operation cannot be fulfilled on Pod "kept": the ')
    written.delete("pods", "kept", preconditions={"uid": uid})
    written.until(lambda: "kept" not in written.pods.now, "it is gone")


def test_a_deletion_as_a_dry_run(written: Scene, maker: Maker) -> None:
    """H66: with dryRun nothing is deleted."""
    written.create(maker.pod("spared", **NOWHERE))
    uid = written.delete("pods", "spared", dryRun=["All"])["metadata"]["uid"]
    pod = written.api.get(written.path("pods", "spared"))["metadata"]
    assert pod["uid"] == uid
    assert "deletionTimestamp" not in pod


def test_json_patch(written: Scene) -> None:
    """H67: a JSON patch, and kubectl's word when it changes nothing."""
    change = '[{"op":"replace","path":"/spec/minReadySeconds","value":2}]'
    written.patch("replicasets", "flashsale-rs", {"spec": {"minReadySeconds": 1}})
    command = f"patch rs flashsale-rs --type=json -p '{change}'"
    assert written.kubectl(command).lines == ["replicaset.apps/flashsale-rs patched"]
    written.until(lambda: settled(current(written)), "the controller has written its status")
    assert written.kubectl(command).lines == ["replicaset.apps/flashsale-rs patched (no change)"]
    assert current(written)["spec"]["minReadySeconds"] == 2


@pytest.mark.parametrize(
    "change",
    [
        '[{"op":"test","path":"/spec/replicas","value":99}]',
        '[{"op":"remove","path":"/spec/nothing"}]',
    ],
)
def test_a_json_patch_that_does_not_fit(written: Scene, change: str) -> None:
    """H67: a failed test or a missing path is refused as a whole."""
    done = written.kubectl(f"patch rs flashsale-rs --type=json -p '{change}'", code=1)
    assert "the server rejected our request due to an error in our request" in done.err


def test_merge_patch(written: Scene) -> None:
    """H67: a merge patch sets and, with null, removes."""
    for value, there in (("yes", True), (None, False)):
        written.patch("replicasets", "flashsale-rs", {"metadata": {"labels": {"merged": value}}})
        assert ("merged" in current(written)["metadata"]["labels"]) is there


def test_strategic_patch(written: Scene) -> None:
    """H67: a strategic patch finds containers and variables by name, and leaves the rest."""
    before = current(written)["spec"]["template"]["spec"]["containers"][0]
    change = (
        '{"spec":{"template":{"spec":{"containers":[{"name":"flashsale-container",'
        '"env":[{"name":"COLOUR","value":"blue"},{"name":"SHAPE","value":"round"}]}]}}}}'
    )
    done = written.kubectl(f"patch rs flashsale-rs -p '{change}'")
    assert done.lines == ["replicaset.apps/flashsale-rs patched"]
    after = current(written)["spec"]["template"]["spec"]["containers"][0]
    env = {entry["name"]: entry["value"] for entry in after["env"]}
    assert env == {"COLOUR": "blue", "SIZE": "big", "SHAPE": "round"}
    assert after["image"] == before["image"]


def test_strategic_delete(written: Scene) -> None:
    """H67: `$patch: delete` takes one element out of a list."""
    gone = {"name": "SIZE", "$patch": "delete"}
    containers = [{"name": "flashsale-container", "env": [gone]}]
    change = {"spec": {"template": {"spec": {"containers": containers}}}}
    written.api.patch(written.path("replicasets", "flashsale-rs"), change, STRATEGIC)
    env = current(written)["spec"]["template"]["spec"]["containers"][0]["env"]
    assert "SIZE" not in [entry["name"] for entry in env]


def test_a_merge_patch_replaces_lists(written: Scene) -> None:
    """H67: a merge patch knows no names: containers without an image are refused."""
    change = '{"spec":{"template":{"spec":{"containers":[{"name":"flashsale-container"}]}}}}'
    done = written.kubectl(f"patch rs flashsale-rs --type=merge -p '{change}'", code=1)
    assert "spec.template.spec.containers[0].image: Required value" in done.err


def test_service_ports_merge_by_number(written: Scene) -> None:
    """H67: a Service's ports are found by their number."""
    change = '{"spec":{"ports":[{"port":81,"name":"more","targetPort":5001}]}}'
    written.kubectl(f"patch svc flashsale-svc -p '{change}'")
    ports = written.api.get(written.path("services", "flashsale-svc"))["spec"]["ports"]
    assert {port["port"] for port in ports} == {80, 81}


@pytest.mark.parametrize(
    ("content_type", "status"),
    [("text/plain", 415), ("application/vnd.kubernetes.protobuf", 415), (MERGE, 404),
     (STRATEGIC, 404), (JSON_PATCH, 404)],
)  # fmt: skip
def test_patches_of_what_is_not_there(written: Scene, content_type: str, status: int) -> None:
    """H67: only server-side apply creates; an unknown kind of patch is told so."""
    body: object = [] if content_type == JSON_PATCH else {}
    path = written.path("replicasets", "nope")
    answer = written.api.send("PATCH", path, body, content_type=content_type)
    assert answer.status == status


def test_apply_needs_a_manager(written: Scene, maker: Maker) -> None:
    """H7: server-side apply asks who applies."""
    thing = maker.replicaset("nameless")
    path = written.path("replicasets", "nameless")
    answer = written.api.send("PATCH", path, thing, content_type=APPLY)
    assert answer.status == 422
    assert "fieldManager: Required value: is required for apply patch" in answer.message


def test_protobuf_is_refused(written: Scene) -> None:
    """H9: bodies that nobody can read are refused with a list of what is read."""
    path = written.path("services")
    body = b"k8s\x00\x0a"
    answer = written.api.send("POST", path, body, content_type="application/x-nonsense")
    assert (answer.status, answer.json["reason"]) == (415, "UnsupportedMediaType")
    assert "application/json" in answer.message


def test_kubectl_creates_a_namespace(written: Scene) -> None:
    """H9: it sends that one as protobuf, and takes JSON for an answer."""
    name = f"{written.namespace}-more"
    try:
        done = written.kubectl(f"create namespace {name}")
        assert done.lines == [f"namespace/{name} created"]
        again = written.kubectl(f"create namespace {name}", code=1)
        assert f'namespaces "{name}" already exists' in again.err
    finally:
        written.api.send("DELETE", f"/api/v1/namespaces/{name}")


def test_a_stuck_namespace_is_let_go_of(written: Scene) -> None:
    """H9: `finalize` takes other finalizers, and with none the namespace goes, empty or not."""
    name = f"{written.namespace}-stuck"
    place = f"/api/v1/namespaces/{name}"
    namespace = written.api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    held = {"metadata": {"name": "held", "finalizers": ["example.com/held"]}}
    written.api.create(f"{place}/configmaps", held)
    misspelt = namespace | {"spec": {"finalizers": ["kubernetes", "nobody"]}}
    del misspelt["metadata"]["resourceVersion"]
    refused = written.api.send("PUT", f"{place}/finalize", misspelt)
    assert (refused.status, refused.json["details"]["causes"][0]["field"]) == (
        422,
        "spec.finalizers[1]",
    )
    assert written.api.send("GET", f"{place}/finalize").status == 405
    written.api.send("DELETE", place)
    assert written.api.get(place)["metadata"]["deletionTimestamp"]
    try:
        let_go = written.api.send("PUT", f"{place}/finalize", namespace | {"spec": {}})
        assert let_go.status == 200
        assert written.api.send("GET", place).status == 404
        path, nobody = f"{place}/configmaps/held", {"metadata": {"finalizers": None}}
        stranded = written.api.send("PATCH", path, nobody, content_type=MERGE)
        assert (stranded.status, stranded.json["details"]["kind"]) == (404, "namespaces")
        written.api.create("/api/v1/namespaces", {"metadata": {"name": name}})
        written.api.patch(path, nobody)
    finally:
        written.api.send("DELETE", place)


def test_yaml_is_read(written: Scene) -> None:
    """H9: a YAML body is as good as JSON."""
    body = b"apiVersion: v1\nkind: Service\nmetadata: {name: yaml}\nspec: {ports: [{port: 80}]}\n"
    path = written.path("services")
    assert written.api.send("POST", path, body, content_type="application/yaml").status == 201


def test_names_must_agree(written: Scene) -> None:
    """H66: the object's name and namespace must be the path's."""
    thing = current(written)
    answer = written.api.send("PUT", written.path("replicasets", "other"), thing)
    assert answer.status in (400, 404)
    stranger = service("stranger")
    stranger["metadata"]["namespace"] = "default"
    answer = written.api.send("POST", written.path("services"), stranger)
    assert (answer.status, answer.json["reason"]) == (400, "BadRequest")
    assert "does not match the namespace sent on the request" in answer.message


def test_what_clients_cannot_set(written: Scene, maker: Maker) -> None:
    """H23: uid, creation, generation and status are the server's."""
    thing = maker.replicaset("proud", replicas=0, app="proud")
    thing["metadata"] |= {
        "uid": "mine",
        "generation": 99,
        "creationTimestamp": "2001-01-01T00:00:00Z",
    }
    thing["status"] = {"replicas": 7}
    created = written.api.create(written.path("replicasets"), thing)
    assert created["metadata"]["uid"] != "mine"
    assert created["metadata"]["generation"] == 1
    assert not created["metadata"]["creationTimestamp"].startswith("2001")
    assert created["status"]["replicas"] == 0


def test_wrong_methods(written: Scene) -> None:
    """H9: a method that makes no sense on an object is not allowed."""
    answer = written.api.send("POST", written.path("replicasets", "flashsale-rs"), {})
    assert (answer.status, answer.json["reason"]) == (405, "MethodNotAllowed")
    missing = written.api.send("POST", "/api/v1/namespaces/no-such/pods", {"kind": "Pod"})
    assert missing.status in (400, 404)


def test_a_pod_is_given_to_a_node_by_hand(written: Scene) -> None:
    """As a scheduler does it, once: a second binding is a conflict."""
    container = {"name": "c", "image": "flashsale:1.0"}
    spec = {"schedulerName": "nobody", "containers": [container]}
    written.api.create(written.path("pods"), {"metadata": {"name": "by-hand"}, "spec": spec})
    nodes = written.api.get("/api/v1/nodes")["items"]
    node = nodes[0]["metadata"]["name"] if nodes else "nowhere"
    binding = {"metadata": {"name": "by-hand"}, "target": {"kind": "Node", "name": node}}
    path = written.path("pods", "by-hand")
    assert written.api.send("POST", f"{path}/binding", binding).status == 201
    assert written.api.get(path)["spec"]["nodeName"] == node
    again = written.api.send("POST", f"{path}/binding", binding)
    assert (again.status, again.json["reason"]) == (409, "Conflict")
    assert again.message == (
        'Operation cannot be fulfilled on pods/binding "by-hand": pod by-hand is already assigned '
        f'to node "{node}"'
    )


def test_a_list_comes_in_pieces(written: Scene) -> None:
    """All pieces together are the list."""
    path = written.path("services").replace("services", "configmaps")
    for name in ("piece-1", "piece-2", "piece-3"):
        written.api.create(path, {"metadata": {"name": name, "labels": {"in": "pieces"}}})
    found, onward = [], ""
    for _ in range(3):
        query = f"?labelSelector=in%3Dpieces&limit=1&continue={onward}"
        piece = written.api.get(path + query)
        found += [item["metadata"]["name"] for item in piece["items"]]
        onward = piece["metadata"].get("continue", "")
    assert (found, onward) == (["piece-1", "piece-2", "piece-3"], "")
