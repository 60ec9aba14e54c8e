"""The types of the API: which fields a kind has and what JSON they take.

Read from schema.json, which tools/generate_schema.py makes from Kubernetes' own sources.
Descriptions are left out here, they are most of the file; openapi.py reads it again for them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Shape = Literal["struct", "list", "map", "scalar"]
DESCRIBED = (  # types whose fields' descriptions head the columns of tables
    "policy.PodDisruptionBudgetSpec", "apps.ReplicaSetSpec", "apps.ReplicaSetStatus",
    "autoscaling.ScaleSpec", "autoscaling.ScaleStatus", "coordination.LeaseSpec", "core.ConfigMap",
    "core.Endpoints", "core.Event", "core.NodeStatus", "core.NodeSystemInfo",
    "core.ObjectReference", "core.PodSpec", "core.PodStatus", "core.ServiceSpec",
    "discovery.EndpointSlice", "meta.ObjectMeta", "scheduling.PriorityClass",
)  # fmt: skip
GO_SCALARS = {
    "boolean": "bool",
    "quantity": "resource.Quantity",
    "time": "v1.Time",
    "microtime": "v1.MicroTime",
    "intorstring": "intstr.IntOrString",
    "bytes": "[]uint8",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """What JSON a field takes: a scalar, a struct by name, or a list or map of another kind."""

    shape: Shape
    name: str = ""  # of the scalar (int32, quantity, ...) or of the type (core.PodSpec)
    item: Kind | None = None
    go: str = ""  # what Go calls it in error messages: int32, v1.PodSpec, []v1.Container
    via: str = ""  # the embedded Go struct that the field belongs to: ProbeHandler
    omit: bool = False  # Go leaves out its zero value
    default: Any = None  # where Kubernetes' OpenAPI names one
    # How patches treat it: strategic ones and server-side apply go by marks of their own.
    merge_key: str | None = None  # of a list that strategic patches merge; empty for a set
    replaced: bool = False  # by a strategic patch, although it is a map
    list_keys: tuple[str, ...] | None = None  # of a list that is applied by element; () for a set
    atomic: bool = False  # a map that is applied, and owned, as a whole

    def field(self, name: str) -> Kind | None:
        """Return what a field of a struct, or a value of a map, takes; None if nothing says so."""
        return struct(self.name).fields.get(name) if self.shape == "struct" else self.item


@dataclass(frozen=True, slots=True)
class Type:
    """A struct: its Go name and its fields by JSON name."""

    name: str
    fields: Mapping[str, Kind]


def type_of(api_version: str, kind: str) -> Type:
    """Return the type of `apps/v1`, `ReplicaSet`, of a list of them, or of a Scale.

    Raises:
        KeyError: this API does not know it.
    """
    return struct(type_name(api_version, kind))


def type_name(api_version: str, kind: str) -> str:
    """Return what a kind's type is called in the file: `apps.ReplicaSet`.

    Raises:
        KeyError: this API does not know it.
    """
    name: str = _tables()["kinds"][f"{api_version}/{kind}"]
    return name


def kind_of(thing: Mapping[str, Any]) -> Kind | None:
    """Return what an object says that it is; None if this API has no such kind."""
    api_version, kind = str(thing.get("apiVersion")), str(thing.get("kind"))
    return _kind("@" + type_name(api_version, kind)) if knows(api_version, kind) else None


def knows(api_version: str, kind: str) -> bool:
    return f"{api_version}/{kind}" in _tables()["kinds"]


@cache
def struct(name: str) -> Type:
    """Return a type by its name in the file, `core.PodSpec`; made when first asked for."""
    fields = _tables()["types"][name]
    kinds = {field: _field(described) for field, described in fields.items()}
    return Type(name.partition(".")[2], kinds)


def read_schema() -> dict[str, Any]:
    """Parse the whole file anew; large, so keep only what you need of it."""
    text = files("flashsale.embedded.types").joinpath("schema.json").read_text("utf-8")
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def kubernetes_version() -> str:
    return str(_tables()["version"])


def field_description(name: str, field: str) -> str:
    return str(_tables()["described"][name].get(field, ""))


def internal_fields(name: str) -> list[tuple[str, str, str]]:
    """Return the fields of an internal Go struct: Go's name, its type, the name in JSON.

    Raises:
        KeyError: it is not a struct.
    """
    fields = _tables()["internal"][name]
    return [(go, kind, json_name) for go, kind, json_name in fields]


def wire_fields(name: str) -> Mapping[str, list[Any]]:
    """Return a struct's fields as protobuf numbers them.

    By number in decimal: JSON name and whether it may be absent, or "" and an embedded struct.
    """
    fields: Mapping[str, list[Any]] = _tables()["wire"][name]
    return fields


def is_internal(name: str) -> bool:
    return name in _tables()["internal"]


@cache
def _tables() -> dict[str, Any]:
    """The file without most of its descriptions."""
    whole = read_schema()
    described: dict[str, dict[str, str]] = {}
    types, atomic = {}, set()
    for name, entry in whole["types"].items():
        texts = {field: d.pop("description", "") for field, d in entry["fields"].items()}
        if name in DESCRIBED:
            described[name] = texts
        if entry.get("atomic"):
            atomic.add(name)
        types[name] = entry["fields"]
    kept = {key: whole[key] for key in ("version", "kinds", "internal", "wire")}
    return kept | {"types": types, "atomic": atomic, "described": described}


def _field(described: dict[str, Any]) -> Kind:
    kind, go = _kind(described["type"]), described.get("go", "")
    if kind.item and go.startswith("[]"):
        kind = replace(kind, item=replace(kind.item, go=go[2:]))
    strategies = described.get("x-kubernetes-patch-strategy", "").split(",")
    merge_key = described.get("x-kubernetes-patch-merge-key", "")
    is_set = described.get("x-kubernetes-list-type") == "set"
    keys = () if is_set else described.get("x-kubernetes-list-map-keys")
    return replace(
        kind,
        go=go or kind.go,
        via=described.get("via", ""),
        omit=described.get("omit", False),
        default=described.get("default"),
        merge_key=merge_key if "merge" in strategies else None,
        replaced="replace" in strategies,
        list_keys=None if keys is None else tuple(keys),
        atomic=kind.atomic or described.get("x-kubernetes-map-type") == "atomic",
    )


def _kind(text: str) -> Kind:
    """Read the notation of tools/generate_schema.py: `[]@core.Container`, `{}string`, `int32`."""
    if text.startswith("[]"):
        item = _kind(text[2:])
        return Kind("list", item=item, go="[]" + item.go)
    if text.startswith("{}"):
        item = _kind(text[2:])
        return Kind("map", item=item, go="map[string]" + item.go)
    if text.startswith("@"):
        name = text[1:]
        atomic = name in _tables()["atomic"]
        return Kind("struct", name, go="v1." + name.partition(".")[2], atomic=atomic)
    return Kind("scalar", text, go=GO_SCALARS.get(text, text))
