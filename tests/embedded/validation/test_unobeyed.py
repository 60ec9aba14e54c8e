"""Fields that are stored and not obeyed: each says so, and the document lists them all."""

from __future__ import annotations

import pytest

from flashsale.embedded.types.apitypes import struct
from flashsale.embedded.types.resources import PODS, REPLICA_SETS, SERVICES
from flashsale.embedded.validation.unobeyed import OF_PODS, OF_SERVICES, unobeyed_warnings
from flashsale.objects.models import Object
from tools import write_unobeyed

TABLES = {"core.PodSpec": OF_PODS, "core.ServiceSpec": OF_SERVICES}


def test_the_document_lists_them() -> None:
    """`python -m tools.write_unobeyed` writes it anew."""
    assert write_unobeyed.FILE.read_text("utf-8") == write_unobeyed.text()


@pytest.mark.parametrize("owner", TABLES)
def test_each_is_a_field_of_kubernetes(owner: str) -> None:
    """A slip of the pen would never warn."""
    assert [path for path in TABLES[owner] if not is_field(owner, path)] == []


def is_field(owner: str, path: str) -> bool:
    """Whether a path leads from one field to the next."""
    name = owner
    for step in path.replace("[]", "").split("."):
        kind = struct(name).fields.get(step)
        if kind is None:
            return False
        name = (kind.item or kind).name
    return True


def test_a_field_that_is_set_gives_a_warning() -> None:
    """It names the place and says what happens instead."""
    pod: Object = {"spec": {"volumes": [{"name": "v", "nfs": {"server": "x", "path": "/"}}]}}
    (warning,) = unobeyed_warnings(PODS, pod, None)
    assert warning == (
        "spec.volumes[0].nfs: the embedded cluster does not obey it: it is not mounted"
    )


def test_a_template_is_looked_at_like_a_pod() -> None:
    """What a ReplicaSet makes is what counts."""
    spec = {"template": {"spec": {"hostNetwork": True, "containers": []}}}
    (warning,) = unobeyed_warnings(REPLICA_SETS, {"spec": spec}, None)
    assert warning.startswith("spec.template.spec.hostNetwork: ")


def test_what_was_there_before_and_what_is_empty_gives_none() -> None:
    """Every write would repeat it; defaults are empty."""
    service: Object = {"spec": {"externalIPs": ["1.2.3.4"], "loadBalancerIP": ""}}
    assert unobeyed_warnings(SERVICES, service, service) == []
    assert len(unobeyed_warnings(SERVICES, service, None)) == 1
    assert unobeyed_warnings(PODS, {"spec": {"securityContext": {}}}, None) == []
