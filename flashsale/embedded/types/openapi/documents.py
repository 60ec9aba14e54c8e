"""OpenAPI of the API, versions 3 and 2, as far as kubectl reads it.

kubectl looks for two things: a `patch` operation per kind that takes `fieldValidation`, so that it
leaves checking to the server, and schemas with descriptions for `kubectl explain`. Both are made
from schema.json when they are asked for; only the encoded documents are kept. Version 2 is read by
kubectl before 1.29, and by all of them for `kind: List`.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache

from flashsale.embedded.types.apitypes import kubernetes_version, read_schema
from flashsale.embedded.types.openapi.openapi_protobuf import document_protobuf
from flashsale.embedded.types.openapi.schemas import PACKAGES, gvk, reference, schema_name, schemas
from flashsale.embedded.types.resources import ALL, Resource
from flashsale.objects.models import Object

STREAMS = ("attach", "exec", "log", "portforward")  # they take and give no objects
PATCH_TYPES = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)


def index() -> Object:
    """`/openapi/v3`: where the document of each group version is; the hash tells versions apart."""
    return {"paths": {path: {"serverRelativeURL": _url(path)} for path in _group_versions()}}


@cache
def encoded(group_version_path: str) -> bytes | None:
    """Return the document of `api/v1` or `apis/apps/v1` as JSON, the index for an empty path.

    None for any other path. Made when first asked for and kept: some 300 kB for the core.
    """
    if not group_version_path:
        return _encode(index())
    resources = _group_versions().get(group_version_path)
    if resources is None:
        return None
    head = {"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "unversioned"}}
    components = {"schemas": schemas(resources, read_schema())}
    return _encode(head | {"paths": _paths(resources), "components": components})


@cache
def encoded_v2() -> bytes:
    """Return `/openapi/v2`: the same operations and schemas in one document, as JSON."""
    paths: Object = {}
    for resources in _group_versions().values():
        for path, operations in _paths(resources).items():
            paths[path] = {method: _operation_v2(each) for method, each in operations.items()}
    version = "v" + kubernetes_version().removeprefix("v")
    head = {"swagger": "2.0", "info": {"title": "Kubernetes", "version": version}}
    definitions = {name: _schema_v2(each) for name, each in schemas(ALL, read_schema()).items()}
    return _encode(head | {"paths": paths, "definitions": definitions})


@cache
def encoded_v2_protobuf() -> bytes:
    """Return the same in protobuf, which is what kubectl asks for."""
    return document_protobuf(json.loads(encoded_v2()))


def _operation_v2(operation: Object) -> Object:
    """Say in version 2's way what a request takes and answers."""
    parameters = [
        {"name": parameter["name"], "in": "query"} | parameter["schema"]
        for parameter in operation["parameters"]
    ]
    consumed = list(operation.get("requestBody", {}).get("content", {}))
    if consumed:
        schema = next(iter(operation["requestBody"]["content"].values()))["schema"]
        body = {"name": "body", "in": "body", "required": True, "schema": _schema_v2(schema)}
        parameters.insert(0, body)
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    return {
        "consumes": consumed or ["*/*"],
        "produces": ["application/json", "application/yaml"],
        "parameters": parameters,
        "responses": {"200": {"description": "OK", "schema": _schema_v2(answer)}},
        "x-kubernetes-action": operation["x-kubernetes-action"],
        "x-kubernetes-group-version-kind": operation["x-kubernetes-group-version-kind"],
    }


def _schema_v2(schema: Object) -> Object:
    """Translate a schema: version 2 knows neither `oneOf` nor siblings of a reference's default."""
    converted: Object = {}
    for key, value in schema.items():
        if key == "allOf":
            converted |= _schema_v2(value[0])
        elif key == "$ref":
            converted[key] = value.replace("#/components/schemas/", "#/definitions/")
        elif key == "oneOf":
            converted["type"] = "string"
        elif key == "properties":
            converted[key] = {name: _schema_v2(each) for name, each in value.items()}
        elif key in ("items", "additionalProperties"):
            converted[key] = _schema_v2(value)
        elif key != "default":
            converted[key] = value
    return converted


def _group_versions() -> dict[str, list[Resource]]:
    versions: dict[str, list[Resource]] = {}
    for resource in ALL:
        versions.setdefault(_prefix(resource), []).append(resource)
    return dict(sorted(versions.items()))


def _prefix(resource: Resource) -> str:
    return f"{'apis' if resource.group else 'api'}/{resource.api_version}"


def _url(path: str) -> str:
    digest = hashlib.sha256(_source(path)).hexdigest()[:32].upper()
    return f"/openapi/v3/{path}?hash={digest}"


@cache
def _source(path: str) -> bytes:
    """What a document is made from: enough to tell two apart, and cheaper than making it."""
    resources = [
        (r.plural, r.kind, [s.name for s in r.subresources]) for r in _group_versions()[path]
    ]
    return _encode({"version": kubernetes_version(), "resources": resources})


def _paths(resources: list[Resource]) -> Object:
    paths: Object = {}
    for resource in resources:
        scope = "namespaces/{namespace}/" if resource.namespaced else ""
        base = f"/{_prefix(resource)}/{scope}{resource.plural}"
        kind = gvk(resource.group, resource.version, resource.kind)
        schema = schema_name(resource.api_version, resource.kind)
        if "list" not in resource.verbs:
            paths[base] = _operations({"post": "post"}, kind, schema, schema)
            continue
        paths[base] = _operations({"get": "list", "post": "post"}, kind, schema + "List", schema)
        item = {"get": "get", "put": "put", "patch": "patch", "delete": "delete"}
        paths[f"{base}/{{name}}"] = _operations(item, kind, schema, schema)
        for below in resource.subresources:
            if below.name in STREAMS:
                continue
            group, version = below.group or resource.group, below.version or resource.version
            kind = gvk(group, version, below.kind)
            schema = schema_name(f"{group}/{version}".lstrip("/"), below.kind)
            rest = {"get": "get", "put": "put", "patch": "patch"}
            if below.verbs == ("create",):
                rest = {"post": "post"}
            paths[f"{base}/{{name}}/{below.name}"] = _operations(rest, kind, schema, schema)
    return paths


def _operations(actions: dict[str, str], kind: Object, answered: str, sent: str) -> Object:
    """Describe the methods of one path."""
    return {
        method: {
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": kind,
            "parameters": _parameters(method),
            "responses": {"200": _answer(answered if method == "get" else sent)},
            **({"requestBody": _body(method, sent)} if method in ("post", "put", "patch") else {}),
        }
        for method, action in actions.items()
    }


def _parameters(method: str) -> list[Object]:
    """The query parameters that kubectl looks for before it relies on them."""
    of_writes = ("dryRun", "fieldManager", "fieldValidation")
    names: tuple[str, ...] = {
        "post": of_writes,
        "put": of_writes,
        "patch": (*of_writes, "force"),
        "delete": ("dryRun", "gracePeriodSeconds", "propagationPolicy"),
    }.get(method, ())
    types = {"force": "boolean", "gracePeriodSeconds": "integer"}
    return [
        {
            "name": name,
            "in": "query",
            "schema": {"type": types.get(name, "string"), "uniqueItems": True},
        }
        for name in names
    ]


def _answer(schema: str) -> Object:
    return {"description": "OK", "content": {"application/json": {"schema": reference(schema)}}}


def _body(method: str, schema: str) -> Object:
    if method != "patch":
        return {"content": {"*/*": {"schema": reference(schema)}}, "required": True}
    patch = {"schema": reference(PACKAGES["meta"] + "Patch")}
    return {"content": dict.fromkeys(PATCH_TYPES, patch), "required": True}


def _encode(thing: Object) -> bytes:
    return json.dumps(thing, separators=(",", ":")).encode()
