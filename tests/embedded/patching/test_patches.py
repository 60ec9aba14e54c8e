"""The three kinds of patches. Bodies marked as kubectl's were captured from kubectl 1.37.1."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashsale.embedded.patching.json_patch import json_patch
from flashsale.embedded.patching.patches import (
    JSON_PATCH,
    MERGE_PATCH,
    STRATEGIC_MERGE_PATCH,
    apply_patch,
    merge_patch,
)
from flashsale.embedded.patching.strategic import strategic_merge_patch
from flashsale.embedded.types.api_errors import StatusError
from flashsale.objects.models import Object
from tests.embedded.orderly_refusals import OK, outcome

CONTAINER = "flashsale-container"
REPLICASET: Object = {
    "apiVersion": "apps/v1",
    "kind": "ReplicaSet",
    "metadata": {
        "name": "flashsale-rs",
        "namespace": "default",
        "labels": {"app": "flashsale"},
        "annotations": {"note": "old"},
        "finalizers": ["a.b/c", "d.e/f"],
    },
    "spec": {
        "replicas": 3,
        "selector": {"matchLabels": {"app": "flashsale"}},
        "template": {
            "metadata": {"labels": {"app": "flashsale"}},
            "spec": {
                "containers": [
                    {
                        "name": CONTAINER,
                        "image": "flashsale:1.0",
                        "ports": [{"containerPort": 5000, "protocol": "TCP"}],
                        "env": [{"name": "A", "value": "1"}, {"name": "Z", "value": "26"}],
                        "args": ["x"],
                        "resources": {"limits": {"cpu": "500m"}},
                    }
                ],
                "terminationGracePeriodSeconds": 30,
                "volumes": [{"name": "v", "hostPath": {"path": "/tmp", "type": ""}}],
            },
        },
    },
}
SERVICE: Object = {
    "apiVersion": "v1",
    "kind": "Service",
    "spec": {
        "ports": [
            {"name": "http", "port": 80, "targetPort": 5000, "nodePort": 31735, "protocol": "TCP"}
        ]
    },
}
ORDER = {"$setElementOrder/containers": [{"name": CONTAINER}]}
NAMES = (
    *("a", "b", "metadata", "spec", "containers", "ports", "finalizers", "env", "name", "port"),
    *("containerPort", "$patch", "$retainKeys", "$setElementOrder/containers"),
    *("$setElementOrder/finalizers", "$deleteFromPrimitiveList/finalizers"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab~/$", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from(("a", "b", "spec", "metadata")), JSON, max_size=3)
PLAIN = st.recursive(  # without null, which a merge patch cannot set
    st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)
    ),
    max_leaves=6,
)
PLAIN_OBJECTS = st.dictionaries(st.sampled_from("abcd"), PLAIN, max_size=3)


def container(replicaset: Object) -> Object:
    """The first container of a ReplicaSet's template."""
    found: Object = replicaset["spec"]["template"]["spec"]["containers"][0]
    return found


def in_container(change: Object, **others: Any) -> Object:
    """A strategic patch as kubectl sends it for a change of the one container."""
    containers = [change | {"name": CONTAINER}]
    return {"spec": {"template": {"spec": ORDER | {"containers": containers} | others}}}


def patched(patch: Object, live: Object = REPLICASET) -> Object:
    """The outcome of a strategic merge patch, which must leave its arguments alone."""
    before = copy.deepcopy((live, patch))
    result = strategic_merge_patch(live, patch)
    assert (live, patch) == before
    return result


def test_kubectl_apply_changes_and_resets_replicas() -> None:
    """A new count is set; one that left the manifest is deleted, for the default to come back."""
    assert patched({"spec": {"replicas": 5}})["spec"]["replicas"] == 5
    assert "replicas" not in patched({"spec": {"replicas": None}})["spec"]


def test_kubectl_apply_replaces_labels_key_by_key() -> None:
    """`app` left the manifest and `tier` came."""
    patch = {"metadata": {"labels": {"app": None, "tier": "web"}}}
    assert patched(patch)["metadata"]["labels"] == {"tier": "web"}


def test_kubectl_apply_adds_variables_in_its_order_before_those_it_does_not_know() -> None:
    """Elements merge by name, new ones come in the patch's order, the rest stays."""
    env = [{"name": "B", "value": "2"}, {"name": "A", "value": "9"}]
    result = container(patched(in_container({"env": env})))
    assert [(item["name"], item["value"]) for item in result["env"]] == [
        ("B", "2"),
        ("A", "9"),
        ("Z", "26"),
    ]
    assert result["image"] == "flashsale:1.0"


def test_kubectl_apply_puts_a_new_container_where_the_manifest_has_it() -> None:
    """`$setElementOrder` decides, and the new element need not name the known ones."""
    order = [{"name": "sidecar"}, {"name": CONTAINER}]
    sidecar = {"image": "x:1", "name": "sidecar"}
    change = {"$setElementOrder/containers": order, "containers": [sidecar]}
    result = patched({"spec": {"template": {"spec": change}}})
    containers = result["spec"]["template"]["spec"]["containers"]
    assert containers == [sidecar, container(REPLICASET)]


def test_kubectl_apply_of_a_renamed_container_deletes_the_old_one() -> None:
    """The `$patch: delete` element names the one that goes; it does not stay behind itself."""
    renamed = {"image": "flashsale:1.0", "name": "other"}
    change = {
        "$setElementOrder/containers": [{"name": "other"}],
        "containers": [renamed, {"$patch": "delete", "name": CONTAINER}],
    }
    result = patched({"spec": {"template": {"spec": change}}})
    assert result["spec"]["template"]["spec"]["containers"] == [renamed]


def test_kubectl_apply_without_ports_removes_them() -> None:
    """null deletes a list."""
    assert "ports" not in container(patched(in_container({"ports": None})))


def test_kubectl_apply_merges_ports_by_number() -> None:
    """containerPort is the key here, whatever the protocol."""
    change = {
        "$setElementOrder/ports": [{"containerPort": 5001}, {"containerPort": 5000}],
        "ports": [{"containerPort": 5001}, {"containerPort": 5000, "name": "http"}],
    }
    assert container(patched(in_container(change)))["ports"] == [
        {"containerPort": 5001},
        {"containerPort": 5000, "protocol": "TCP", "name": "http"},
    ]


def test_kubectl_apply_replaces_lists_without_a_key() -> None:
    """args is one value."""
    assert container(patched(in_container({"args": ["a", "b"]})))["args"] == ["a", "b"]


def test_kubectl_apply_adds_a_hook_and_a_grace_period() -> None:
    """Maps that were not there are taken as they come."""
    hook = {"preStop": {"sleep": {"seconds": 5}}}
    patch = in_container({"lifecycle": hook}, terminationGracePeriodSeconds=40)
    result = patched(patch)
    assert container(result)["lifecycle"] == hook
    assert result["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 40


def test_kubectl_apply_merges_service_ports_by_port_and_keeps_the_node_port() -> None:
    """What the server allocated survives a changed manifest."""
    change = {
        "$setElementOrder/ports": [{"port": 443}, {"port": 80}],
        "ports": [
            {"name": "https", "port": 443, "targetPort": 5000},
            {"port": 80, "targetPort": 5001},
        ],
    }
    assert patched({"spec": change}, SERVICE)["spec"]["ports"] == [
        {"name": "https", "port": 443, "targetPort": 5000},
        SERVICE["spec"]["ports"][0] | {"targetPort": 5001},
    ]


def test_a_budgets_selector_is_replaced_as_a_whole() -> None:
    """Its Go type says so (patchStrategy), though it is a map: old labels must not stay."""
    live = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "a", "tier": "web"}}},
    }
    changed = patched({"spec": {"selector": {"matchLabels": {"app": "b"}}}}, live)
    assert changed["spec"] == {"minAvailable": 1, "selector": {"matchLabels": {"app": "b"}}}


def test_kubectl_set_image_changes_nothing_else() -> None:
    """The container's other fields stay."""
    result = container(patched(in_container({"image": "flashsale:2.0"})))
    assert result == container(REPLICASET) | {"image": "flashsale:2.0"}


def test_kubectl_edit_takes_a_finalizer_away() -> None:
    """`$deleteFromPrimitiveList` names what goes, `$setElementOrder` what stays."""
    change = {
        "$deleteFromPrimitiveList/finalizers": ["a.b/c"],
        "$setElementOrder/finalizers": ["d.e/f"],
    }
    assert patched({"metadata": change})["metadata"]["finalizers"] == ["d.e/f"]


def test_finalizers_merge_as_a_set() -> None:
    """A finalizer that is there already is not added twice."""
    patch = {"metadata": {"finalizers": ["d.e/f", "g.h/i"]}}
    result = patched(patch)["metadata"]["finalizers"]
    assert sorted(result) == ["a.b/c", "d.e/f", "g.h/i"]


def test_retained_keys_are_all_that_stays_of_a_map() -> None:
    """A volume's type changes: the old source must go."""
    volume = {"$retainKeys": ["name", "emptyDir"], "name": "v", "emptyDir": {}}
    patch = {"spec": {"template": {"spec": {"volumes": [volume]}}}}
    volumes = patched(patch)["spec"]["template"]["spec"]["volumes"]
    assert volumes == [{"name": "v", "emptyDir": {}}]


def test_replace_directives_replace_maps_and_lists() -> None:
    """In a map beside the new content, in a list as an element of its own."""
    patch = {"metadata": {"labels": {"$patch": "replace", "only": "this"}}}
    assert patched(patch)["metadata"]["labels"] == {"only": "this"}
    env = [{"$patch": "replace"}, {"name": "NEW", "value": "1"}]
    assert container(patched(in_container({"env": env})))["env"] == env[1:]


def test_delete_directive_empties_a_map_and_is_not_stored() -> None:
    """A map that is not there does not come into being by being deleted."""
    assert patched({"metadata": {"labels": {"$patch": "delete"}}})["metadata"]["labels"] == {}
    assert "nope" not in patched({"spec": {"nope": {"$patch": "delete"}}})["spec"]


def test_a_new_map_comes_without_its_nulls() -> None:
    """null in a patch means absent also where nothing was there to delete."""
    assert patched({"spec": {"new": {"a": None, "b": {"c": None}}}})["spec"]["new"] == {"b": {}}


def test_endpoint_slice_ports_do_not_merge() -> None:
    """Only a Service's and a container's ports have a key."""
    live = {"ports": [{"name": "http", "port": 1}]}
    assert patched({"ports": [{"name": "x", "port": 2}]}, live)["ports"] == [
        {"name": "x", "port": 2}
    ]


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (
            {"containers": [{"image": "x"}]},
            500,
            "map: map[image:x] does not contain declared merge key: name",
        ),
        ({"containers": ["x"]}, 500, "list element types are not identical: [["),
        (
            {"containers": [{"name": "x", "$patch": "merge"}]},
            500,
            "merging lists cannot yet be specified in the patch",
        ),
        ({"securityContext": {"$patch": "x"}}, 500, "unknown patch type: x in map: map[$patch:x]"),
        (
            {"volumes": [{"name": "v", "$retainKeys": ["name"], "emptyDir": {}}]},
            400,
            "invalid patch format of retainKeys",
        ),
    ],
)
def test_a_directive_or_key_that_does_not_fit_is_explained(
    change: Object, code: int, message: str
) -> None:
    """In the words of strategicpatch, and mostly as an internal error, as Kubernetes v1.36.2."""
    live = copy.deepcopy(REPLICASET)
    live["spec"]["template"]["spec"]["securityContext"] = {}
    with pytest.raises(StatusError) as caught:
        strategic_merge_patch(live, {"spec": {"template": {"spec": change}}})
    assert caught.value.code == code
    assert caught.value.message.startswith(message)


def test_an_order_that_the_patch_itself_breaks_is_refused() -> None:
    """The elements of a patch must stand as it says that they shall."""
    order = [{"name": "a"}, {"name": "b"}]
    sent = [{"name": "b"}, {"name": "a"}]
    change = {"$setElementOrder/containers": order, "containers": sent}
    with pytest.raises(StatusError, match="doesn't match"):
        strategic_merge_patch(REPLICASET, {"spec": {"template": {"spec": change}}})


@pytest.mark.parametrize(
    ("live", "patch", "result"),
    [  # the examples of RFC 7386, appendix A, that patch an object
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patches_follow_the_rfc(live: Any, patch: Object, result: Object) -> None:
    """RFC 7386, appendix A."""
    assert merge_patch(live, patch) == result


def diff(before: Any, after: Any) -> Any:
    """The merge patch that leads from one object to another."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return after
    changed = {key: diff(before.get(key), value) for key, value in after.items()}
    return changed | {key: None for key in before if key not in after}


@given(PLAIN_OBJECTS, PLAIN_OBJECTS)
def test_a_merge_of_the_difference_leads_from_one_object_to_the_other(
    before: Object, after: Object
) -> None:
    """As a merge patch and, where no list has a key, as a strategic one."""
    patch = diff(before, after)
    assert merge_patch(before, patch) == after
    assert strategic_merge_patch(before, patch) == after


@pytest.mark.parametrize(
    ("operations", "path", "value"),
    [
        ([{"op": "replace", "path": "/spec/replicas", "value": 2}], ("spec", "replicas"), 2),
        (
            [{"op": "add", "path": "/metadata/labels/a~1b", "value": "c"}],
            ("metadata", "labels", "a/b"),
            "c",
        ),
        (
            [{"op": "remove", "path": "/metadata/finalizers/0"}],
            ("metadata", "finalizers"),
            ["d.e/f"],
        ),
        (
            [
                {"op": "test", "path": "/spec/replicas", "value": 3},
                {"op": "copy", "from": "/spec/replicas", "path": "/spec/minReadySeconds"},
                {"op": "move", "from": "/spec/minReadySeconds", "path": "/spec/replicas"},
            ],
            ("spec", "replicas"),
            3,
        ),
    ],
)
def test_json_patches_follow_the_rfc(
    operations: list[Object], path: tuple[str, ...], value: Any
) -> None:
    """RFC 6902: one operation after the other, on a copy."""
    before = copy.deepcopy((REPLICASET, operations))
    found: Any = json_patch(REPLICASET, operations)
    for name in path:
        found = found[name]
    assert found == value
    assert (REPLICASET, operations) == before


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/spec/replicas", "value": 4},
        {"op": "remove", "path": "/spec/nope"},
        {"op": "add", "path": "/spec/replicas/x", "value": 1},
        {"op": "add", "path": "/metadata/finalizers/9", "value": "x"},
        {"op": "replace", "path": "/nope/x", "value": 1},
        {"op": "copy", "from": "/nope/x", "path": "/spec/x"},
        {"op": "move", "from": "/spec/nope", "path": "/spec/x"},
        {"op": "leap", "path": "/spec"},
        {"op": "replace", "path": "", "value": 3},
        {"path": "/spec"},
    ],
)
def test_a_json_patch_that_does_not_fit_is_refused_as_a_whole(operation: Object) -> None:
    """422 without causes, from which kubectl makes `The request is invalid: ...`."""
    with pytest.raises(StatusError) as caught:
        json_patch(REPLICASET, [{"op": "add", "path": "/spec/y", "value": 1}, operation])
    assert (caught.value.code, caught.value.reason) == (422, "Invalid")
    assert caught.value.message == (
        "the server rejected our request due to an error in our request"
    )
    assert caught.value.details == {}


# From a real Kubernetes v1.36.2, whose patches are those of evanphx/json-patch.
@pytest.mark.parametrize(
    ("operation", "value"),
    [
        ({"op": "replace", "path": "/spec/nope", "value": 1}, 1),
        ({"op": "copy", "from": "/spec/absent", "path": "/spec/nope"}, None),
        ({"op": "add", "path": "/spec/nope"}, None),
        ({"op": "test", "path": "/spec/nope", "value": None}, None),
    ],
)
def test_a_field_that_is_missing_is_taken_for_null(operation: Object, value: Any) -> None:
    """RFC 6902 would refuse all of these."""
    assert json_patch(REPLICASET, [operation])["spec"].get("nope") == value


def test_copies_cannot_double_an_object_until_memory_is_full() -> None:
    """Each copy of the whole into itself doubles it; three megabytes are the limit."""
    doubling: list[Object] = [{"op": "add", "path": "/spec/x", "value": "x" * 10_000}]
    doubling += [{"op": "copy", "from": "/spec", "path": f"/spec/x{step}"} for step in range(60)]
    assert outcome(lambda: json_patch(REPLICASET, doubling)) == 413


def test_the_number_of_operations_is_limited() -> None:
    """Ten thousand, as in the API server."""
    many = [{"op": "test", "path": "/spec/replicas", "value": 3}] * 10_001
    assert outcome(lambda: json_patch(REPLICASET, many)) == 413


@pytest.mark.parametrize(
    ("content_type", "body", "replicas"),
    [
        (JSON_PATCH, b'[{"op": "replace", "path": "/spec/replicas", "value": 4}]', 4),
        (MERGE_PATCH, b'{"spec": {"replicas": 4}}', 4),
        (STRATEGIC_MERGE_PATCH, b'{"spec": {"replicas": 4}}', 4),
        (f"{MERGE_PATCH}; charset=utf-8", b'{"spec": {"replicas": 4}}', 4),
        (MERGE_PATCH, b"{}", 3),
    ],
)
def test_the_content_type_chooses_the_kind_of_patch(
    content_type: str, body: bytes, replicas: int
) -> None:
    """Parameters of the content type do not matter."""
    assert apply_patch(content_type, body, REPLICASET)["spec"]["replicas"] == replicas


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        ("text/plain", b"{}", 415),
        ("", b"{}", 415),
        ("application/json", b"{}", 415),
        ("application/apply-patch+yaml", b"{}", 415),
        (JSON_PATCH, b"{}", 400),
        (JSON_PATCH, b"[1]", 400),
        (JSON_PATCH, b'[{"op": ["add"], "path": "/spec"}]', 400),
        (MERGE_PATCH, b"[]", 400),
        (MERGE_PATCH, b"null", 400),
        (MERGE_PATCH, b"{not json", 400),
        (MERGE_PATCH, b"\xff\xfe", 400),
        (MERGE_PATCH, b'{"a": NaN}', 400),
        (MERGE_PATCH, b"[" * 100_000, 400),
        (MERGE_PATCH, b'{"a":' * 500 + b"1" + b"}" * 500, 400),
        (STRATEGIC_MERGE_PATCH, b'"x"', 400),
    ],
)
def test_what_is_no_patch_is_refused(content_type: str, body: bytes, code: int) -> None:
    """415 for the content type, 400 for the body."""
    assert outcome(lambda: apply_patch(content_type, body, REPLICASET)) == code


@given(st.sampled_from((JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH)), JSON, OBJECTS)
def test_any_patch_of_any_object_works_or_is_refused(
    content_type: str, patch: Any, live: Object
) -> None:
    """Nothing but an ApiError comes out (500 for directives), and the object is left alone."""
    before, body = copy.deepcopy(live), json.dumps(patch).encode()
    assert outcome(lambda: apply_patch(content_type, body, live)) in (OK, 400, 422, 500)
    assert live == before


@given(
    st.lists(
        st.fixed_dictionaries(
            {"op": st.sampled_from(("add", "remove", "replace", "move", "copy", "test"))},
            optional={
                "path": st.sampled_from(("", "/a", "/a/b", "/a/-", "/a/0", "/b", "b", "/-1")),
                "from": st.sampled_from(("", "/a", "/a/b", "/a/0", "x")),
                "value": JSON,
            },
        ),
        max_size=4,
    ),
    OBJECTS,
)
def test_any_json_patch_works_or_is_refused(operations: list[Object], live: Object) -> None:
    """Also one whose operations are known but senseless."""
    before = copy.deepcopy((operations, live))
    assert outcome(lambda: json_patch(live, operations)) in (OK, 422)
    assert (operations, live) == before
