"""Discovery: the same answers as a real API server's, for what is served here."""

import json
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from flashsale.embedded.apiserver import discovery, fixed_paths
from tests.embedded import recorded

KUBECTL = (  # what kubectl 1.37 sends
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
)


def _answer(path: str, accept: str = "application/json") -> tuple[Any, str]:
    headers = {"Accept": accept, "Host": "127.0.0.1:8443"}
    found = fixed_paths.answer_fixed_path(make_mocked_request("GET", path, headers=headers))
    assert found is not None
    assert isinstance(found.body, bytes)
    return json.loads(found.body), found.headers["Content-Type"]


@pytest.mark.parametrize(
    "name", ["api_v1", "apis_apps_v1", "apis_discovery.k8s.io_v1", "apis_policy_v1"]
)
def test_resource_lists_are_those_of_a_real_server(name: str) -> None:
    """Names, kinds, verbs, subresources and hashes; the core list has no apiVersion."""
    body, content_type = _answer("/" + name.replace("_", "/"))
    assert body == recorded.discovery(name)
    assert content_type == "application/json"


@pytest.mark.parametrize("name", ["api", "apis"])
def test_aggregated_discovery_is_that_of_a_real_server(name: str) -> None:
    """kubectl asks for it first; its Content-Type says that it is one."""
    body, content_type = _answer(f"/{name}", KUBECTL)
    wanted = recorded.discovery(f"{name}.aggregated")
    assert {**body, "items": None} == {**wanted, "items": None}
    assert _by_name(body) == _by_name(wanted)
    assert content_type == discovery.AGGREGATED


def _by_name(body: Any) -> Any:
    """Only the groups that are served are recorded, in no particular order."""
    return {item["metadata"].get("name"): item["versions"] for item in body["items"]}


def test_plain_discovery_is_there_for_older_clients() -> None:
    """Without the aggregated form in Accept."""
    assert _answer("/api")[0] == recorded.discovery("api")
    body, _ = _answer("/apis")
    wanted = recorded.discovery("apis")
    names = [group["name"] for group in body["groups"]]
    assert sorted(names) == sorted(group["name"] for group in wanted["groups"])
    assert all(group in wanted["groups"] for group in body["groups"])
    assert _answer("/apis/apps")[0]["preferredVersion"]["groupVersion"] == "apps/v1"


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (KUBECTL, True),
        ("application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io", True),
        ("application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_only_the_served_version_of_the_aggregated_form_counts(accept: str, wanted: bool) -> None:
    """Parameters may come in any order."""
    assert discovery.wants_aggregated(accept) is wanted


def test_the_version_has_every_string_that_strict_clients_want() -> None:
    """And says honestly that it is no release of Kubernetes."""
    body, _ = _answer("/version")
    assert body.keys() == recorded.discovery("version").keys()
    assert all(isinstance(value, str) for value in body.values())
    assert body["gitVersion"] == discovery.GIT_VERSION == "v1.36.0+flashsale"


@pytest.mark.parametrize("path", ["/healthz/", "/nope", "/api/v2", "/apis/nope", "/apis/apps/v2"])
def test_other_paths_are_not_discoverys(path: str) -> None:
    """Somebody else answers them, or nobody."""
    assert fixed_paths.answer_fixed_path(make_mocked_request("GET", path)) is None


def test_autoscaling_is_only_a_subresources_kind() -> None:
    """No group is announced that has no resources here."""
    assert "autoscaling" not in discovery.groups()
