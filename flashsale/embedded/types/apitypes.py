"""The types of the API: which fields a kind has and what JSON they take.

Read from schema.json, which tools/generate_schema.py makes from the official client's models.
Descriptions are left out here, they are most of the file; openapi.py reads it again for them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Shape = Literal["struct", "list", "map", "scalar"]
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
    return struct(_tables()["kinds"][f"{api_version}/{kind}"])


def knows(api_version: str, kind: str) -> bool:
    """Whether the API has that kind in that version."""
    return f"{api_version}/{kind}" in _tables()["kinds"]


@cache
def struct(name: str) -> Type:
    """Return a type by its name in the file, `core.PodSpec`; made when first asked for."""
    fields = _tables()["types"][name]
    kinds = {field: _kind(*described) for field, described in fields.items()}
    return Type(name.partition(".")[2], kinds)


def read() -> dict[str, Any]:
    """Parse the whole file anew; large, so keep only what you need of it."""
    text = files("flashsale.embedded.types").joinpath("schema.json").read_text("utf-8")
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def client_version() -> str:
    """Return the version of the client whose models these types are."""
    return str(_tables()["client"])


@cache
def _tables() -> dict[str, Any]:
    """The file without its descriptions: kinds, and for each type name -> (type, Go's name)."""
    whole = read()
    types = {
        name: {field: (d["type"], d.get("go", "")) for field, d in described["fields"].items()}
        for name, described in whole["types"].items()
    }
    return {"client": whole["client"], "kinds": whole["kinds"], "types": types}


def _kind(text: str, go: str = "") -> Kind:
    """Read the notation of tools/generate_schema.py: `[]@core.Container`, `{}string`, `int32`."""
    if text.startswith("[]"):
        item = _kind(text[2:])
        return Kind("list", item=item, go=go or "[]" + item.go)
    if text.startswith("{}"):
        item = _kind(text[2:])
        return Kind("map", item=item, go=go or "map[string]" + item.go)
    if text.startswith("@"):
        name = text[1:]
        return Kind("struct", name, go="v1." + name.partition(".")[2])
    return Kind("scalar", text, go=go or GO_SCALARS.get(text, text))
