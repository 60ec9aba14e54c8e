"""What a write keeps, drops and fills in: fields that Go always prints, owners, status."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conformance.api import APPLY, JSON_PATCH, MERGE, STRATEGIC, Answer, Object
from tests.conformance.manifests import NOWHERE, Maker, service
from tests.conformance.scene import Scene

NAME = "flashsale-rs"
EVENT = {
    "metadata": {"name": "told"},
    "reason": "Sold",
    "message": "m",
    "type": "Normal",
}
IGNORED = "the embedded cluster follows 1.36, and this is {}"


@pytest.fixture(scope="module")
def written(stage: Scene, maker: Maker) -> Scene:
    """A ReplicaSet without a pod, a pod without a node, and a Service."""
    version = stage.api.get("/version")["gitVersion"]
    if not version.startswith("v1.36."):
        pytest.skip(IGNORED.format(version))
    stage.create(maker.replicaset(replicas=0, **NOWHERE), maker.pod("waiting", **NOWHERE))
    stage.create(service())
    return stage


def dry(
    scene: Scene, path: str, body: Any, method: str = "POST", kind: str = "application/json"
) -> Answer:
    """Send what is not to be kept."""
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return scene.api.send(method, f"{path}?dryRun=All", data, content_type=kind)


def container(scene: Scene, **fields: Any) -> Object:
    """Return a container of a new pod with these fields, as it is stored."""
    spec = {"containers": [{"name": "c", "image": "x:1"} | fields]}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "v"}, "spec": spec}
    answer = dry(scene, scene.path("pods"), body)
    assert answer.status == 201, answer.message
    stored: Object = answer.json["spec"]["containers"][0]
    return stored


def own(answer: Answer) -> Object:
    """Return the fields of an object's only manager."""
    (entry,) = answer.json["metadata"]["managedFields"]
    fields: Object = entry["fieldsV1"]
    return fields


def test_a_divisor_is_always_written(written: Scene) -> None:
    """A variable that is a container's limit says by what it is divided."""
    reference = {"resourceFieldRef": {"resource": "limits.cpu"}}
    stored = container(written, env=[{"name": "CPU", "valueFrom": reference}])
    assert stored["env"][0]["valueFrom"]["resourceFieldRef"]["divisor"] == "0"


def test_fields_of_features_that_are_off(written: Scene) -> None:
    """They are dropped without a word: a stop signal of a container's own."""
    assert "lifecycle" not in container(written, lifecycle={"stopSignal": "SIGUSR1"})


def test_both_names_of_the_account(written: Scene, maker: Maker) -> None:
    """A template that names its account by one field has both."""
    body = maker.replicaset("other")
    body["spec"]["template"]["spec"]["serviceAccountName"] = "x"
    made = dry(written, written.path("replicasets"), body)
    assert made.json["spec"]["template"]["spec"]["serviceAccount"] == "x"


def test_owners_of_an_event(written: Scene) -> None:
    """Fields that are printed although they are empty belong to nobody."""
    about = {"kind": "Pod", "name": "waiting", "namespace": written.namespace}
    answer = dry(written, written.path("events"), EVENT | {"involvedObject": about})
    assert set(own(answer)) == {"f:involvedObject", "f:message", "f:reason", "f:type"}


def test_owners_of_lists_with_equal_keys(written: Scene, maker: Maker) -> None:
    """Elements that cannot be told apart are owned as one."""
    port = {"containerPort": 5000}
    body = maker.replicaset("other")
    body["spec"]["template"]["spec"]["containers"][0]["ports"] = [port, port]
    answer = dry(written, written.path("replicasets"), body)
    spec = own(answer)["f:spec"]["f:template"]["f:spec"]
    (fields,) = (value for key, value in spec["f:containers"].items() if key.startswith("k:"))
    key = 'k:{"containerPort":5000,"protocol":"TCP"}'
    assert fields["f:ports"] == {".": {}, key: {}}


@pytest.mark.parametrize("entries", [[], [{}]], ids=["none", "an empty one"])
def test_owners_that_are_forgotten(written: Scene, entries: list[Object]) -> None:
    """A client that sends no managers, or an empty one, resets them."""
    change = {"metadata": {"managedFields": entries}}
    answer = dry(written, written.path("replicasets", NAME), change, "PATCH", MERGE)
    assert "managedFields" not in answer.json["metadata"]


def test_labels_through_the_status(written: Scene) -> None:
    """A write of the status may change labels, and nothing of the spec."""
    path = f"{written.path('replicasets', NAME)}/status"
    change = {"metadata": {"labels": {"seen": "yes"}}, "spec": {"replicas": 9}}
    answer = dry(written, path, change, "PATCH", MERGE)
    assert answer.json["metadata"]["labels"]["seen"] == "yes"
    assert answer.json["spec"]["replicas"] == 0


@pytest.mark.parametrize(
    ("kind", "name", "status", "message"),
    [
        (
            "replicasets",
            NAME,
            {"replicas": 1, "readyReplicas": 2},
            f'ReplicaSet.apps "{NAME}" is invalid: status.readyReplicas: Invalid value: 2: '
            "cannot be greater than status.replicas",
        ),
        (
            "services",
            "flashsale-svc",
            {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}},
            'Service "flashsale-svc" is invalid: status.loadBalancer.ingress: Forbidden: '
            "may only be used when `spec.type` is 'LoadBalancer'",
        ),
    ],
)
def test_a_status_that_cannot_be(
    written: Scene, kind: str, name: str, status: Object, message: str
) -> None:
    """The numbers of a status must fit, and only a load balancer has an address outside."""
    path = f"{written.path(kind, name)}/status"
    answer = dry(written, path, {"status": status}, "PATCH", MERGE)
    assert (answer.status, answer.message) == (422, message)


def test_tolerations_come_back(written: Scene) -> None:
    """Who takes a pod's default tolerations away gets them again."""
    path = written.path("pods", "waiting")
    pod = written.api.get(path)
    answer = dry(written, path, pod | {"spec": pod["spec"] | {"tolerations": []}}, "PUT")
    assert answer.json["spec"]["tolerations"] == pod["spec"]["tolerations"]


def test_a_lease_says_what_it_has_seen(written: Scene) -> None:
    """It is not replaced without a resourceVersion."""
    lease = {"metadata": {"name": "held"}, "spec": {"holderIdentity": "me"}}
    path = f"/apis/coordination.k8s.io/v1/namespaces/{written.namespace}/leases"
    written.api.create(path, lease)
    answer = dry(written, f"{path}/held", lease, "PUT")
    assert (answer.status, answer.message) == (
        422,
        'leases.coordination.k8s.io "held" is invalid: metadata.resourceVersion: Invalid value: 0: '
        "must be specified for an update",
    )


def test_a_key_that_a_patch_has_twice(written: Scene) -> None:
    """It is taken, and warned of."""
    body = '{"metadata":{"labels":{"a":"b"},"labels":{"c":"d"}}}'
    answer = dry(written, written.path("replicasets", NAME), body, "PATCH", MERGE)
    assert answer.headers["Warning"] == '299 - "duplicate field \\"metadata.labels\\""'


def test_a_patch_to_another_kind(written: Scene) -> None:
    """What comes of a patch must still be of its kind."""
    path = written.path("services", "flashsale-svc")
    answer = dry(written, path, {"kind": "Shop"}, "PATCH", MERGE)
    assert answer.status == 422
    assert 'no kind "Shop" is registered for version "v1" in scheme' in answer.message


def test_a_patched_object_is_printed_in_order(written: Scene) -> None:
    """A refusal prints maps that a JSON patch went through sorted, what it added among them."""
    change = [{"op": "add", "path": "/metadata/annotations", "value": "x"}]
    path = written.path("services", "flashsale-svc")
    answer = dry(written, path, change, "PATCH", JSON_PATCH)
    shown = answer.message.partition('"metadata\\":{')[2]
    assert shown.index("annotations") < shown.index("creationTimestamp")


@pytest.mark.parametrize(
    ("meta", "why"),
    [
        (
            {"namespace": "elsewhere"},
            "the namespace of the provided object does not match the namespace sent on the request",
        ),
        ({"managedFields": []}, "metadata.managedFields must be nil"),
    ],
)
def test_a_configuration_of_another_place(written: Scene, meta: Object, why: str) -> None:
    """Server-side apply refuses another namespace, and managers of the client's own."""
    body = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": NAME} | meta}
    path = f"{written.path('replicasets', NAME)}?dryRun=All&fieldManager=me"
    answer = written.api.send("PATCH", path, json.dumps(body).encode(), content_type=APPLY)
    assert (answer.status, answer.message) == (400, why)


def test_a_scalar_where_a_map_should_be(written: Scene) -> None:
    """Server-side apply prints a wrong value as Go does."""
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "labels": "x"}}
    path = f"{written.path('services', 's')}?dryRun=All&fieldManager=me"
    answer = written.api.send("PATCH", path, json.dumps(body).encode(), content_type=APPLY)
    assert answer.message == (
        "failed to create typed patch object (/s; /v1, Kind=Service): "
        ".metadata.labels: expected map, got &{x}"
    )


@pytest.mark.parametrize("subresource", ["resize", "ephemeralcontainers"])
def test_subresources_that_can_be_read(written: Scene, subresource: str) -> None:
    """They answer with the pod."""
    path = written.path("pods", "waiting")
    assert written.api.get(f"{path}/{subresource}") == written.api.get(path)
    assert written.api.send("POST", f"{path}/{subresource}").status == 405


@pytest.mark.parametrize("subresource", ["resize", "ephemeralcontainers"])
def test_a_change_of_nothing_through_them(written: Scene, subresource: str) -> None:
    """An empty patch is answered with the pod as it is."""
    path = f"{written.path('pods', 'waiting')}/{subresource}"
    assert written.api.send("PATCH", path, b"{}", content_type=MERGE).status == 200


def test_names_are_quoted_as_go_quotes(written: Scene) -> None:
    """A name that nobody can have comes back escaped."""
    answer = written.api.send("GET", written.path("pods", "a%5Ct%22b"))
    assert answer.message == 'pods "a\\\\t\\"b" not found'


def test_a_template_with_no_labels(written: Scene, maker: Maker) -> None:
    """It is printed as it was sent: empty, not null."""
    body = maker.replicaset("other")
    body["spec"]["template"]["metadata"]["labels"] = {}
    assert dry(written, written.path("replicasets"), body).message == (
        'ReplicaSet.apps "other" is invalid: spec.template.metadata.labels: Invalid value: {}: '
        "`selector` does not match template `labels`"
    )


def test_replicas_that_nobody_owns(written: Scene) -> None:
    """A Scale leaves out a zero: then nobody owns the replicas, and no later Scale does."""
    path = written.path("replicasets", NAME)
    for replicas in (1, 0, 1, 0):
        written.api.patch(f"{path}/scale", {"spec": {"replicas": replicas}})
    entries = written.api.get(path)["metadata"]["managedFields"]
    assert not [row for row in entries if "f:replicas" in row["fieldsV1"].get("f:spec", {})]


def test_a_scale_of_a_wrong_type(written: Scene) -> None:
    """A strategic merge patch is printed as it was sent."""
    path = f"{written.path('replicasets', NAME)}/scale"
    answer = dry(written, path, {"spec": {"replicas": "x"}}, "PATCH", STRATEGIC)
    assert (answer.status, answer.message) == (
        422,
        ' "" is invalid: patch: Invalid value: "map[spec:map[replicas:x]]": '
        "unrecognized type: int32",
    )


def test_a_configuration_of_a_new_object_without_a_name(written: Scene) -> None:
    """Server-side apply wants the name in the object too."""
    body = {"apiVersion": "v1", "kind": "Service"}
    path = f"{written.path('services', 'fresh')}?dryRun=All&fieldManager=me"
    answer = written.api.send("PATCH", path, json.dumps(body).encode(), content_type=APPLY)
    assert (answer.status, answer.message) == (
        400,
        "the name of the object (fresh based on URL) was undeterminable: name must be provided",
    )


def test_a_deleted_account_is_answered(written: Scene) -> None:
    """Deleting a ServiceAccount answers with it, as for pods and Services."""
    path = f"/api/v1/namespaces/{written.namespace}/serviceaccounts"
    written.api.create(path, {"metadata": {"name": "gone"}})
    assert written.api.send("DELETE", f"{path}/gone").json["kind"] == "ServiceAccount"
