"""Decoding: wrong types, unknown fields, what is kept; and where the types come from."""

import copy
import importlib.util
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashsale.embedded.storage.store import encode_object
from flashsale.embedded.types import apitypes, schema, strict_decoding
from flashsale.embedded.types.api_errors import StatusError
from flashsale.embedded.types.golang import go_values
from flashsale.embedded.types.resources import ALL, PODS, REPLICA_SETS, SERVICES
from tests.embedded import recorded

ROOT = Path(__file__).parents[3]
RS = ("apps/v1", "ReplicaSet")
POD = "spec.template.spec"
PROBE = f"{POD}.containers.0.readinessProbe"
RFC3339 = "2006-01-02T15:04:05Z07:00"
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([-(10**400), 1 << 31, 3.0, "\ud800", "128Mi"])
    | st.floats()
    | st.text(st.characters(), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)


def _example(resource_name: str) -> Any:
    kinds = {"pods": "Pod", "replicasets": "ReplicaSet", "services": "Service", "nodes": "Node"}
    item = copy.deepcopy(recorded.objects(resource_name)["items"][0])
    version = "apps/v1" if resource_name == "replicasets" else "v1"
    return {"kind": kinds[resource_name], "apiVersion": version, **item}


def _rs(path: str, value: Any) -> Any:
    """The recorded ReplicaSet with one value replaced; list places are digits in the path."""
    thing = place = _example("replicasets")
    *steps, last = path.split(".")
    for step in steps:
        place = place[int(step) if step.isdigit() else step]
    place[last] = value
    return thing


def _sent(action: Callable[[], Any]) -> int:
    """Encode what an action returns or refuses with, as a server would; returns the HTTP status."""
    try:
        encode_object(action())
    except StatusError as error:
        encode_object(error.status())
        return error.code
    return 200


def test_the_committed_types_are_those_of_kubernetes() -> None:
    """Nobody edits schema.json by hand."""
    if os.environ.get("FLASHSALE_GO_MODULES") != "1":
        pytest.skip("needs Go and its modules: FLASHSALE_GO_MODULES=1 makes it run")
    path = ROOT / "tools" / "generate_schema.py"
    spec = importlib.util.spec_from_file_location("generate_schema", path)
    assert spec
    assert spec.loader
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    assert generator.encoded() == generator.TARGET.read_text("utf-8")


def test_every_served_kind_has_a_type_and_a_list() -> None:
    """What discovery announces can be decoded."""
    for resource in (one for one in ALL if "list" in one.verbs):
        for kind in (resource.kind, resource.kind + "List"):
            assert apitypes.type_of(resource.api_version, kind).name == kind
    for api_version, kind in (
        ("autoscaling/v1", "Scale"),
        ("v1", "Status"),
        ("v1", "DeleteOptions"),
    ):
        assert apitypes.knows(api_version, kind)


@pytest.mark.parametrize("case", ["wrong-kind", "unknown-field-strict", "bad-quantity"])
def test_recorded_refusals_come_out_word_for_word(case: str) -> None:
    """What a real API server refused to decode is refused with the same Status."""
    recording = recorded.error(case)
    with pytest.raises(StatusError) as refused:
        schema.decode_object(recorded.resource_of(case), recording["request"]["body"], "Strict")
    assert refused.value.code == recording["status"]
    wanted = recording["response"]
    built_elsewhere = wanted["message"].replace("k8s.io/kubernetes/pkg/", "pkg/")  # as releases say
    assert refused.value.status() == wanted | {"message": built_elsewhere}


def test_warn_drops_unknown_fields_and_says_so() -> None:
    """The default validation keeps going."""
    sent = recorded.error("unknown-field-warn")["request"]["body"]
    kept, mistakes = schema.decode_object(REPLICA_SETS, sent, "Warn")
    assert mistakes == ['unknown field "spec.replica"']
    assert "replica" not in kept["spec"]


@pytest.mark.parametrize("case", ["scale-string", "scale-huge"])
def test_a_patch_to_a_wrong_type_is_refused_word_for_word(case: str) -> None:
    """The outcome of a merge patch is decoded, and shown when that fails."""
    recording = recorded.error(case)
    shown = json.loads(
        recording["response"]["details"]["causes"][0]["message"]
        .removeprefix("Invalid value: ")
        .partition(": json: ")[0]
    )
    why = strict_decoding.type_error(json.loads(shown), "autoscaling/v1", "Scale")
    assert why
    assert schema.patch_error(shown, why).status() == recording["response"]


@pytest.mark.parametrize(
    ("path", "value", "found", "owner", "wanted"),
    [
        ("spec.replicas", "3", "string", "ReplicaSetSpec", "int32"),
        ("spec.replicas", 99999999999, "number 99999999999", "ReplicaSetSpec", "int32"),
        ("spec.replicas", 3.0, "number 3.0", "ReplicaSetSpec", "int32"),
        ("spec.replicas", True, "bool", "ReplicaSetSpec", "int32"),
        ("spec", [], "array", "ReplicaSet", "v1.ReplicaSetSpec"),
        ("metadata", "x", "string", "ReplicaSet", "v1.ObjectMeta"),
        ("metadata.labels", {"app": 1}, "number", "ObjectMeta", "string"),
        ("metadata.labels", "app=x", "string", "ObjectMeta", "map[string]string"),
        ("metadata.creationTimestamp", 5, "number", "ObjectMeta", "string"),
        (f"{POD}.containers", {}, "object", "PodSpec", "[]v1.Container"),
        (f"{POD}.containers.0.imagePullPolicy", 1, "number", "Container", "v1.PullPolicy"),
        (f"{PROBE}.ProbeHandler.httpGet.port", 5.5, "number 5.5", "HTTPGetAction", "int32"),
    ],
)  # fmt: skip
def test_a_wrong_type_is_named_as_go_names_it(
    path: str, value: Any, found: str, owner: str, wanted: str
) -> None:
    """The JSON type, the Go struct, the path without places in lists, and the Go type."""
    field = f"{owner}.{path.replace('.0', '')}"
    message = f"json: cannot unmarshal {found} into Go struct field {field} of type {wanted}"
    assert strict_decoding.type_error(_rs(path.replace(".ProbeHandler", ""), value), *RS) == message


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("now", f' as "{RFC3339}": cannot parse "now" as "2006"'),
        ("2026-01-01", f' as "{RFC3339}": cannot parse "" as "T"'),
        ("2026-13-01T00:00:00Z", ": month out of range"),
        ("2026-02-30T00:00:00Z", ": day out of range"),
        ("2026-01-01T00:00:00Zz", ': extra text: "z"'),
    ],
)
def test_a_bad_time_is_explained_as_go_explains_it(text: str, why: str) -> None:
    """Times are parsed like Go's time.Parse does."""
    wrong = strict_decoding.type_error(_rs("metadata.creationTimestamp", text), *RS)
    assert wrong == f'parsing time "{text}"{why}'


def test_a_bad_quantity_outranks_a_wrong_type_before_it() -> None:
    """A type that reads its own JSON ends Go's decoding; other mistakes are only noted."""
    thing = _rs("spec.template.spec.containers.0.resources", {"limits": {"cpu": "x"}})
    thing["spec"]["replicas"] = "three"
    assert str(strict_decoding.type_error(thing, *RS)).startswith("quantities must match")


def test_unknown_fields_are_listed_with_their_paths_in_order() -> None:
    """Places in lists are part of the path, and the document's order is kept."""
    thing = _rs("spec.replica", 3)
    thing["spec"]["template"]["spec"]["containers"][0]["imag"] = "x"
    thing["Spec"] = {}
    found = strict_decoding.unknown_fields(thing, *RS)
    assert found == ["spec.template.spec.containers[0].imag", "spec.replica", "Spec"]
    assert schema.strict_error(schema.field_mistakes(found[:1], [])) == (
        'strict decoding error: unknown field "spec.template.spec.containers[0].imag"'
    )


def test_maps_take_any_key() -> None:
    """Labels and annotations are not fields."""
    thing = _rs("metadata.labels", {"anything/goes": "x"})
    assert strict_decoding.unknown_fields(thing, *RS) == []


@pytest.mark.parametrize("name", ["pods", "replicasets", "services", "nodes"])
def test_recorded_objects_survive_decoding_unchanged(name: str) -> None:
    """What a real API server stores is known to the last field; only nulls are dropped."""
    thing = _example(name)
    for condition in thing.get("status", {}).get("conditions", []):
        condition.pop("lastProbeTime", None)  # always null
    assert strict_decoding.unknown_fields(thing, thing["apiVersion"], thing["kind"]) == []
    assert strict_decoding.type_error(thing, thing["apiVersion"], thing["kind"]) is None
    assert schema.prune(thing, thing["apiVersion"], thing["kind"]) == thing


def test_null_is_accepted_everywhere_and_dropped() -> None:
    """Clients send null for what they do not set; in lists it stands for an empty element."""
    sent = {
        "metadata": {"name": "x", "labels": None},
        "spec": {"replicas": None, "template": {"spec": {"containers": [None]}}},
    }
    assert strict_decoding.type_error(sent, *RS) is None
    assert schema.prune(sent, *RS) == {
        "metadata": {"name": "x"},
        "spec": {"template": {"spec": {"containers": [{}]}}},
    }


def test_empty_lists_and_maps_are_dropped_and_empty_structs_kept() -> None:
    """What was sent and what comes back differ there on a real server, too."""
    container = {"name": "x", "env": [], "resources": {"limits": {}}, "securityContext": {}}
    sent = {
        "metadata": {"name": "x", "labels": {}, "finalizers": []},
        "spec": {
            "selector": {"matchLabels": {}},
            "template": {"spec": {"containers": [container]}},
        },
    }
    assert schema.prune(sent, *RS) == {
        "metadata": {"name": "x"},
        "spec": {
            "selector": {},
            "template": {
                "spec": {"containers": [{"name": "x", "resources": {}, "securityContext": {}}]}
            },
        },
    }


def test_times_and_quantities_come_back_in_normal_form() -> None:
    """Python sends offsets and fractions; the API keeps UTC and whole seconds."""
    thing = _rs("metadata.creationTimestamp", "2026-11-23T04:19:59.5+01:00")
    resources = {"limits": {"cpu": 0.5, "memory": "1024Mi"}}
    thing["spec"]["template"]["spec"]["containers"][0]["resources"] = resources
    kept = schema.prune(thing, *RS)
    assert kept["metadata"]["creationTimestamp"] == "2026-11-23T03:19:59Z"
    limits = kept["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert limits == {"cpu": "500m", "memory": "1Gi"}
    lease = {"spec": {"renewTime": "2026-11-23T04:19:59.123456+00:00"}}
    assert schema.prune(lease, "coordination.k8s.io/v1", "Lease") == {
        "spec": {"renewTime": "2026-11-23T04:19:59.123456Z"}
    }


def test_kind_and_version_may_be_left_out() -> None:
    """The path says which kind is meant; only a contradiction is refused."""
    assert schema.decode_object(SERVICES, {"metadata": {"name": "x"}}) == (
        {"metadata": {"name": "x"}},
        [],
    )
    with pytest.raises(StatusError, match=r"converting \(v1.Service\) to \(core.Pod\)"):
        schema.decode_object(PODS, {"kind": "Service", "apiVersion": "v1"})


def test_what_is_no_object_at_all_has_no_kind() -> None:
    """A list or a word in place of an object is named as Go does; nothing stands for an object."""
    for body, word in (([], "array"), ("x", "string"), (3, "number")):
        assert schema.kind_error(body).startswith(f"json: cannot unmarshal {word} into Go value")
    assert schema.kind_error(None) == ""
    assert schema.kind_error({"kind": 5}) == (
        "json: cannot unmarshal number into Go struct field .kind of type string"
    )


def test_go_prints_maps_in_order() -> None:
    """The form in which a refused patch is shown."""
    patch = {"spec": {"replica": 3, "a": [True, None, "x"]}, "metadata": {}}
    assert go_values.go_printed(patch) == "map[metadata:map[] spec:map[a:[true <nil> x] replica:3]]"


@given(st.data())
def test_no_json_makes_decoding_fail_in_another_way(data: st.DataObject) -> None:
    """Whatever stands in place of a value, the answer is an object or a 400; both can be sent."""
    thing = _example(data.draw(st.sampled_from(["pods", "replicasets", "services"])))
    resource = {"Pod": PODS, "ReplicaSet": REPLICA_SETS, "Service": SERVICES}[thing["kind"]]
    place: Any = thing
    while True:
        key = data.draw(st.sampled_from(sorted(place)) if isinstance(place, dict) else st.just(0))
        inner = place[key]
        if not inner or not isinstance(inner, dict | list) or data.draw(st.booleans()):
            break
        place = inner
    place[key] = data.draw(JSON)
    assert _sent(lambda: schema.decode_object(resource, thing, "Strict")[0]) in (200, 400)


@given(JSON)
def test_pruning_alone_never_fails(body: Any) -> None:
    """Even without a check of types first, what comes out can be stored and printed."""
    encode_object(schema.prune(body, *RS))
    strict_decoding.unknown_fields(body, *RS)
    go_values.go_printed(body).encode()


@pytest.mark.parametrize("path", ["spec.replicas", "metadata.name", f"{PROBE}.httpGet.port"])
def test_numbers_that_python_cannot_print_are_refused(path: str) -> None:
    """Python refuses to write thousands of digits; the answer must not depend on that."""
    wrong = strict_decoding.type_error(_rs(path, 10**5000), *RS)
    assert wrong
    assert wrong.startswith("json: cannot unmarshal number")
    assert strict_decoding.type_error(_rs(f"{POD}.overhead", {"cpu": 10**5000}), *RS)
    assert go_values.go_printed({"n": 10**5000}) == "map[n:1e5000]"


def test_deep_nesting_is_cut_off_by_the_schema() -> None:
    """No recursion follows a document further than the types go."""
    deep: Any = {}
    for _ in range(900):
        deep = {"spec": [deep]}
    assert strict_decoding.type_error(deep, *RS)
    assert strict_decoding.unknown_fields({"nope": deep}, *RS) == ["nope"]
    assert schema.prune(deep, *RS) == {}
    assert "..." in go_values.go_printed(deep)
