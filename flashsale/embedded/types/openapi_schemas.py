"""The schemas in the OpenAPI documents: every type with its descriptions, from schema.json."""

from __future__ import annotations

from typing import Any

from flashsale.embedded.types.merge_keys import list_map_keys, patch_merge_key
from flashsale.embedded.types.resources import Resource
from flashsale.objects.models import Object

PACKAGES = {  # as the API server names its schemas
    "apps": "io.k8s.api.apps.v1.",
    "autoscaling": "io.k8s.api.autoscaling.v1.",
    "coordination": "io.k8s.api.coordination.v1.",
    "core": "io.k8s.api.core.v1.",
    "discovery": "io.k8s.api.discovery.v1.",
    "meta": "io.k8s.apimachinery.pkg.apis.meta.v1.",
}
SCALARS: dict[str, Object] = {
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "bytes": {"type": "string", "format": "byte"},
    "time": {"type": "string", "format": "date-time"},
    "microtime": {"type": "string", "format": "date-time"},
    "quantity": {"oneOf": [{"type": "string"}, {"type": "number"}]},
    "intorstring": {"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]},
    "any": {"type": "object"},
}
PLACES = {  # where a type stands in its kind, as far as a list's keys depend on it
    "core.Container": ("containers",),
    "core.EphemeralContainer": ("ephemeralContainers",),
    "core.ServiceAccount": (),
    "discovery.EndpointSlice": (),
}
REF = "#/components/schemas/"
SCALE = "autoscaling/v1"


def schemas(resources: list[Resource], whole: dict[str, Any]) -> Object:
    """Describe the kinds of a group version and every type that they use."""
    wanted = [
        whole["kinds"][f"{resource.api_version}/{resource.kind}{ending}"]
        for resource in resources
        for ending in ("", "List")
    ]
    if any(below.group for resource in resources for below in resource.subresources):
        wanted.append(whole["kinds"][f"{SCALE}/Scale"])
    kinds = {name: kind for kind, name in whole["kinds"].items()}
    made: Object = {
        PACKAGES["meta"] + "Patch": {"description": "A patch of any kind.", "type": "object"}
    }
    while wanted:
        name = wanted.pop()
        if _full(name) in made:
            continue
        made[_full(name)] = _schema(name, whole["types"], kinds.get(name, ""))
        wanted += _used(whole["types"][name])
    return dict(sorted(made.items()))


def _used(described: Object) -> list[str]:
    types = [field["type"].lstrip("[]{}") for field in described["fields"].values()]
    return [name[1:] for name in types if name.startswith("@")]


def _schema(name: str, types: dict[str, Any], kind: str) -> Object:
    described = types[name]
    schema: Object = {
        "description": described["description"],
        "type": "object",
        "properties": {
            field: _property(name, field, detail, types)
            for field, detail in described["fields"].items()
        },
    }
    if described["required"]:
        schema["required"] = described["required"]
    if kind:
        api_version, _, word = kind.rpartition("/")
        group, _, version = api_version.rpartition("/")
        schema["x-kubernetes-group-version-kind"] = [gvk(group, version, word)]
    return schema


def _property(owner: str, field: str, detail: Object, types: dict[str, Any]) -> Object:
    described = _typed(detail["type"])
    if "description" in detail:
        described["description"] = detail["description"]
    if detail["type"].startswith("[]"):
        described |= _list_marks(owner, field, detail["type"][2:], types)
    return described


def _typed(notation: str) -> Object:
    """Turn the notation of schema.json into OpenAPI; a reference may have siblings in `allOf`."""
    if notation.startswith("[]"):
        return {"type": "array", "items": _typed(notation[2:])}
    if notation.startswith("{}"):
        return {"type": "object", "additionalProperties": _typed(notation[2:])}
    if notation.startswith("@"):
        return {"allOf": [reference(_full(notation[1:]))]}
    return dict(SCALARS[notation])


def _list_marks(owner: str, field: str, item: str, types: dict[str, Any]) -> Object:
    """Mark how a list merges; a key counts only where the elements have it."""
    path = (*PLACES.get(owner, ("spec",)), field)
    fields = types[item[1:]]["fields"] if item.startswith("@") else {}
    marks: Object = {}
    key, keys = patch_merge_key(path), list_map_keys(path)
    if key in fields or (key == "" and not fields):
        marks["x-kubernetes-patch-strategy"] = "merge"
    if key and key in fields:
        marks["x-kubernetes-patch-merge-key"] = key
    if keys and set(keys) <= set(fields):
        marks |= {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}
    elif keys == () and not fields:
        marks["x-kubernetes-list-type"] = "set"
    else:
        marks["x-kubernetes-list-type"] = "atomic"
    return marks


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
    """Refer to a schema."""
    return {"$ref": REF + name}
