"""What may not stand in a pod, in the API server's own words."""

from typing import Any

import pytest

from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.types.resources import PODS, REPLICA_SETS
from flashsale.embedded.validation import validate_update
from tests.embedded import recorded
from tests.embedded.bodies import created, pod, replicaset, with_spec

CONTAINER = "spec.template.spec.containers[0]"
MISTAKES: dict[str, tuple[Any, list[str]]] = {
    "no name": ({"name": None}, ["name: Required value"]),
    "dots in name": ({"name": "a.b"}, ['name: Invalid value: "a.b": must not contain dots']),
    "pull policy": (
        {"imagePullPolicy": "Often"},
        [
            'imagePullPolicy: Unsupported value: "Often": '
            'supported values: "Always", "IfNotPresent", "Never"',
        ],
    ),
    "port range": (
        {"ports": [{"containerPort": 70000}]},
        [
            "ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
        ],
    ),
    "no port": ({"ports": [{"name": "x"}]}, ["ports[0].containerPort: Required value"]),
    "same port name": (
        {"ports": [{"name": "a", "containerPort": 1}, {"name": "a", "containerPort": 2}]},
        [
            'ports[1].name: Duplicate value: "a"',
        ],
    ),
    "protocol": (
        {"ports": [{"containerPort": 1, "protocol": "FTP"}]},
        [
            'ports[0].protocol: Unsupported value: "FTP": supported values: "SCTP", "TCP", "UDP"',
        ],
    ),
    "liveness threshold": (
        {"livenessProbe": {"httpGet": {"port": 1}, "successThreshold": 2}},
        [
            "livenessProbe.successThreshold: Invalid value: 2: must be 1",
        ],
    ),
    "readiness threshold": (
        {"readinessProbe": {"httpGet": {"port": 1}, "successThreshold": 2}},
        [],
    ),
    "no handler": (
        {"readinessProbe": {}},
        ["readinessProbe: Required value: must specify a handler type"],
    ),
    "two handlers": (
        {"readinessProbe": {"httpGet": {"port": 1}, "exec": {"command": ["x"]}}},
        [
            "readinessProbe.httpGet: Forbidden: may not specify more than 1 handler type",
        ],
    ),
    "probe numbers": (
        {"readinessProbe": {"httpGet": {"port": 0}, "periodSeconds": -1}},
        [
            "readinessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive",
            "readinessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0",
        ],
    ),
    "long sleep": (
        {"lifecycle": {"preStop": {"sleep": {"seconds": 31}}}},
        [
            "lifecycle.preStop.sleep: Invalid value: 31: "
            "must be non-negative and less than terminationGracePeriodSeconds (30)",
        ],
    ),
    "short sleep": ({"lifecycle": {"preStop": {"sleep": {"seconds": 5}}}}, []),
    "negative request": (
        {"resources": {"requests": {"cpu": "-1"}}},
        [
            'resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0',
        ],
    ),
    "unknown resource": (
        {"resources": {"limits": {"bananas": "1"}}},
        [
            'resources.limits[bananas]: Invalid value: "bananas": '
            "must be a standard resource type or fully qualified",
            'resources.limits[bananas]: Invalid value: "bananas": '
            "must be a standard resource for containers",
        ],
    ),
    "no env name": ({"env": [{"value": "1"}]}, ["env[0].name: Required value"]),
    "env source": (
        {"env": [{"name": "A", "value": "1", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]},
        [
            'env[0].valueFrom.fieldRef.fieldPath: Invalid value: "x": '
            "error converting fieldPath: field label not supported: x",
            'env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
        ],
    ),
    "unknown volume": (
        {"volumeMounts": [{"name": "v", "mountPath": "/x"}]},
        [
            'volumeMounts[0].name: Not found: "v"',
        ],
    ),
}


@pytest.mark.parametrize(("container", "errors"), MISTAKES.values(), ids=list(MISTAKES))
def test_mistakes_in_a_container_are_named(container: Any, errors: list[str]) -> None:
    """Each rule with its own path and sentence."""
    assert created(REPLICA_SETS, replicaset(**container)) == [
        f"{CONTAINER}.{error}" for error in errors
    ]


def test_names_of_containers_are_unique() -> None:
    """Also between initial and regular ones."""
    twice = [{"name": "a", "image": "b:1"}, {"name": "a", "image": "b:1"}]
    assert created(PODS, pod(containers=twice)) == ['spec.containers[1].name: Duplicate value: "a"']
    assert created(PODS, pod(initContainers=twice[:1])) == [
        'spec.initContainers[0].name: Duplicate value: "a"'
    ]


def test_only_pods_may_not_have_blanks_around_an_image() -> None:
    """Templates may, for old times' sake."""
    thing = pod(containers=[{"name": "a", "image": " b:1"}])
    assert created(PODS, thing) == [
        'spec.containers[0].image: Invalid value: " b:1": '
        "must not have leading or trailing whitespace"
    ]
    assert created(REPLICA_SETS, replicaset(image=" b:1")) == []


@pytest.mark.parametrize("cost", ["abc", "1.5", "99999999999", "+1", "01", ""])
def test_a_deletion_cost_is_an_int32(cost: str) -> None:
    """The annotation that tells which pods go first."""
    thing = pod()
    key = "controller.kubernetes.io/pod-deletion-cost"
    thing["metadata"]["annotations"] = {key: cost}
    assert created(PODS, thing) == [
        f'metadata.annotations[{key}]: Invalid value: "{cost}": must be a 32bit integer'
    ]
    thing["metadata"]["annotations"] = {key: "-100"}
    assert created(PODS, thing) == []


def test_a_pods_spec_stays_as_it_was_created() -> None:
    """Only images, the deadline and more tolerations may change."""
    old = recorded.objects("pods")["items"][0]
    moved = validate_update(PODS, with_spec(old, nodeName="other"), old)
    assert [error.field for error in moved] == ["spec"]
    assert moved[0].body.startswith(
        "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
        "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` "
        "(only additions to existing tolerations),`spec.terminationGracePeriodSeconds` "
        "(allow it to be set to 1 if it was previously negative)\n"
    )
    assert '"other"' in moved[0].body
    container = old["spec"]["containers"][0]
    newer = with_spec(old, containers=[container | {"image": "flashsale:2.0"}])
    assert validate_update(PODS, newer, old) == []
    more = [*old["spec"]["tolerations"], {"key": "a", "operator": "Exists"}]
    assert validate_update(PODS, with_spec(old, tolerations=more), old) == []
    assert validate_update(PODS, with_spec(old, activeDeadlineSeconds=5), old) == []


def test_a_pod_gains_and_loses_no_containers_or_tolerations() -> None:
    """Each has its own sentence."""
    old = recorded.objects("pods")["items"][0]
    both = old["spec"]["containers"] + [old["spec"]["containers"][0] | {"name": "second"}]
    assert validate_update(PODS, with_spec(old, containers=both), old) == [
        FieldError.forbidden("spec.containers", "pod updates may not add or remove containers")
    ]
    why = "existing toleration can not be modified except its tolerationSeconds"
    assert validate_update(PODS, with_spec(old, tolerations=[]), old) == [
        FieldError.forbidden("spec.tolerations", why)
    ]
