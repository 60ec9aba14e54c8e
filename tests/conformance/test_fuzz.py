"""Nonsense of all kinds against the embedded API server: refused, never a crash, never a hang."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conformance.api import APPLY, JSON_PATCH, MERGE, STRATEGIC, Answer, Object
from tests.conformance.conftest import Cluster
from tests.conformance.manifests import Maker
from tests.conformance.nonsense import (
    JUNK,
    LAUGHS,
    PLACES,
    WORDS,
    mutated,
    objects,
    operations,
    thing,
)
from tests.conformance.scene import Scene

LIMIT = 5.0  # seconds for one answer
FAITHFUL = (  # a real server says these with status 500, too
    "failed to create typed patch object",
    "expected a []interface {}, but received",
    "list element types are not identical",
    "map: ",
    "merging lists cannot yet be specified",
    "The order in patch list:",
    "unknown patch type: ",
)
SOME = settings(
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
PATCHES = st.sampled_from([JSON_PATCH, MERGE, STRATEGIC, APPLY])


@pytest.fixture(scope="module")
def fuzzed(stage: Scene, cluster: Cluster, maker: Maker) -> Iterator[Scene]:
    """Objects to be mistreated; the server must be well when all is over."""
    if not cluster.embedded:
        pytest.skip("nonsense is for our own server only")
    stage.create(*(thing(kind, maker.image) for kind in PLACES))
    yield stage
    stage.create(maker.replicaset("after", replicas=1, app="after"))
    stage.until_ready(1, "after")


def send(
    scene: Scene, method: str, path: str, body: Any = None, content_type: str = "application/json"
) -> Answer:
    """Send something; whatever it was, the answer comes in time and does not blame the server."""
    answer = scene.api.send(method, path, body, content_type=content_type, timeout=LIMIT)
    known = answer.status == 500 and answer.message.startswith(FAITHFUL)
    assert answer.status < 500 or known, answer.body
    if answer.status >= 400:
        assert answer.json["kind"] == "Status"
        assert answer.json["code"] == answer.status
    return answer


@SOME
@given(objects())
def test_create(fuzzed: Scene, sent: tuple[str, Any]) -> None:
    """Objects with mistakes anywhere are created or refused."""
    kind, body = sent
    if isinstance(body.get("metadata"), dict) and body["metadata"].get("name") == "fuzz":
        body["metadata"] |= {"generateName": "fuzz-", "name": ""}
    send(fuzzed, "POST", fuzzed.path(kind), body)


@SOME
@given(objects(), st.sampled_from(["", "status"]))
def test_replace(fuzzed: Scene, sent: tuple[str, Any], subresource: str) -> None:
    """The same as replacements of an object or its status."""
    kind, body = sent
    send(fuzzed, "PUT", fuzzed.path(kind, "fuzz", subresource), body)


@SOME
@given(objects(), PATCHES, st.sampled_from(["", "status"]))
def test_patch(fuzzed: Scene, sent: tuple[str, Any], how: str, subresource: str) -> None:
    """The same as patches of all four kinds."""
    kind, body = sent
    path = fuzzed.path(kind, "fuzz", subresource)
    send(fuzzed, "PATCH", f"{path}?fieldManager=fuzz&force=true", body, how)


@SOME
@given(operations(), st.sampled_from(["", "status", "scale"]))
def test_json_patch(fuzzed: Scene, change: list[Any], subresource: str) -> None:
    """Operations on paths that may or may not be there."""
    send(fuzzed, "PATCH", fuzzed.path("replicasets", "fuzz", subresource), change, JSON_PATCH)


@SOME
@given(
    st.sampled_from(["metadata", "labels", "spec", "containers", "env"]),
    st.dictionaries(
        st.sampled_from(["$patch", "$retainKeys", "$setElementOrder/env", "name", "replicas",
                         "$deleteFromPrimitiveList/finalizers", "finalizers", "$setElementOrder"]),
        JUNK | st.sampled_from(["delete", "replace", "merge"]),
    ),
)  # fmt: skip
def test_strategic_directives(fuzzed: Scene, place: str, change: Object) -> None:
    """Directives where they belong and where they do not."""
    patch: dict[str, Any] = {
        "metadata": {"metadata": change},
        "labels": {"metadata": {"labels": change}},
        "spec": {"spec": change},
        "containers": {"spec": {"template": {"spec": {"containers": [change]}}}},
        "env": {
            "spec": {
                "template": {
                    "spec": {"containers": [{"name": "flashsale-container", "env": [change]}]}
                }
            }
        },
    }
    send(fuzzed, "PATCH", fuzzed.path("replicasets", "fuzz"), patch[place], STRATEGIC)


@SOME
@given(
    mutated({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {"name": "fuzz", "uid": "x", "resourceVersion": "1"}, "spec": {"replicas": 2},
    }),
    st.sampled_from(["PUT", "PATCH"]),
    st.sampled_from([MERGE, STRATEGIC, APPLY]),
)  # fmt: skip
def test_scale(fuzzed: Scene, body: Any, method: str, how: str) -> None:
    """Scales with mistakes."""
    content_type = how if method == "PATCH" else "application/json"
    path = f"{fuzzed.path('replicasets', 'fuzz', 'scale')}?fieldManager=fuzz"
    send(fuzzed, method, path, body, content_type)


@SOME
@given(
    st.sampled_from(["POST", "PUT", "PATCH", "DELETE"]),
    st.binary(max_size=40)
    | JUNK.map(lambda value: json.dumps(value).encode())
    | st.sampled_from([b"[" * 100_000, b'{"a":' * 10_000, b"NaN", b"{", b"\xff\xfe{}", b"1e999"]),
    st.sampled_from(["", "application/json", "application/yaml", "text/plain", "nonsense",
                     JSON_PATCH, MERGE, STRATEGIC, APPLY]),
)  # fmt: skip
def test_garbage(fuzzed: Scene, method: str, body: bytes, content_type: str) -> None:
    """Bytes that are no object at all, under any Content-Type."""
    path = fuzzed.path("pods", "" if method == "POST" else "nothing-here")
    send(fuzzed, method, f"{path}?fieldManager=fuzz", body, content_type)


@SOME
@given(
    objects().map(lambda sent: yaml.safe_dump(sent[1]))
    | st.sampled_from(["a: &a [*a]", "!!python/object:os.system {}", "? {a: b}\n: c", "---\n---\n",
                       "a: 2001-01-01", "!!binary aGk=", "- 1", "&a a: *b", "\t", "{1: 2}",
                       LAUGHS, "[" * 100_000]),
    st.sampled_from(["application/yaml", APPLY]),
)  # fmt: skip
def test_yaml(fuzzed: Scene, text: str, content_type: str) -> None:
    """YAML, in good and in strange shapes."""
    method, name = ("PATCH", "fuzz") if content_type == APPLY else ("POST", "")
    path = f"{fuzzed.path('services', name)}?fieldManager=fuzz&dryRun=All"
    send(fuzzed, method, path, text.encode("utf-8", "replace"), content_type)


@SOME
@given(
    st.sampled_from(["labelSelector", "fieldSelector", "limit", "timeoutSeconds", "continue",
                     "dryRun", "fieldValidation", "resourceVersionMatch", "tailLines",
                     "sendInitialEvents", "pretty", "includeObject", "\x00"]),
    st.sampled_from(["=", "a in", "a in (b,", "(", "!", "a=b=c", ",", "true", "-1", "1e9", "null",
                     "spec.nodeName=\\", "metadata.name=\\x", "a notin ()", "9" * 400]) | st.text(),
)  # fmt: skip
def test_queries(fuzzed: Scene, name: str, value: str) -> None:
    """Query parameters that mean nothing."""
    text = quote(value.encode("utf-8", "replace"))
    send(fuzzed, "GET", f"{fuzzed.path('pods')}?{quote(name)}={text}")


@SOME
@given(
    mutated({
        "kind": "DeleteOptions", "gracePeriodSeconds": 5, "propagationPolicy": "Background",
        "preconditions": {"uid": "x", "resourceVersion": "1"}, "dryRun": ["All"],
    })
)  # fmt: skip
def test_delete_options(fuzzed: Scene, options: Any) -> None:
    """Options of a deletion, of an object that is not there or refuses."""
    send(fuzzed, "DELETE", fuzzed.path("replicasets", "fuzz"), {**options, "dryRun": ["All"]})


def test_numbers_beyond_all_bounds(fuzzed: Scene) -> None:
    """A number that Python reads as infinite, and a time long before the first one."""
    body = b'{"gracePeriodSeconds": 1e999}'
    send(fuzzed, "DELETE", fuzzed.path("pods", "fuzz"), body)
    for since in ("sinceSeconds=99999999999999999", "sinceTime=0001-01-01T00:00:00%2B14:00"):
        send(fuzzed, "GET", f"{fuzzed.path('pods', 'fuzz', 'log')}?{since}")


@SOME
@given(st.lists(WORDS | st.sampled_from(["api", "apis", "v1", "namespaces", "pods", "log", "%2e"])))
def test_paths(fuzzed: Scene, parts: list[str]) -> None:
    """Paths that lead nowhere are not found; this may be said in plain text."""
    path = "/" + "/".join(quote(part.encode("utf-8", "replace")) for part in parts)
    assert fuzzed.api.send("GET", path, timeout=LIMIT).status < 500
