"""What may not be stored, in the API server's own words and order."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashsale.embedded.storage.store import encode_object
from flashsale.embedded.types import api_errors as apierrors
from flashsale.embedded.types import schema
from flashsale.embedded.types.defaults import apply_defaults
from flashsale.embedded.types.resources import CONFIG_MAPS, NAMESPACES, PODS, REPLICA_SETS, SERVICES
from flashsale.embedded.validation import validate_create, validate_scale, validate_update
from tests.embedded import recorded
from tests.embedded.bodies import NOW, created, pod, prepared, replicaset, service


@pytest.mark.parametrize(
    "case",
    ["selector-mismatch", "bad-name", "no-image", "no-selector", "request-over-limit"],
)
def test_recorded_mistakes_come_out_word_for_word(case: str) -> None:
    """Message, causes and their order are those of a real API server."""
    recording, resource = recorded.error(case), recorded.resource_of(case)
    thing = prepared(resource, recording["request"]["body"])
    errors = validate_create(resource, thing)
    name = thing["metadata"]["name"]
    refusal = apierrors.invalid_object(resource.kind, resource.group, name, errors)
    assert refusal.status() == recording["response"]


@pytest.mark.parametrize("case", ["create-dry-run", "nodeport-taken", "nodeport-out-of-range"])
def test_what_a_real_server_finds_valid_is_valid(case: str) -> None:
    """Node ports are given out, and refused, later."""
    assert created(recorded.resource_of(case), recorded.error(case)["request"]["body"]) == []


@pytest.mark.parametrize("name", ["pods", "replicasets", "services"])
def test_stored_objects_are_valid_and_may_stay_as_they_are(name: str) -> None:
    """Nothing that a real cluster holds is refused, on create or on update."""
    resource = {"pods": PODS, "replicasets": REPLICA_SETS, "services": SERVICES}[name]
    for thing in recorded.objects(name)["items"]:
        assert validate_create(resource, thing) == []
        assert validate_update(resource, thing, thing) == []


def test_a_changed_selector_is_refused_word_for_word() -> None:
    """The mismatch comes first, then the immutable field."""
    recording = recorded.error("change-selector")
    old = recorded.objects("replicasets")["items"][0]
    new = copy.deepcopy(old)
    new["spec"]["selector"] = recording["request"]["body"]["spec"]["selector"]
    errors = validate_update(REPLICA_SETS, new, old)
    refusal = apierrors.invalid_object("ReplicaSet", "apps", "flashsale-rs", errors)
    assert refusal.status() == recording["response"]


def test_a_negative_scale_is_refused_word_for_word() -> None:
    """The kind to blame is Scale.autoscaling."""
    recording = recorded.error("scale-negative")
    errors = validate_scale(recording["request"]["body"])
    refusal = apierrors.invalid_object("Scale", "autoscaling", "flashsale-rs", errors)
    assert refusal.status() == recording["response"]
    assert validate_scale({"spec": {"replicas": 0}}) == validate_scale({}) == []


def test_a_replicaset_needs_a_template_and_a_selector_that_says_something() -> None:
    """The texts that learners meet first, the typo in the last one included."""
    without = {"metadata": {"name": "x"}, "spec": {"selector": {"matchLabels": {"app": "a"}}}}
    assert created(REPLICA_SETS, without) == [
        "spec.template.metadata.labels: Invalid value: null: "
        "`selector` does not match template `labels`",
        "spec.template.spec.containers: Required value",
    ]
    empty = replicaset()
    empty["spec"]["selector"] = {}
    assert created(REPLICA_SETS, empty) == [
        "spec.selector: Invalid value: {}: empty selector is invalid for deployment"
    ]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"replicas": -1}, "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
        (
            {"minReadySeconds": -1},
            "spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0",
        ),
    ],
    ids=["replicas", "minReadySeconds"],
)
def test_negative_numbers_of_a_replicaset_are_refused(change: Any, error: str) -> None:
    """Counts and seconds start at zero."""
    thing = replicaset()
    thing["spec"] |= change
    assert created(REPLICA_SETS, thing) == [error]


@pytest.mark.parametrize("policy", ["Never", "OnFailure"])
def test_pods_of_a_replicaset_always_restart(policy: str) -> None:
    """Other policies are for bare pods."""
    thing = replicaset()
    thing["spec"]["template"]["spec"]["restartPolicy"] = policy
    assert created(REPLICA_SETS, thing) == [
        f'spec.template.spec.restartPolicy: Unsupported value: "{policy}": '
        'supported values: "Always"'
    ]


@pytest.mark.parametrize(
    ("labels", "start"),
    [
        ({"a b": "x"}, 'metadata.labels: Invalid value: "a b": name part must consist of'),
        ({"a": "-x"}, 'metadata.labels: Invalid value: "-x": a valid label must be'),
        ({"a": "x" * 64}, f'metadata.labels: Invalid value: "{"x" * 64}": must be no more than 63'),
        ({"/a": "x"}, 'metadata.labels: Invalid value: "/a": prefix part must be non-empty'),
        ({"a/b/c": "x"}, 'metadata.labels: Invalid value: "a/b/c": a valid label key must'),
    ],
    ids=["key", "value", "length", "prefix", "slashes"],
)
def test_labels_have_a_syntax(labels: dict[str, str], start: str) -> None:
    """Keys may have a prefix, values may be empty."""
    thing = pod()
    thing["metadata"]["labels"] = labels
    (error,) = created(PODS, thing)
    assert error.startswith(start)


def test_annotations_have_a_size() -> None:
    """Keys and values together."""
    thing = pod()
    thing["metadata"]["annotations"] = {"a": "x" * 262144}
    assert created(PODS, thing) == [
        "metadata.annotations: Too long: may not be more than 262144 bytes"
    ]


def test_every_object_has_a_name() -> None:
    """A generated one counts; its base may end in a hyphen."""
    assert created(CONFIG_MAPS, {"metadata": {}}) == [
        "metadata.name: Required value: name or generateName is required"
    ]
    named = {"metadata": {"generateName": "a-", "name": "a-x7k2p"}}
    assert created(CONFIG_MAPS, named) == []


def test_names_of_services_and_namespaces_are_labels() -> None:
    """Since 1.36 a Service's name may begin with a digit, but may not have dots."""
    thing = service()
    thing["metadata"]["name"] = "1abc"
    assert created(SERVICES, thing) == []
    thing["metadata"]["name"] = "Bad_N"
    assert created(SERVICES, thing) == [
        'metadata.name: Invalid value: "Bad_N": a lowercase RFC 1123 label must consist of lower '
        "case alphanumeric characters or '-', and must start and end with an alphanumeric "
        "character (e.g. 'my-name',  or '123-abc', regex used for validation is "
        "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
    ]
    (error,) = created(NAMESPACES, {"metadata": {"name": "a.b"}})
    assert error == 'metadata.name: Invalid value: "a.b": must not contain dots'


def test_an_object_that_is_going_gets_no_new_finalizers() -> None:
    """It could otherwise be kept forever."""
    old = copy.deepcopy(recorded.objects("services")["items"][0])
    old["metadata"]["deletionTimestamp"] = "2026-11-23T03:20:00Z"
    new = copy.deepcopy(old)
    new["metadata"]["finalizers"] = ["example.com/hold"]
    error = validate_update(SERVICES, new, old)[0]
    assert error.field == "metadata.finalizers"
    assert "no new finalizers can be added" in error.body


@given(st.data())
def test_whatever_decodes_can_be_judged(data: st.DataObject) -> None:
    """Odd but well-typed objects are found valid or not; nothing else happens."""
    resource = data.draw(st.sampled_from([PODS, REPLICA_SETS, SERVICES]))
    body = {PODS: pod(), REPLICA_SETS: replicaset(), SERVICES: service()}[resource]
    place: Any = json.loads(json.dumps(body))
    thing = place
    odd = st.sampled_from([None, "", "x", -1, 0, 1 << 40, [], {}, [None], [{}], {"a": "b"}])
    while True:
        key = data.draw(st.sampled_from(sorted(place)) if isinstance(place, dict) else st.just(0))
        if not place[key] or not isinstance(place[key], dict | list) or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(odd)
    pruned = schema.prune(thing, resource.api_version, resource.kind)
    pruned.setdefault("metadata", {}).setdefault("namespace", "default")
    filled = apply_defaults(resource, pruned, now=NOW)
    errors = validate_create(resource, filled) + validate_update(resource, filled, filled)
    assert encode_object(
        apierrors.invalid_object(resource.kind, resource.group, "x", errors).status()
    )
