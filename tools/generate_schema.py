"""Write flashsale/embedded/types/schema.json from Kubernetes' own sources, in one exact version.

    python tools/generate_schema.py

Needs Go, which downloads three modules. Descriptions, required fields, defaults and list marks come
from api/openapi-spec; enums, which those files lack, from the generated OpenAPI definitions; what
Go calls a type, which decoding errors show, and its numbers in protobuf from types.go; and the
internal types, which some validation errors show, from pkg/apis/core/types.go.

A field's ``type`` is ``string``, ``boolean``, ``int32``, ``int64``, ``quantity``, ``time``,
``microtime``, ``intorstring``, ``bytes``, ``any`` or ``@Type``; ``[]`` before it is a list of them,
``{}`` a map of string to them.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "flashsale" / "embedded" / "types" / "schema.json"
KUBERNETES, LIBRARIES = "v1.36.2", "v0.36.2"
ROOTS = (
    "v1/ConfigMap", "v1/Endpoints", "v1/Event", "v1/Namespace", "v1/Node", "v1/Pod", "v1/Service",
    "v1/ServiceAccount", "v1/Status", "v1/DeleteOptions", "apps/v1/ReplicaSet",
    "autoscaling/v1/Scale", "coordination.k8s.io/v1/Lease", "discovery.k8s.io/v1/EndpointSlice",
    "policy/v1/PodDisruptionBudget", "policy/v1/Eviction", "v1/Binding",
    "scheduling.k8s.io/v1/PriorityClass",
)  # fmt: skip
WITHOUT_LIST = ("Status", "DeleteOptions", "Scale", "Eviction", "Binding")
GROUPS = ("core", "apps", "autoscaling", "coordination", "discovery", "policy", "scheduling")
PACKAGES = {  # our word -> (prefix of its schemas, folder of its Go types, prefix of its functions)
    group: (f"io.k8s.api.{group}.v1.", f"{group}/v1", f"schema_k8sio_api_{group}_v1_")
    for group in GROUPS
} | {
    "meta": (
        "io.k8s.apimachinery.pkg.apis.meta.v1.",
        "pkg/apis/meta/v1",
        "schema_pkg_apis_meta_v1_",
    )
}
SPECIAL = {  # Go types with JSON of their own -> ours, and what errors call them
    "resource.Quantity": ("quantity", ""),
    "metav1.Time": ("time", ""),
    "metav1.MicroTime": ("microtime", ""),
    "intstr.IntOrString": ("intorstring", ""),
    "metav1.FieldsV1": ("any", ""),
    "[]byte": ("bytes", ""),
    "types.UID": ("string", "types.UID"),
    "bool": ("boolean", ""),
    "v1.ResourceList": ("{}quantity", "v1.ResourceList"),
}
SCALARS = {
    "any": "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",
    "intorstring": "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
    "microtime": "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime",
    "quantity": "io.k8s.apimachinery.pkg.api.resource.Quantity",
    "time": "io.k8s.apimachinery.pkg.apis.meta.v1.Time",
}
PLAIN = ("string", "int32", "int64", "boolean")
MARKS = ("x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type",
         "x-kubernetes-patch-merge-key", "x-kubernetes-patch-strategy")  # fmt: skip
STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
FIELD = re.compile(
    r"^\t(?:(\w+) +)?([\w.*\[\]]+)(?: +`json:\"([^\",]*)(,inline)?(,omitempty)?"
    r"(?:[^`]*?protobuf:\"\w+,(\d+))?[^`]*`)?\s*(?://.*)?$",
    re.MULTILINE,
)
FUNCTION = re.compile(r"^func (schema_\w+)\(.*?^\}", re.MULTILINE | re.DOTALL)
ENUM = re.compile(
    r'"(\w+)": \{\n\s+SchemaProps: spec\.SchemaProps\{\n\s+Description: +("(?:[^"\\]|\\.)*"),\n'
    r"(?:(?!\n\t{5}\},)[\s\S])*?Enum: +\[\]interface\{\}\{([^}]*)\}"
)


def generate() -> dict[str, Any]:
    """Describe all kinds and every type that they use."""
    sources = Sources()
    types: dict[str, Any] = {}
    kinds = {}
    for root in ROOTS:
        version, _, kind = root.rpartition("/")
        for name in (kind,) if kind in WITHOUT_LIST else (kind, kind + "List"):
            key = f"{package_of(version, kind)}.{name}"
            kinds[f"{version}/{name}"] = key
            sources.describe(key, types)
    return {
        "version": KUBERNETES,
        "kinds": kinds,
        "types": types,
        "wire": sources.wire(types),
        "scalars": sources.scalars(),
        "internal": sources.internal_types("PodSpec"),
    }


def encoded() -> str:
    """The file's text: compact and sorted, so that a new version shows as a small difference."""
    whole = sorted_but_fields(generate())
    return json.dumps(whole, separators=(",", ":"), ensure_ascii=False) + "\n"


def sorted_but_fields(value: Any, key: str = "") -> Any:
    """Sort the keys of all maps but those of fields, which stay as Go writes them."""
    if isinstance(value, dict):
        items = value.items() if key == "fields" else sorted(value.items())
        return {name: sorted_but_fields(item, name) for name, item in items}
    return value


def package_of(version: str, kind: str) -> str:
    """Return our word for the package of a kind."""
    if kind in ("Status", "DeleteOptions"):
        return "meta"
    group = version.partition("/")[0] if "/" in version else "core"
    return group.partition(".")[0]


class Sources:
    """The three modules, read."""

    def __init__(self) -> None:
        kubernetes = download("k8s.io/kubernetes", KUBERNETES)
        api, machinery = (download(f"k8s.io/{name}", LIBRARIES) for name in ("api", "apimachinery"))
        self._schemas: dict[str, Any] = {}
        for path in sorted((kubernetes / "api/openapi-spec/v3").glob("*_openapi.json")):
            if re.match(rf"(api__v1|apis__({'|'.join(GROUPS)})(\.k8s\.io)?__v1)_", path.name):
                self._schemas |= json.loads(path.read_text())["components"]["schemas"]
        definitions = (kubernetes / "pkg/generated/openapi/zz_generated.openapi.go").read_text()
        self._functions = {found[1]: found[0] for found in FUNCTION.finditer(definitions)}
        self._structs: dict[str, list[tuple[str, str, str, bool, int, bool]]] = {}
        self._strings: set[str] = set()
        for package, (_, folder, _) in PACKAGES.items():
            text = ((machinery if package == "meta" else api) / folder / "types.go").read_text()
            self._read_go(package, text)
        self._internal = {
            found[1]: [(name or kind, kind, not name) for name, kind, *_ in fields_of(found[2])]
            for found in STRUCT.finditer((kubernetes / "pkg/apis/core/types.go").read_text())
        }

    def _read_go(self, package: str, text: str) -> None:
        for found in STRUCT.finditer(text):
            self._structs[f"{package}.{found[1]}"] = list(fields_of(found[2]))
        for name in re.findall(r"^type (\w+) string$", text, re.MULTILINE):
            self._strings.add(f"{package}.{name}")

    def describe(self, key: str, types: dict[str, Any]) -> None:
        """Add a type and what it refers to."""
        if key in types:
            return
        package, _, name = key.partition(".")
        prefix, _, function = PACKAGES[package]
        schema = self._schemas[prefix + name]
        enums = dict(enums_in(self._functions.get(function + name, "")))
        types[key] = described = {
            "description": schema.get("description", ""),
            "fields": {},
            "required": schema.get("required", []),
        }
        if schema.get("x-kubernetes-map-type") == "atomic":
            described["atomic"] = True
        for field, kind, go, via, omit in self._fields(key):
            types[key]["fields"][field] = self._field(schema["properties"][field], kind, go, via)
            if omit:
                types[key]["fields"][field]["omit"] = True
            if field in enums:
                described["fields"][field] |= enums[field]
            if "@" in kind:
                self.describe(kind.partition("@")[2], types)

    def _fields(self, key: str, via: str = "") -> Iterator[tuple[str, str, str, str, bool]]:
        """Yield a struct's fields as JSON has them.

        Name, our type, Go's name, embedded struct, whether a zero value is left out.
        """
        package = key.partition(".")[0]
        for name, go, field, inline, _, omitempty in self._structs[key]:
            if inline or not (name or field):
                inner = self._qualified(go, package)
                if inner == "meta.TypeMeta":
                    yield from self._fields(inner, via)
                else:
                    yield from self._fields(inner, name or go.rpartition(".")[2])
            elif field not in ("", "-"):
                kind, word = self._type(go.removeprefix("*"), package)
                omit = omitempty and kind in PLAIN and not go.startswith("*")
                yield field, kind, word, via, omit

    def _type(self, go: str, package: str) -> tuple[str, str]:
        """Translate a Go type; the second is what errors call it where that does not follow."""
        go = go.removeprefix("*")
        if package == "meta" and go in ("Time", "MicroTime", "FieldsV1"):
            go = f"metav1.{go}"
        if package == "core" and go == "ResourceList":
            go = "v1.ResourceList"
        if go in SPECIAL:
            return SPECIAL[go]
        if go in ("string", "int32", "int64"):
            return go, ""
        for opening, ours in (("[]", "[]"), ("map[string]", "{}"), ("map[ResourceName]", "{}")):
            if go.startswith(opening):
                inner, word = self._type(go[len(opening) :], package)
                return ours + inner, f"[]{word}" if word and opening == "[]" else ""
        name = self._qualified(go, package)
        if name in self._strings:
            return "string", "v1." + name.partition(".")[2]
        if go == "LeaseDuration" or name not in self._structs:
            raise ValueError(f"what is {go} in {package}?")
        return f"@{name}", ""

    def _qualified(self, go: str, package: str) -> str:
        go = go.removeprefix("*")
        prefix, _, name = go.rpartition(".")
        packages = {"metav1": "meta", "v1": "core", "apiv1": "core", "": package}
        return f"{packages[prefix]}.{name}"

    def _field(self, schema: Any, kind: str, go: str, via: str) -> dict[str, Any]:
        described: dict[str, Any] = {"type": kind}
        described |= {
            key: schema[key] for key in ("description", "default", *MARKS) if key in schema
        }
        return described | ({"go": go} if go else {}) | ({"via": via} if via else {})

    def wire(self, types: dict[str, Any]) -> dict[str, dict[int, list[Any]]]:
        """Return how structs look in protobuf: number -> JSON name, whether it may be absent.

        The fields of an embedded struct are a message of their own: number -> "", its type.
        """
        found: dict[str, dict[int, list[Any]]] = {}
        waiting = list(types)
        while waiting:
            key = waiting.pop()
            if key in found:
                continue
            found[key] = {}
            for name, go, field, inline, number, _ in self._structs[key]:
                embedded = inline or not (name or field)
                if embedded and number:
                    inner = self._qualified(go, key.partition(".")[0])
                    found[key][number] = ["", inner]
                    waiting.append(inner)
                elif number and field:
                    found[key][number] = [field, go.startswith("*")]
        return found

    def scalars(self) -> dict[str, Any]:
        """Return the schemas of types with JSON of their own, by our word."""
        return {
            ours: {"name": name, "schema": self._schemas[name]} for ours, name in SCALARS.items()
        }

    def internal_types(self, root: str) -> dict[str, list[list[str]]]:
        """Return the internal structs below one: a field's name, its type, its JSON name."""
        found: dict[str, list[list[str]]] = {}
        waiting = [root]
        while waiting:
            name = waiting.pop()
            if name in found or name not in self._internal:
                continue
            json_names = {go: field for go, _, field, *_ in self._structs.get(f"core.{name}", [])}
            found[name] = []
            for go, kind, embedded in self._internal[name]:
                lower = go[0].lower() + go[1:]
                found[name].append([go, kind, "" if embedded else json_names.get(go, lower)])
                waiting.append(re.sub(r"^.*[\]*]", "", kind))
        return found


def fields_of(body: str) -> Iterator[tuple[str, str, str, bool, int, bool]]:
    """Yield a struct's fields: name (empty if embedded), type, JSON name, three of its tags."""
    for found in FIELD.finditer(body):
        number, omitempty = int(found[6] or 0), bool(found[5])
        yield found[1] or "", found[2], found[3] or "", bool(found[4]), number, omitempty


def enums_in(function: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the properties with a fixed set of values, with the description that lists them."""
    for found in ENUM.finditer(function):
        values = re.findall(r'"((?:[^"\\]|\\.)*)"', found[3])
        yield found[1], {"description": json.loads(found[2]), "enum": values}


def download(module: str, version: str) -> Path:
    """Return the folder of a module, which Go fetches if it is not there."""
    command = ["go", "mod", "download", "-json", f"{module}@{version}"]
    environment = os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return Path(json.loads(done.stdout)["Dir"])


if __name__ == "__main__":
    TARGET.write_text(encoded(), encoding="utf-8")
    print(f"{TARGET}: {TARGET.stat().st_size} bytes", file=sys.stderr)
