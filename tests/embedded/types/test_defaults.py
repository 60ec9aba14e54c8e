"""What is filled in: the recorded objects come out of what was sent for them."""

import copy
import json
from typing import Any

import pytest

from flashsale.embedded.types.defaults import apply_defaults
from flashsale.embedded.types.pod_defaults import pull_policy, qos_class
from flashsale.embedded.types.resources import (
    ENDPOINT_SLICES,
    EVENTS,
    NAMESPACES,
    NODES,
    PODS,
    REPLICA_SETS,
    SERVICES,
)
from tests.embedded import recorded

NOW = 1795403999.0  # 2026-11-23T03:19:59Z
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
ALLOCATED = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")  # given out by the registry


def _stored(name: str, place: int = 0) -> Any:
    return recorded.objects(name)["items"][place]


def _applied(name: str) -> Any:
    """What `kubectl apply` sent for the recorded object."""
    return json.loads(_stored(name)["metadata"]["annotations"][APPLIED])


def test_a_replicaset_gets_what_a_real_server_fills_in() -> None:
    """Its template is a pod's spec without service links."""
    filled = apply_defaults(REPLICA_SETS, _applied("replicasets"), now=NOW)
    assert filled["spec"] == _stored("replicasets")["spec"]
    assert "enableServiceLinks" not in filled["spec"]["template"]["spec"]


def test_a_service_gets_what_a_real_server_fills_in() -> None:
    """All but addresses and node ports, which are given out elsewhere."""
    wanted = copy.deepcopy(_stored("services")["spec"])
    for key in ALLOCATED:
        del wanted[key]
    del wanted["ports"][0]["nodePort"]
    assert apply_defaults(SERVICES, _applied("services"), now=NOW)["spec"] == wanted


@pytest.mark.parametrize(
    ("resource", "name"),
    [(PODS, "pods"), (REPLICA_SETS, "replicasets"), (SERVICES, "services"), (NODES, "nodes")],
    ids=str,
)
def test_what_is_stored_is_left_alone(resource: Any, name: str) -> None:
    """Defaulting twice changes nothing, so an update that changes nothing writes nothing."""
    assert apply_defaults(resource, _stored(name), now=NOW) == _stored(name)


def test_an_empty_endpoint_slice_is_printed_with_nulls() -> None:
    """As in Kubernetes; port names are never null, kubectl describe relies on it."""
    filled = apply_defaults(ENDPOINT_SLICES, {"addressType": "IPv4"}, now=NOW)
    assert filled["endpoints"] is None
    assert filled["ports"] is None
    assert apply_defaults(ENDPOINT_SLICES, {"ports": [{"port": 1}]}, now=NOW)["ports"] == [
        {"port": 1, "name": "", "protocol": "TCP"}
    ]


def test_an_event_has_its_times_even_when_they_are_null() -> None:
    """kubectl and the strict clients expect the keys."""
    filled = apply_defaults(EVENTS, {"reason": "Started"}, now=NOW)
    assert {"firstTimestamp", "lastTimestamp", "eventTime"} <= filled.keys()
    assert filled["source"] == {}
    assert filled["reportingComponent"] == filled["reportingInstance"] == ""


def test_a_namespace_is_labelled_with_its_name() -> None:
    """Selectors over namespaces rely on this label."""
    filled = apply_defaults(NAMESPACES, {"metadata": {"name": "shop"}}, now=NOW)
    assert filled["metadata"]["labels"] == {"kubernetes.io/metadata.name": "shop"}
    assert filled["metadata"]["creationTimestamp"] == "2026-11-23T03:19:59Z"
    assert filled["spec"] == {}


def test_nothing_is_changed_in_place() -> None:
    """Stored objects are shared; every caller gets a copy of its own."""
    template = _applied("replicasets")["spec"]["template"]
    before = copy.deepcopy(template)
    filled = apply_defaults(PODS, template, now=NOW)
    again = copy.deepcopy(filled)
    apply_defaults(PODS, filled, now=NOW)["spec"]["containers"].clear()
    assert template == before
    assert filled == again


def test_zero_seconds_of_grace_are_kept_and_zero_thresholds_are_not() -> None:
    """Go can tell zero from nothing in one, not in the other."""
    probe = {"periodSeconds": 0, "failureThreshold": 0, "tcpSocket": {"port": 1}}
    spec = {
        "terminationGracePeriodSeconds": 0,
        "containers": [{"name": "a", "image": "b:1", "livenessProbe": probe}],
    }
    filled = apply_defaults(PODS, {"spec": spec}, now=NOW)["spec"]
    assert filled["terminationGracePeriodSeconds"] == 0
    found = filled["containers"][0]["livenessProbe"]
    assert (found["periodSeconds"], found["failureThreshold"]) == (10, 3)


def test_a_pod_requests_what_it_is_limited_to_and_a_template_does_not() -> None:
    """Only pods get requests from their limits."""
    spec = {
        "containers": [{"name": "a", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}],
        "initContainers": [
            {"name": "b", "resources": {"limits": {"cpu": "2"}, "requests": {"cpu": "1"}}}
        ],
    }
    pod = apply_defaults(PODS, {"spec": spec}, now=NOW)["spec"]
    assert pod["containers"][0]["resources"]["requests"] == {"cpu": "1", "memory": "1Gi"}
    assert pod["initContainers"][0]["resources"]["requests"] == {"cpu": "1"}
    replicaset = apply_defaults(REPLICA_SETS, {"spec": {"template": {"spec": spec}}}, now=NOW)
    template = replicaset["spec"]["template"]["spec"]
    assert "requests" not in template["containers"][0]["resources"]


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("flashsale:1.0", "IfNotPresent"),
        ("flashsale", "Always"),
        ("flashsale:latest", "Always"),
        ("registry:5000/a/flashsale", "Always"),
        ("registry:5000/a/flashsale:2", "IfNotPresent"),
        ("flashsale@sha256:" + "0" * 64, "IfNotPresent"),
        ("", "IfNotPresent"),
    ],
)
def test_the_pull_policy_follows_the_tag(image: str, policy: str) -> None:
    """`latest`, written or meant, is pulled each time."""
    assert pull_policy(image) == policy


@pytest.mark.parametrize(
    ("resources", "quality"),
    [
        ([{}], "BestEffort"),
        ([{"requests": {"cpu": "0"}}], "BestEffort"),
        ([{"requests": {"cpu": "1"}}], "Burstable"),
        ([{"limits": {"cpu": "1"}}], "Burstable"),
        ([{"limits": {"cpu": "1", "memory": "1Gi"}}], "Guaranteed"),
        (
            [{"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1000m"}}],
            "Guaranteed",
        ),
        ([{"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1m"}}], "Burstable"),
        ([{"limits": {"cpu": "1", "memory": "1Gi"}}, {}], "Burstable"),
    ],
)
def test_the_qos_class_follows_requests_and_limits(resources: list[Any], quality: str) -> None:
    """Guaranteed needs limits for both in every container, equal to the requests."""
    containers = [{"name": f"c{place}", "resources": wish} for place, wish in enumerate(resources)]
    pod = apply_defaults(PODS, {"spec": {"containers": containers}}, now=NOW)
    assert qos_class(pod) == quality


def test_a_volume_without_a_source_is_an_empty_folder() -> None:
    """As Kubernetes reads it; files of a ConfigMap are readable by all."""
    volumes = [{"name": "a"}, {"name": "b", "configMap": {"name": "c"}}]
    filled = apply_defaults(PODS, {"spec": {"volumes": volumes}}, now=NOW)["spec"]["volumes"]
    assert filled == [
        {"name": "a", "emptyDir": {}},
        {"name": "b", "configMap": {"name": "c", "defaultMode": 420}},
    ]
