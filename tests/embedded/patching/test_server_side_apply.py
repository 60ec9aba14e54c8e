"""Server-side apply and managedFields: who owns what, and what follows from it."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashsale.embedded.patching.server_side_apply import field_sets
from flashsale.embedded.patching.server_side_apply.configuration import (
    apply_configuration,
    track_update,
)
from flashsale.embedded.patching.server_side_apply.last_applied import ANNOTATION
from flashsale.embedded.types.api_errors import StatusError
from flashsale.objects.models import Object
from tests.embedded.orderly_refusals import OK, outcome

APPS = "apps/v1"
T1, T2, T3 = (f"2026-11-23T03:11:1{second}Z" for second in (1, 2, 3))
CONTAINER = "flashsale-container"
PORT = 'k:{"containerPort":5000,"protocol":"TCP"}'


def config(**spec: Any) -> Object:
    """The manifest as kubectl sends it, with three replicas unless said otherwise."""
    container = {
        "name": CONTAINER,
        "image": "flashsale:1.0",
        "ports": [{"containerPort": 5000}],
        "readinessProbe": {"httpGet": {"path": "/health", "port": 5000}},
    }
    return {
        "apiVersion": APPS,
        "kind": "ReplicaSet",
        "metadata": {
            "name": "flashsale-rs",
            "namespace": "default",
            "labels": {"app": "flashsale"},
        },
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "flashsale"}},
            "template": {
                "metadata": {"labels": {"app": "flashsale"}},
                "spec": {"containers": [container]},
            },
        }
        | spec,
    }


def container_of(thing: Object) -> Object:
    """The first container of the template."""
    found: Object = thing["spec"]["template"]["spec"]["containers"][0]
    return found


def defaulted(thing: Object) -> Object:
    """What a registry adds on the way to the store, cut down to what matters here."""
    thing = copy.deepcopy(thing)
    thing["metadata"] |= {"uid": "u", "resourceVersion": "7", "generation": 1}
    thing["spec"].setdefault("replicas", 1)
    thing["spec"]["template"]["spec"]["dnsPolicy"] = "ClusterFirst"
    for container in thing["spec"]["template"]["spec"]["containers"]:
        container["imagePullPolicy"] = "IfNotPresent"
        if "readinessProbe" in container:
            container["readinessProbe"]["periodSeconds"] = 10
        for port in container.get("ports", []):
            port.setdefault("protocol", "TCP")
    return thing


def applied(
    live: Object | None,
    configuration: Object,
    manager: str = "kubectl",
    *,
    force: bool = False,
    now: str = T1,
) -> Object:
    """Apply, make sure that the arguments are left alone, and add defaults."""
    before = copy.deepcopy((live, configuration))
    result = apply_configuration(
        live, configuration, manager=manager, force=force, api_version=APPS, now=now
    )
    assert (live, configuration) == before
    return result if result is live else defaulted(result)


def updated(
    before: Object | None, after: Object, manager: str, subresource: str = "", now: str = T2
) -> Object:
    """Track an update, and make sure that the arguments are left alone."""
    copies = copy.deepcopy((before, after))
    result = track_update(
        before, after, manager=manager, api_version=APPS, subresource=subresource, now=now
    )
    assert (before, after) == copies
    return result


def scaled(live: Object, replicas: int, manager: str = "kubectl", now: str = T2) -> Object:
    """What `kubectl scale` leaves behind."""
    after = live | {"spec": live["spec"] | {"replicas": replicas}}
    return updated(live, after, manager, "scale", now)


def entries(thing: Object) -> dict[tuple[str, str, str], Object]:
    """The fieldsV1 of managedFields by manager, operation and subresource."""
    return {
        (entry["manager"], entry["operation"], entry.get("subresource", "")): entry["fieldsV1"]
        for entry in thing["metadata"].get("managedFields", [])
    }


APPLIED_FIELDS = {
    "f:metadata": {"f:labels": {"f:app": {}}},
    "f:spec": {
        "f:replicas": {},
        "f:selector": {},
        "f:template": {
            "f:metadata": {"f:labels": {"f:app": {}}},
            "f:spec": {
                "f:containers": {
                    f'k:{{"name":"{CONTAINER}"}}': {
                        ".": {},
                        "f:image": {},
                        "f:name": {},
                        "f:ports": {PORT: {".": {}, "f:containerPort": {}}},
                        "f:readinessProbe": {"f:httpGet": {"f:path": {}, "f:port": {}}},
                    }
                }
            },
        },
    },
}


def test_apply_creates_and_owns_exactly_what_it_sets() -> None:
    """Lists by their keys, the selector as a whole, nothing of the object's identity."""
    result = apply_configuration(
        None, config(), manager="kubectl", force=False, api_version=APPS, now=T1
    )
    assert result["metadata"]["managedFields"] == [
        {
            "manager": "kubectl",
            "operation": "Apply",
            "apiVersion": APPS,
            "time": T1,
            "fieldsType": "FieldsV1",
            "fieldsV1": APPLIED_FIELDS,
        }
    ]
    assert result["spec"] == config()["spec"]


def test_the_same_configuration_again_changes_nothing_at_all() -> None:
    """Not even the manager's time: the resourceVersion must stay."""
    live = applied(None, config())
    assert applied(live, config(), now=T2) is live


def test_empty_annotations_are_owned_but_not_kept() -> None:
    """As on a real cluster, whose Go types write no empty maps; the next apply finds no change."""
    empty = config()
    empty["metadata"]["annotations"] = {}
    live = applied(None, empty)
    assert "annotations" not in live["metadata"]
    assert entries(live)["kubectl", "Apply", ""]["f:metadata"]["f:annotations"] == {}
    assert applied(live, empty, now=T2) is live


def test_apply_changes_what_it_owns_and_keeps_what_the_server_added() -> None:
    """Defaults and other people's fields stay, its own entry gets the time of the change."""
    live = applied(None, config())
    result = applied(live, config(replicas=4), now=T2)
    assert result["spec"]["replicas"] == 4
    assert container_of(result) == container_of(live)
    assert result["metadata"]["managedFields"][0]["time"] == T2


def test_apply_after_a_scale_is_a_conflict_in_kubernetes_words() -> None:
    """The lesson of the exercise: two writers, one field."""
    live = scaled(applied(None, config()), 5)
    with pytest.raises(StatusError) as caught:
        applied(live, config(), now=T3)
    assert caught.value.status() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'Apply failed with 1 conflict: conflict with "kubectl" with subresource '
        '"scale" using apps/v1: .spec.replicas',
        "reason": "Conflict",
        "details": {
            "causes": [
                {
                    "reason": "FieldManagerConflict",
                    "message": 'conflict with "kubectl" with subresource "scale" using apps/v1',
                    "field": ".spec.replicas",
                }
            ]
        },
        "code": 409,
    }


def test_several_conflicts_are_listed_by_manager() -> None:
    """Appliers are named without version, fields in the order of the object's levels."""
    live = applied(None, config())
    changed = copy.deepcopy(live)
    container_of(changed)["image"] = "flashsale:2.0"
    changed["spec"]["replicas"] = 6
    live = updated(live, changed, "kubectl-edit")
    labels = {"apiVersion": APPS, "kind": "ReplicaSet", "metadata": {"labels": {"app": "x"}}}
    live = applied(live, labels, "gitops", force=True)
    with pytest.raises(StatusError) as caught:
        applied(live, config())
    assert caught.value.message == (
        "Apply failed with 3 conflicts: "
        'conflicts with "gitops":\n- .metadata.labels.app\n'
        'conflicts with "kubectl-edit" using apps/v1:\n- .spec.replicas\n'
        f'- .spec.template.spec.containers[name="{CONTAINER}"].image'
    )
    assert len(caught.value.details["causes"]) == 3  # type: ignore[index]


def test_force_takes_fields_over() -> None:
    """The others lose them, and an entry without fields goes."""
    live = scaled(applied(None, config()), 5)
    result = applied(live, config(), force=True, now=T3)
    assert result["spec"]["replicas"] == 3
    assert entries(result) == {("kubectl", "Apply", ""): APPLIED_FIELDS}


def test_an_equal_value_is_shared_without_conflict() -> None:
    """Both own it then, and the first change by one of them is a conflict for the other."""
    live = scaled(applied(None, config()), 5)
    both = applied(live, config(replicas=5))
    assert {"f:spec"} <= set(entries(both)["kubectl", "Update", "scale"])
    assert "f:replicas" in entries(both)["kubectl", "Apply", ""]["f:spec"]
    assert outcome(lambda: applied(both, config(replicas=6))) == 409


def test_what_is_no_longer_applied_is_removed() -> None:
    """Replicas go (a default will come back), the probe goes with its defaults, the rest stays."""
    live = applied(None, config())
    less = config()
    del less["spec"]["replicas"], container_of(less)["readinessProbe"]
    result = apply_configuration(
        live, less, manager="kubectl", force=False, api_version=APPS, now=T2
    )
    assert "replicas" not in result["spec"]
    assert "readinessProbe" not in container_of(result)
    assert container_of(result)["imagePullPolicy"] == "IfNotPresent"
    assert result["spec"]["template"]["spec"]["dnsPolicy"] == "ClusterFirst"


def test_what_someone_else_took_over_is_not_removed() -> None:
    """After a scale the field is the scaler's; leaving it out of the manifest leaves it alone."""
    live = scaled(applied(None, config()), 5)
    less = config()
    del less["spec"]["replicas"]
    assert applied(live, less)["spec"]["replicas"] == 5


def test_what_another_applier_sets_too_is_not_removed() -> None:
    """Only when the last applier lets go of it."""
    just_replicas = {"apiVersion": APPS, "kind": "ReplicaSet", "spec": {"replicas": 3}}
    live = applied(applied(None, config()), just_replicas, "gitops")
    less = config()
    del less["spec"]["replicas"]
    shared = applied(live, less)
    assert shared["spec"]["replicas"] == 3
    identity = {"apiVersion": APPS, "kind": "ReplicaSet"}
    alone = apply_configuration(
        shared, identity, manager="gitops", force=False, api_version=APPS, now=T3
    )
    assert "replicas" not in alone["spec"]
    assert ("gitops", "Apply", "") not in entries(alone)


def test_list_elements_come_and_go_by_their_keys() -> None:
    """A dropped port and a dropped variable go, another manager's variable stays in its place."""
    first = config()
    container_of(first)["env"] = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    live = applied(None, first)
    changed = copy.deepcopy(live)
    container_of(changed)["env"].insert(1, {"name": "M", "value": "mine"})
    live = updated(live, changed, "kubectl-edit")
    second = config()
    container_of(second)["env"] = [{"name": "B", "value": "3"}, {"name": "C", "value": "4"}]
    container_of(second)["ports"] = [{"containerPort": 5001}]
    result = container_of(applied(live, second))
    assert [(item["name"], item["value"]) for item in result["env"]] == [
        ("M", "mine"),
        ("B", "3"),
        ("C", "4"),
    ]
    assert [port["containerPort"] for port in result["ports"]] == [5001]


def test_finalizers_are_a_set_of_several_owners() -> None:
    """Each applier adds and removes its own."""

    def with_finalizer(name: str) -> Object:
        meta = {"finalizers": [name]}
        return {"apiVersion": APPS, "kind": "ReplicaSet", "metadata": meta}

    live = applied(applied(None, config()), with_finalizer("a/b"), "one")
    live = applied(live, with_finalizer("c/d"), "two")
    assert live["metadata"]["finalizers"] == ["a/b", "c/d"]
    assert entries(live)["two", "Apply", ""] == {"f:metadata": {"f:finalizers": {'v:"c/d"': {}}}}
    live = applied(live, {"apiVersion": APPS, "kind": "ReplicaSet"}, "one")
    assert live["metadata"]["finalizers"] == ["c/d"]


def test_the_selector_is_owned_as_a_whole() -> None:
    """Another label in it is a conflict about the selector, not about the label."""
    live = applied(None, config())
    selector = {"matchLabels": {"app": "flashsale", "tier": "web"}}
    other = {"apiVersion": APPS, "kind": "ReplicaSet", "spec": {"selector": selector}}
    with pytest.raises(StatusError, match=r"\.spec\.selector$"):
        applied(live, other, "gitops")


def test_kubectls_note_of_what_it_applied_removes_nothing() -> None:
    """Its second apply, as `kubectl-last-applied`, holds the annotation alone."""
    note = {
        "apiVersion": APPS,
        "kind": "ReplicaSet",
        "metadata": {"name": "flashsale-rs", "annotations": {ANNOTATION: "{}"}},
    }
    live = applied(None, config())
    result = applied(live, note, "kubectl-last-applied", now=T2)
    assert result["spec"] == live["spec"]
    assert result["metadata"]["labels"] == {"app": "flashsale"}
    assert entries(result)["kubectl-last-applied", "Apply", ""] == {
        "f:metadata": {"f:annotations": {f"f:{ANNOTATION}": {}}}
    }
    assert applied(result, note, "kubectl-last-applied", now=T3) is result


def client_side(configuration: Object) -> Object:
    """The object after a client-side `kubectl apply`, with its annotation."""
    text = json.dumps(configuration, separators=(",", ":"), sort_keys=True) + "\n"
    thing = copy.deepcopy(configuration)
    thing["metadata"]["annotations"] = {ANNOTATION: text}
    return updated(None, defaulted(thing), "kubectl-client-side-apply", now=T1)


@pytest.mark.parametrize("annotations", [{}, {"annotations": {}}, {"annotations": {"a": "b"}}])
def test_client_side_apply_can_be_followed_by_server_side_apply(annotations: Object) -> None:
    """Fields that kubectl set itself are no conflict, and the annotation follows."""
    live = client_side(config())
    next_config = config(replicas=4)
    next_config["metadata"] |= annotations
    result = applied(live, next_config, now=T2)
    assert result["spec"]["replicas"] == 4
    noted = json.loads(result["metadata"]["annotations"][ANNOTATION])
    assert noted["spec"]["replicas"] == 4
    assert noted["metadata"].get("annotations") == (annotations.get("annotations") or None)
    assert applied(result, next_config, now=T3) is result


def test_a_scale_between_client_side_and_server_side_apply_is_still_a_conflict() -> None:
    """What differs from the annotation was not set by kubectl apply."""
    live = scaled(client_side(config()), 5)
    assert outcome(lambda: applied(live, config())) == 409
    assert outcome(lambda: applied(live, config(), "someone-else")) == 409


def test_an_untracked_object_belongs_to_before_first_apply() -> None:
    """Controllers' objects have no managedFields; their fields are someone's all the same."""
    live = defaulted(config())
    with pytest.raises(StatusError, match='conflict with "before-first-apply" using apps/v1'):
        applied(live, config(replicas=9))
    result = applied(live, config())
    assert set(entries(result)) == {
        ("kubectl", "Apply", ""),
        ("before-first-apply", "Update", ""),
    }


def test_status_is_not_applied_with_the_object() -> None:
    """The main endpoint ignores status, and nobody comes to own it there."""
    result = applied(None, config() | {"status": {"replicas": 3}})
    assert "status" not in result
    assert "f:status" not in entries(result)["kubectl", "Apply", ""]


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (
            {"apiVersion": "apps/v2"},
            400,
            "Incorrect version specified in apply patch. "
            "Specified patch version: apps/v2, expected: apps/v1",
        ),
        ({"metadata": {"managedFields": []}}, 400, "metadata.managedFields must be nil"),
        (
            {"spec": {"template": {"spec": {"containers": [{"name": "a"}, {"name": "a"}]}}}},
            500,
            "failed to create typed patch object (default/flashsale-rs; apps/v1, "
            "Kind=ReplicaSet): .spec.template.spec.containers: "
            'duplicate entries for key [name="a"]',
        ),
    ],
)
def test_a_configuration_that_cannot_be_applied_is_explained(
    change: Object, code: int, message: str
) -> None:
    """In the words of the API server."""
    with pytest.raises(StatusError) as caught:
        applied(None, config() | change)
    assert (caught.value.code, caught.value.message) == (code, message)


def test_a_created_object_belongs_to_its_creator_with_its_defaults() -> None:
    """As kubectl-client-side-apply's entry on a real cluster: dots where Go leaves structs out."""
    container = container_of(config()) | {
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"containerPort": 5000, "protocol": "TCP"}],
        "resources": {},
    }
    thing = config(template={"metadata": {"labels": {"app": "f"}}, "spec": {}})
    thing["spec"]["template"]["spec"] = {"containers": [container], "securityContext": {}}
    thing["metadata"]["annotations"] = {"note": "x"}
    thing |= {"status": {"replicas": 0}}
    result = updated(None, thing, "kubectl-client-side-apply")
    assert entries(result) == {
        ("kubectl-client-side-apply", "Update", ""): {
            "f:metadata": {
                "f:annotations": {".": {}, "f:note": {}},
                "f:labels": {".": {}, "f:app": {}},
            },
            "f:spec": {
                "f:replicas": {},
                "f:selector": {},
                "f:template": {
                    "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
                    "f:spec": {
                        "f:containers": {
                            f'k:{{"name":"{CONTAINER}"}}': {
                                ".": {},
                                "f:image": {},
                                "f:imagePullPolicy": {},
                                "f:name": {},
                                "f:ports": {
                                    ".": {},
                                    PORT: {".": {}, "f:containerPort": {}, "f:protocol": {}},
                                },
                                "f:readinessProbe": {
                                    ".": {},
                                    "f:httpGet": {".": {}, "f:path": {}, "f:port": {}},
                                },
                                "f:resources": {},
                            }
                        },
                        "f:securityContext": {},
                    },
                },
            },
        }
    }


def test_an_update_moves_the_fields_that_it_changed() -> None:
    """`kubectl scale` owns the count from then on, under its subresource; nothing else moves."""
    live = scaled(applied(None, config()), 5)
    expected = copy.deepcopy(APPLIED_FIELDS)
    del expected["f:spec"]["f:replicas"]
    assert entries(live) == {
        ("kubectl", "Apply", ""): expected,
        ("kubectl", "Update", "scale"): {"f:spec": {"f:replicas": {}}},
    }
    assert [entry["time"] for entry in live["metadata"]["managedFields"]] == [T1, T2]


def test_an_update_without_effect_moves_nothing() -> None:
    """The entries keep their times."""
    live = scaled(applied(None, config()), 5)
    assert scaled(live, 5, "someone", now=T3) == live


def test_a_later_update_adds_to_its_managers_entry() -> None:
    """One entry per manager, with the time of the last change."""
    live = applied(None, config())
    for name, now in (("a", T2), ("b", T3)):
        labels = live["metadata"]["labels"] | {name: "1"}
        after = live | {"metadata": live["metadata"] | {"labels": labels}}
        live = updated(live, after, "kubectl-label", now=now)
    fields = {"f:metadata": {"f:labels": {"f:a": {}, "f:b": {}}}}
    assert entries(live)["kubectl-label", "Update", ""] == fields
    assert live["metadata"]["managedFields"][-1]["time"] == T3


def test_removed_fields_belong_to_nobody() -> None:
    """`kubectl label app-` leaves no trace of the label in any entry."""
    live = applied(None, config())
    meta = {key: value for key, value in live["metadata"].items() if key != "labels"}
    result = updated(live, live | {"metadata": meta}, "kubectl-label")
    assert "f:metadata" not in entries(result)["kubectl", "Apply", ""]
    assert len(entries(result)) == 1


def test_a_status_update_owns_conditions_by_type() -> None:
    """The controller's entry names its subresource."""
    live = updated(None, defaulted(config()), "kubectl-create")
    condition = {"type": "ReplicaFailure", "status": "True"}
    after = live | {"status": {"replicas": 3, "conditions": [condition]}}
    result = updated(live, after, "controller", "status")
    assert entries(result)["controller", "Update", "status"] == {
        "f:status": {
            "f:conditions": {
                ".": {},
                'k:{"type":"ReplicaFailure"}': {".": {}, "f:status": {}, "f:type": {}},
            },
            "f:replicas": {},
        }
    }


def test_objects_without_managers_stay_without() -> None:
    """Tracking begins when an object is created or first applied, not in between."""
    live = defaulted(config())
    assert "managedFields" not in scaled(live, 5)["metadata"]


@pytest.mark.parametrize("reset", [[], [{}]])
def test_clients_can_reset_managed_fields(reset: list[Object]) -> None:
    """An empty list, or one empty entry, makes all managers forgotten."""
    live = applied(None, config())
    after = live | {"metadata": live["metadata"] | {"managedFields": reset}}
    assert "managedFields" not in updated(live, after, "kubectl")["metadata"]


def test_clients_can_rewrite_managed_fields() -> None:
    """kubectl does so with a JSON patch when it moves from client-side to server-side apply."""
    live = client_side(config())
    entry = live["metadata"]["managedFields"][0] | {"manager": "kubectl", "operation": "Apply"}
    after = live | {"metadata": live["metadata"] | {"managedFields": [entry]}}
    assert list(entries(updated(live, after, "kubectl"))) == [("kubectl", "Apply", "")]


@pytest.mark.parametrize("nonsense", [[{"operation": "Apply"}], ["x"], {"a": 1}, [{"a": 1}, {}], 3])
def test_managed_fields_that_cannot_be_read_are_ignored(nonsense: Any) -> None:
    """The live object's count then, as for clients that know nothing of them."""
    live = applied(None, config())
    after = live | {"metadata": live["metadata"] | {"managedFields": nonsense}}
    assert updated(live, after, "kubectl") == live


def test_the_oldest_updaters_become_one_entry_when_there_are_many() -> None:
    """Whatever names clients think of, an object carries ten of their entries at most."""
    live = applied(None, config())
    for number in range(14):
        labels = live["metadata"]["labels"] | {f"l{number}": "1"}
        after = live | {"metadata": live["metadata"] | {"labels": labels}}
        live = updated(live, after, f"m{number:02}", now=f"2026-11-23T03:12:{number:02}Z")
    updaters = [name for name, operation, _ in entries(live) if operation == "Update"]
    assert len(updaters) == 10
    assert updaters[0] == "ancient-changes"
    oldest = entries(live)["ancient-changes", "Update", ""]
    assert oldest == {"f:metadata": {"f:labels": {f"f:l{number}": {} for number in range(5)}}}


SCALARS = st.integers(0, 9) | st.text("ab", max_size=2)
SPECS = st.dictionaries(
    st.sampled_from("abc"), st.dictionaries(st.sampled_from("xyz"), SCALARS, min_size=1), min_size=1
)


def bare(**spec: Any) -> Object:
    """A configuration with that spec and nothing else."""
    return {"apiVersion": APPS, "kind": "X", "metadata": {"name": "x"}, "spec": spec}


@given(SPECS, SPECS)
def test_an_applier_that_lets_go_leaves_the_others_fields(mine: Object, theirs: Object) -> None:
    """Exactly the other's configuration remains, whichever fields the two shared."""
    options: dict[str, Any] = {"force": True, "api_version": APPS, "now": T1}
    live = apply_configuration(None, bare(**mine), manager="me", **options)
    live = apply_configuration(live, bare(**theirs), manager="they", **options)
    identity = {"apiVersion": APPS, "kind": "X", "metadata": {"name": "x"}}
    left = apply_configuration(live, identity, manager="me", **options)
    assert left.get("spec", {}) == theirs
    assert apply_configuration(left, bare(**theirs), manager="they", **options) is left


ELEMENTS = st.sampled_from(("f:a", "f:b.c/d", 'k:{"name":"x"}', 'k:{"a":1,"b":"c"}', 'v:"y"'))


@given(st.frozensets(st.lists(ELEMENTS, min_size=1, max_size=4).map(tuple)))
def test_what_is_written_of_a_set_can_be_read_again(fields: field_sets.FieldSet) -> None:
    """fieldsV1 loses nothing, and lists every member once."""
    assert field_sets.decode_fields(field_sets.encode_fields(fields)) == fields
    assert sorted(field_sets.in_order(fields)) == sorted(fields)


NAMES = (
    *("metadata", "spec", "status", "containers", "ports", "name", "finalizers", "conditions"),
    *("type", "selector", "labels", "annotations", "managedFields"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.text("ab", max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=10,
)
OBJECTS = st.dictionaries(st.sampled_from(("metadata", "spec", "status")), JSON)


@given(OBJECTS | st.none(), OBJECTS, st.booleans())
def test_any_apply_works_or_is_refused(live: Object | None, given_: Object, force: bool) -> None:
    """Nothing but an ApiError comes out, and no argument is changed."""
    configuration = given_ | {"apiVersion": APPS}
    assert outcome(lambda: applied_raw(live, configuration, force=force)) in (OK, 400, 409, 500)


def applied_raw(live: Object | None, configuration: Object, *, force: bool) -> Object:
    """Apply without defaults, and make sure that the arguments are left alone."""
    before = copy.deepcopy((live, configuration))
    try:
        return apply_configuration(
            live, configuration, manager="kubectl", force=force, api_version=APPS, now=T1
        )
    finally:
        assert (live, configuration) == before


@given(OBJECTS | st.none(), OBJECTS, st.sampled_from(("", "status", "scale")))
def test_any_update_can_be_tracked(before: Object | None, after: Object, subresource: str) -> None:
    """Whatever the two objects look like."""
    updated(before, after, "x", subresource)


def test_what_another_owns_by_writing_it_stays_when_an_applier_lets_go() -> None:
    """Held to a real v1.36.2: whoever created the probe's port still owns it."""
    live = updated(None, defaulted(config()), "creator")
    probe = {"readinessProbe": {"httpGet": {}}}
    struct = bare(template={"spec": {"containers": [{"name": CONTAINER} | probe]}})
    nothing = bare(template={"spec": {"containers": [{"name": CONTAINER}]}})
    for one in (struct, nothing):
        one |= {"kind": "ReplicaSet", "metadata": {"name": "flashsale-rs"}}
    owned = applied(live, struct, "me")
    left = applied(owned, nothing, "me")
    assert left["spec"] == live["spec"]


def test_an_applied_null_is_a_change() -> None:
    """So it is a conflict where another owns the field, and gone from what is stored."""
    live = updated(None, bare(a=1), "creator")
    options: dict[str, Any] = {"manager": "me", "api_version": APPS, "now": T2}

    def settle(thing: Object) -> Object:
        spec = {name: value for name, value in thing["spec"].items() if value is not None}
        return thing | {"spec": spec}

    def apply(*, force: bool) -> Object:
        return apply_configuration(live, bare(a=None), force=force, settle=settle, **options)

    assert outcome(lambda: apply(force=False)) == 409
    assert apply(force=True)["spec"] == {}
