"""Mistakes that were made on a real Kubernetes v1.36.2, made again: the same words come back.

They differ between versions, so only the embedded cluster, which follows 1.36, and a real one of
that version are held to them.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.api import Object
from tests.conformance.conftest import Cluster
from tests.conformance.manifests import Maker, service
from tests.conformance.scene import Scene

RECORDED = json.loads(Path(__file__).parents[1].joinpath("recordings/errors.json").read_text())
NODE_PORT = 31735  # the recorded one
PATCHED = re.compile(r'"\{.*\}": json:')  # an object as it stands after a patch
BUILT = re.compile(r'scheme ".*/scheme\.go:\d+"')  # tells from which paths a server was built
CASES = sorted(
    name
    for name, case in RECORDED.items()
    if 400 <= case["status"] < 500 and "request" in case  # without one it was not let in at all
)


@pytest.fixture(scope="module")
def mistaken(stage: Scene, cluster: Cluster, maker: Maker) -> Scene:
    """The sale that the mistakes were made on, without pods."""
    version = stage.api.get("/version")["gitVersion"]
    if not version.startswith("v1.36."):
        pytest.skip(f"recorded from v1.36, and this is {version}")
    stage.create(maker.replicaset(replicas=0))
    taken = service(node_port=NODE_PORT)  # refused where this machine has the port itself
    assert stage.api.send("POST", stage.path("services"), taken).status in (201, 422)
    return stage


@pytest.mark.parametrize("name", CASES)
def test_mistakes(mistaken: Scene, name: str) -> None:
    """H9: status, reason, message and details are those of a real API server."""
    case = RECORDED[name]
    request = case["request"]
    body = request["body"]
    if isinstance(body, str):
        body = body.encode()
    elif body:
        body = moved(body, mistaken.namespace)
    answer = mistaken.api.send(
        request["method"],
        request["path"].replace("/namespaces/default/", f"/namespaces/{mistaken.namespace}/"),
        body,
        content_type=request["headers"].get("Content-Type", ""),
    )
    assert answer.status == case["status"]
    if isinstance(case["response"], str):
        assert answer.body.decode() == case["response"]
    else:
        assert steady(answer.json) == steady(case["response"])


def moved(body: Any, namespace: str) -> Any:
    """Move an object into the namespace under test, without the uid of the recorded one."""
    if body.get("metadata", {}).get("namespace"):
        meta = {key: value for key, value in body["metadata"].items() if key != "uid"}
        return {**body, "metadata": {**meta, "namespace": namespace}}
    return body


def steady(status: Object) -> str:
    """Write a Status without what differs from object to object."""
    causes = (status.get("details") or {}).get("causes") or []
    for part in (status, *causes):
        message = PATCHED.sub('"{...}": json:', part["message"])
        part["message"] = BUILT.sub('scheme "..."', message)
    return json.dumps(status, sort_keys=True)
