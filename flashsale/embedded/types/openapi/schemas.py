"""The schemas in the OpenAPI documents: every type with its descriptions, from schema.json."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flashsale.embedded.types.resources import Resource
from flashsale.objects.models import Object

PACKAGES = {  # as the API server names its schemas
    "apps": "io.k8s.api.apps.v1.",
    "autoscaling": "io.k8s.api.autoscaling.v1.",
    "coordination": "io.k8s.api.coordination.v1.",
    "core": "io.k8s.api.core.v1.",
    "discovery": "io.k8s.api.discovery.v1.",
    "policy": "io.k8s.api.policy.v1.",
    "scheduling": "io.k8s.api.scheduling.v1.",
    "meta": "io.k8s.apimachinery.pkg.apis.meta.v1.",
}
PLAIN: dict[str, Object] = {
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "bytes": {"type": "string", "format": "byte"},
}
ZEROS: dict[str, Any] = {"string": "", "int32": 0, "int64": 0, "boolean": False}
COPIED = (
    "default", "description", "enum", "x-kubernetes-list-type", "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type", "x-kubernetes-patch-merge-key", "x-kubernetes-patch-strategy",
)  # fmt: skip
REF = "#/components/schemas/"


def schemas(resources: Iterable[Resource], whole: dict[str, Any]) -> Object:
    """Describe the kinds of a group version and every type that they use."""
    wanted = [
        whole["kinds"][f"{resource.api_version}/{resource.kind}{ending}"]
        for resource in resources
        for ending in ("", "List")
        if ending == "" or "list" in resource.verbs
    ]
    for below in (below for resource in resources for below in resource.subresources):
        if below.group:
            wanted.append(whole["kinds"][f"{below.group}/{below.version}/{below.kind}"])
    kinds = {name: kind for kind, name in whole["kinds"].items()}
    made: Object = {
        PACKAGES["meta"] + "Patch": {
            "description": "Patch is provided to give a concrete name and type to the Kubernetes "
            "PATCH request body.",
            "type": "object",
        }
    }
    while wanted:
        name = wanted.pop()
        if _full(name) in made:
            continue
        made[_full(name)] = _schema(name, whole, kinds.get(name, ""))
        for used in _used(whole["types"][name]):
            if used.startswith("@"):
                wanted.append(used[1:])
            elif used in whole["scalars"]:
                special = whole["scalars"][used]
                made[special["name"]] = special["schema"]
    return dict(sorted(made.items()))


def _used(described: Object) -> list[str]:
    return [field["type"].lstrip("[]{}") for field in described["fields"].values()]


def _schema(name: str, whole: dict[str, Any], kind: str) -> Object:
    described = whole["types"][name]
    schema: Object = {
        "description": described["description"],
        "type": "object",
        "properties": {
            field: _typed(detail["type"], whole)
            | {key: detail[key] for key in COPIED if key in detail}
            for field, detail in described["fields"].items()
        },
    }
    if described.get("atomic"):
        schema["x-kubernetes-map-type"] = "atomic"
    if described["required"]:
        schema["required"] = described["required"]
    if kind:
        api_version, _, word = kind.rpartition("/")
        group, _, version = api_version.rpartition("/")
        schema["x-kubernetes-group-version-kind"] = [gvk(group, version, word)]
    return schema


def _typed(notation: str, whole: dict[str, Any]) -> Object:
    """Turn the notation of schema.json into OpenAPI; a reference may have siblings in `allOf`."""
    if notation.startswith("[]"):
        item = _typed(notation[2:], whole)
        return {"type": "array", "items": item | _zero(notation[2:])}
    if notation.startswith("{}"):
        item = _typed(notation[2:], whole)
        if "allOf" in item:
            item = item["allOf"][0]
        return {"type": "object", "additionalProperties": item | _zero(notation[2:])}
    if notation.startswith("@"):
        return {"allOf": [reference(_full(notation[1:]))]}
    if notation in whole["scalars"]:
        return {"allOf": [reference(whole["scalars"][notation]["name"])]}
    return dict(PLAIN[notation])


def _zero(notation: str) -> Object:
    """What an element of a list or map is by default, where that is said."""
    if notation.startswith("@"):
        return {"default": {}}
    return {"default": ZEROS[notation]} if notation in ZEROS else {}


def _full(name: str) -> str:
    package, _, word = name.partition(".")
    return PACKAGES[package] + word


def schema_name(api_version: str, kind: str) -> str:
    """The schema of a kind, without reading the file: its group's first word is its package."""
    group = api_version.partition("/")[0] if "/" in api_version else "core"
    return PACKAGES[group.partition(".")[0]] + kind


def gvk(group: str, version: str, kind: str) -> Object:
    """Name a kind as the API server does: three keys."""
    return {"group": group, "version": version, "kind": kind}


def reference(name: str) -> Object:
    return {"$ref": REF + name}
