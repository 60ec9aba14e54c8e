"""OpenAPI: what kubectl needs of it, proven by kubectl itself."""

import asyncio
import json
import os
import shutil
import sys
import tracemalloc
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from flashsale.embedded.apiserver import fixed_paths
from flashsale.embedded.types.openapi import documents
from flashsale.embedded.types.resources import ALL

KUBECTL = shutil.which("kubectl", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
PATHS = (
    "api/v1",
    "apis/apps/v1",
    "apis/coordination.k8s.io/v1",
    "apis/discovery.k8s.io/v1",
    "apis/policy/v1",
    "apis/scheduling.k8s.io/v1",
)


@pytest.fixture
async def api() -> AsyncGenerator[tuple[str, list[str]], None]:
    """A real HTTP server with discovery and OpenAPI only, and the writes that reached it."""
    writes: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        if request.method == "POST":
            writes.append(request.path_qs)
        found = None if request.method == "POST" else fixed_paths.answer_fixed_path(request)
        return found or web.Response(status=404, text="404 page not found\n")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    async with TestServer(app) as server:
        yield str(server.make_url("/")), writes


async def _kubectl(server: str, home: Path, *arguments: str) -> str:
    if KUBECTL is None:
        pytest.skip("no kubectl: install the development dependencies")
    process = await asyncio.create_subprocess_exec(
        KUBECTL,
        "--server",
        server,
        *arguments,
        env={"HOME": str(home), "PATH": os.environ["PATH"], "KUBECONFIG": os.devnull},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 30)
    return output.decode()


async def test_kubectl_explains_fields(api: tuple[str, list[str]], tmp_path: Path) -> None:
    """Group, kind, version, type and description, as against a real cluster."""
    text = await _kubectl(api[0], tmp_path, "explain", "rs.spec.replicas")
    assert text.startswith(
        "GROUP:      apps\nKIND:       ReplicaSet\nVERSION:    v1\n\n"
        "FIELD: replicas <integer>\n\n\nDESCRIPTION:\n    Replicas is the number of desired pods."
    )
    ports = await _kubectl(api[0], tmp_path, "explain", "pod.spec.containers.ports")
    assert "FIELD: ports <[]ContainerPort>" in ports
    assert "containerPort\t<integer> -required-" in ports


async def test_kubectl_leaves_validation_to_the_server(
    api: tuple[str, list[str]], tmp_path: Path
) -> None:
    """It sends an unknown field and asks for a strict check, instead of checking by itself."""
    manifest = tmp_path / "rs.yaml"
    manifest.write_text(
        "apiVersion: apps/v1\nkind: ReplicaSet\n"
        "metadata: {name: a, namespace: default}\nspec: {replica: 3}\n"
    )
    await _kubectl(api[0], tmp_path, "create", "-f", str(manifest))
    (write,) = api[1]
    assert "fieldValidation=Strict" in write


def test_the_index_leads_to_every_document() -> None:
    """Addresses carry a hash, so that kubectl may keep what it has read."""
    paths = documents.index()["paths"]
    assert tuple(paths) == PATHS
    for path, entry in paths.items():
        assert entry["serverRelativeURL"].startswith(f"/openapi/v3/{path}?hash=")
        assert documents.encoded(path)
    assert read_document("") == documents.index()
    assert documents.encoded("apis/nope/v1") is None


def read_document(path: str) -> Any:
    """Decode the document of a path that has one."""
    encoded = documents.encoded(path)
    assert encoded
    return json.loads(encoded)


def _patches(document: Any) -> dict[str, Any]:
    return {path: item["patch"] for path, item in document["paths"].items() if "patch" in item}


@pytest.mark.parametrize(
    "resource", [one for one in ALL if "patch" in one.verbs], ids=lambda resource: resource.plural
)
def test_each_kind_can_be_patched_with_field_validation(resource: Any) -> None:
    """kubectl looks for the kind as an object, and for the parameter's name."""
    document = read_document(f"{'apis' if resource.group else 'api'}/{resource.api_version}")
    wanted = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    found = [
        {parameter["name"] for parameter in patch["parameters"]}
        for patch in _patches(document).values()
        if patch["x-kubernetes-group-version-kind"] == wanted
    ]
    assert found
    assert all({"fieldValidation", "dryRun", "fieldManager", "force"} <= names for names in found)


@pytest.mark.parametrize(
    ("path", "below", "kind"),
    [
        ("api/v1", "pods/{name}/status", "Pod"),
        ("api/v1", "pods/{name}/eviction", "Eviction"),
        ("apis/apps/v1", "replicasets/{name}/scale", "Scale"),
        ("apis/apps/v1", "replicasets/{name}/status", "ReplicaSet"),
    ],
)
def test_a_subresource_has_its_own_kind(path: str, below: str, kind: str) -> None:
    """Whatever stands before it in the list of subresources."""
    (found,) = [
        operation
        for url, item in read_document(path)["paths"].items()
        if url.endswith(below)
        for method, operation in item.items()
        if method in ("put", "post")
    ]
    assert found["x-kubernetes-group-version-kind"]["kind"] == kind
    sent = found["requestBody"]["content"]["*/*"]["schema"]["$ref"]
    assert sent.endswith(f".{kind}")


@pytest.mark.parametrize("path", PATHS)
def test_every_reference_has_its_schema(path: str) -> None:
    """A document stands alone."""
    document = read_document(path)
    schemas = document["components"]["schemas"]
    for part in json.dumps(document).split('"$ref": "#/components/schemas/')[1:]:
        assert part.partition('"')[0] in schemas


def test_lists_say_by_which_keys_they_merge() -> None:
    """For strategic merge patches and for server-side apply."""
    core, apps = read_document("api/v1"), read_document("apis/apps/v1")
    schemas = core["components"]["schemas"]

    def field(owner: str, name: str) -> Any:
        return schemas[f"io.k8s.api.core.v1.{owner}"]["properties"][name]

    containers = field("PodSpec", "containers")
    assert containers["x-kubernetes-patch-merge-key"] == "name"
    assert containers["x-kubernetes-patch-strategy"] == "merge"
    assert field("Container", "ports")["x-kubernetes-patch-merge-key"] == "containerPort"
    ports = field("ServiceSpec", "ports")
    assert ports["x-kubernetes-patch-merge-key"] == "port"
    assert ports["x-kubernetes-list-map-keys"] == ["port", "protocol"]
    assert field("Container", "command")["x-kubernetes-list-type"] == "atomic"
    assert schemas["io.k8s.api.core.v1.ObjectReference"]["x-kubernetes-map-type"] == "atomic"
    kinds = apps["components"]["schemas"]["io.k8s.api.autoscaling.v1.Scale"]
    assert kinds["x-kubernetes-group-version-kind"] == [
        {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    ]


def test_documents_are_kept_as_bytes_only() -> None:
    """The cluster is a small process: what stays after serving all documents is their text."""
    documents.encoded.cache_clear()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        size = sum(len(documents.encoded(path) or b"") for path in PATHS)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 2 * size
    assert size < 1_500_000
