"""What a client asks first: versions, kinds, schemas, nodes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conformance.api import Api, Object
from tests.conformance.kubectl import Kubectl
from tests.conformance.scene import Scene

SKEW = re.compile(r"(Warning|WARNING): version difference between client .* exceeds")
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def test_version(kubectl: Kubectl) -> None:
    """H1: kubectl understands the server's version, and at most warns about the distance."""
    done = kubectl("version")
    assert re.search(r"^Server Version: v1\.\d+\.", done.out, re.MULTILINE)
    assert done.err == "" or SKEW.match(done.err)


def test_version_has_all_that_the_python_client_insists_on(api: Api) -> None:
    """H1: every field of the version is there, as a string."""
    keys = "major minor gitVersion gitCommit gitTreeState buildDate goVersion compiler platform"
    version = api.get("/version")
    assert {key for key in keys.split() if isinstance(version.get(key), str)} == set(keys.split())


def test_api_resources(kubectl: Kubectl) -> None:
    """H2: the group apps has ReplicaSets, short name rs."""
    done = kubectl("api-resources --api-group=apps")
    assert done.headers == ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"]
    assert ["replicasets", "rs", "apps/v1", "true", "ReplicaSet"] in done.rows


def test_short_names_of_the_core(kubectl: Kubectl) -> None:
    """H2: the short names that the exercise types are known."""
    short = {row[1]: row[0] for row in kubectl("api-resources --api-group=").rows}
    wanted = {"po": "pods", "svc": "services", "no": "nodes", "ev": "events", "ns": "namespaces"}
    assert wanted.items() <= short.items()


def test_plain_discovery(kubectl: Kubectl) -> None:
    """H3: the plain lists of resources are there, the core one without an apiVersion."""
    core = kubectl("get --raw /api/v1").out
    assert '"kind":"APIResourceList"' in core
    assert '"apiVersion"' not in core.split('"resources"')[0]
    assert '"apiVersion":"v1"' in kubectl("get --raw /apis/apps/v1").out


@pytest.mark.parametrize("path", ["/api", "/apis", "/version", "/api/v1", "/apis/apps/v1"])
def test_trailing_slashes(api: Api, path: str) -> None:
    """H3: a trailing slash changes nothing; the Python client sends them."""
    plain, slashed = api.send("GET", path), api.send("GET", f"{path}/")
    assert (plain.status, slashed.status) == (200, 200)
    assert plain.json == slashed.json


@pytest.mark.parametrize("path", ["/api", "/apis"])
def test_aggregated_discovery(api: Api, path: str) -> None:
    """H2: the aggregated form, which every kubectl since 1.32 asks for, says that it is it."""
    answer = api.send("GET", path, accept=f"{AGGREGATED},application/json")
    assert answer.headers["Content-Type"] == AGGREGATED
    assert answer.json["kind"] == "APIGroupDiscoveryList"


def test_scale_is_a_subresource(api: Api) -> None:
    """H3: replicasets/scale is listed with the group and version of its own kind."""
    resources = {item["name"]: item for item in api.get("/apis/apps/v1")["resources"]}
    scale = resources["replicasets/scale"]
    assert (scale["group"], scale["version"], scale["kind"]) == ("autoscaling", "v1", "Scale")


def test_unknown_paths(api: Api) -> None:
    """H22: an unknown path is a plain 404, an unknown resource of a known group a Status."""
    assert api.send("GET", "/nope").body.strip() == b"404 page not found"
    unknown = api.send("GET", "/api/v1/nopes")
    assert (unknown.status, unknown.json["reason"]) == (404, "NotFound")
    assert unknown.message == "the server could not find the requested resource"


def test_cluster_info(kubectl: Kubectl) -> None:
    """H4: the control plane says where it runs."""
    colours = re.compile(r"\x1b\[[\d;]*m")
    lines = [colours.sub("", line) for line in kubectl("cluster-info").lines]
    assert re.match(r"Kubernetes control plane is running at https://\S+$", lines[0])
    assert lines[-1].startswith("To further debug and diagnose cluster problems")


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
def test_health(api: Api, path: str) -> None:
    """H4: the server says that it is well."""
    assert api.send("GET", path, accept="*/*").body == b"ok"


def test_explain(kubectl: Kubectl) -> None:
    """H70: kubectl explains a field from the server's own schema."""
    output = kubectl("explain rs.spec.replicas").out
    for part in (r"GROUP:\s+apps", r"KIND:\s+ReplicaSet", r"VERSION:\s+v1"):
        assert re.search(part, output)
    assert "FIELD: replicas <integer>" in output
    assert re.search(r"DESCRIPTION:\s+\w+", output)


@pytest.mark.running_pods
def test_nodes_wide(kubectl: Kubectl) -> None:
    """H70: a ready node with all the columns."""
    done = kubectl("get nodes -o wide")
    assert done.headers == [
        "NAME", "STATUS", "ROLES", "AGE", "VERSION", "INTERNAL-IP", "EXTERNAL-IP", "OS-IMAGE",
        "KERNEL-VERSION", "CONTAINER-RUNTIME",
    ]  # fmt: skip
    assert any(row[1].startswith("Ready") for row in done.rows)
    assert re.search(r" \w+://\S+$", done.lines[1])


def test_nodes_through_the_python_client(api: Api) -> None:
    """H70: the typed client, strict about missing fields, reads the nodes."""
    from kubernetes.client import CoreV1Api

    for node in CoreV1Api(api.client).list_node().items:
        assert "Ready" in [condition.type for condition in node.status.conditions]
        assert node.status.node_info.kube_proxy_version is not None


def test_reviews_of_oneself(kubectl: Kubectl) -> None:
    """Whoever runs these tests may make pods, and is somebody."""
    assert kubectl("auth can-i create pods").lines == ["yes"]
    assert "Username" in kubectl("auth whoami").out


@pytest.mark.parametrize("user", ["bob", "system:serviceaccount:default:default"])
def test_who_is_impersonated(kubectl: Kubectl, user: str) -> None:
    """Somebody without a role may look at what there is, and at nothing of it."""
    assert kubectl(f"auth can-i get pods --as={user}", code=1).out == "no\n"
    assert user in kubectl(f"auth whoami --as={user}").out
    assert "flashsale-admin" not in kubectl(f"auth whoami --as={user}").out
    assert kubectl(f"api-resources --as={user}").lines
    done = kubectl(f"get nodes --as={user}", code=1)
    assert done.err == (
        f'Error from server (Forbidden): nodes is forbidden: User "{user}" cannot list resource '
        '"nodes" in API group "" at the cluster scope\n'
    )
    assert kubectl(f"get namespaces --as={user} --as-group=system:masters").lines


def test_all_for_a_report(sale: Scene, a_pod: Object, tmp_path: Path) -> None:
    """`kubectl cluster-info dump` lists kinds that may not be there, too."""
    sale.kubectl(f"cluster-info dump --namespaces {sale.namespace} --output-directory {tmp_path}")
    folder = tmp_path / sale.namespace
    assert (folder / "replicasets.json").exists()
    assert (folder / a_pod["metadata"]["name"] / "logs.txt").exists()
