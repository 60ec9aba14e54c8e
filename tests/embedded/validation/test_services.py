"""What may not stand in a Service, in the API server's own words."""

from typing import Any

import pytest

from flashsale.embedded.apiserver.registry.service_allocator import carried_over
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.types.resources import SERVICES
from flashsale.embedded.validation import validate_update
from tests.embedded import recorded
from tests.embedded.bodies import created, service

MISTAKES: dict[str, tuple[Any, str]] = {
    "no port": ({"ports": []}, "spec.ports: Required value"),
    "zero": (
        {"ports": [{"port": 0, "targetPort": 1}]},
        "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
    ),
    "protocol": (
        {"ports": [{"port": 1, "protocol": "FTP"}]},
        'spec.ports[0].protocol: Unsupported value: "FTP": supported values: "SCTP", "TCP", "UDP"',
    ),
    "target": (
        {"ports": [{"port": 1, "targetPort": "UPPER"}]},
        'spec.ports[0].targetPort: Invalid value: "UPPER": must contain only alpha-numeric '
        "characters (a-z, 0-9), and hyphens (-)",
    ),
    "same name": (
        {"ports": [{"name": "a", "port": 1}, {"name": "a", "port": 2}]},
        'spec.ports[1].name: Duplicate value: "a"',
    ),
    "no name": (
        {"ports": [{"name": "a", "port": 1}, {"port": 2}]},
        "spec.ports[1].name: Required value",
    ),
    "same port": (
        {"ports": [{"name": "a", "port": 1}, {"name": "b", "port": 1}]},
        'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":1,'
        '"TargetPort":0,"NodePort":0}',
    ),
    "type": (
        {"type": "Magic"},
        'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", '
        '"LoadBalancer", "NodePort"',
    ),
    "affinity": (
        {"sessionAffinity": "Sticky"},
        'spec.sessionAffinity: Unsupported value: "Sticky": supported values: "ClientIP", "None"',
    ),
    "node port": (
        {"ports": [{"port": 80, "nodePort": 30080}]},
        "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
    ),
    "headless": (
        {"type": "NodePort", "clusterIP": "None"},
        'spec.clusterIPs[0]: Invalid value: "None": '
        "may not be set to 'None' for NodePort services",
    ),
}


@pytest.mark.parametrize(("spec", "error"), MISTAKES.values(), ids=list(MISTAKES))
def test_mistakes_in_a_service_are_named(spec: Any, error: str) -> None:
    """Each rule with its own path and sentence."""
    errors_found = created(SERVICES, service(**spec))
    assert error in errors_found


def test_a_service_keeps_its_address() -> None:
    """Leaving it out keeps it; any other value is refused."""
    old = recorded.objects("services")["items"][0]
    spec = old["spec"]
    changed = old | {"spec": spec | {"clusterIP": "10.96.200.200", "clusterIPs": ["10.96.200.200"]}}
    assert validate_update(SERVICES, changed, old) == [
        FieldError.invalid("spec.clusterIPs[0]", ["10.96.200.200"], "may not change once set")
    ]
    left = {key: value for key, value in spec.items() if not key.startswith("clusterIP")}
    kept = carried_over(old | {"spec": left}, old)
    assert kept["spec"]["clusterIPs"] == spec["clusterIPs"]
    assert validate_update(SERVICES, kept, old) == []
