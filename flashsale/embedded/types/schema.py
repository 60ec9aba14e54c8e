"""From JSON that a client sent to an object of the right type.

``mistakes`` finds what is wrong with it, this module says so and drops what does not belong.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any, Literal

from flashsale.embedded.types import go_time, quantities
from flashsale.embedded.types.api_errors import FieldError, StatusError, bad_request, invalid
from flashsale.embedded.types.apitypes import Kind, Type, knows, struct, type_of
from flashsale.embedded.types.resources import Resource
from flashsale.embedded.types.strict_decoding import (
    BITS,
    clean,
    digits,
    type_error,
    unknown_fields,
    word,
)
from flashsale.objects.models import Object

__all__ = [
    "check_types",
    "clean",
    "decode",
    "go_printed",
    "patch_error",
    "prune",
    "strict_error",
    "type_error",
    "unknown_fields",
]

FieldValidation = Literal["Strict", "Warn", "Ignore"]
DEEPEST = 64  # levels that are printed; no object of the API nests half as deep
ZEROS: dict[str, Any] = {"boolean": False, "int32": 0, "int64": 0, "intorstring": 0}
SCHEME = '"k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"'
KIND_READER = (  # the anonymous Go struct that reads kind and apiVersion ahead of the rest
    'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; '
    'Kind string "json:\\"kind,omitempty\\"" }'
)


def decode(
    resource: Resource, body: object, validation: FieldValidation = "Warn"
) -> tuple[Object, list[str]]:
    """Return the object in the body of a POST or PUT, and the texts of warnings to send along.

    Raises:
        ApiError: 400: another kind, a wrong type or, with Strict, an unknown field.
    """
    _check_kind(resource, body)
    version, kind = resource.api_version, resource.kind
    prefix = f'{kind} in version "{resource.version}" cannot be handled as a {kind}: '
    check_types(body, version, kind)
    unknown = unknown_fields(body, version, kind)
    if unknown and validation == "Strict":
        raise bad_request(prefix + strict_error(unknown))
    warnings = [_unknown(path) for path in unknown] if validation == "Warn" else []
    return prune(body, version, kind), warnings


def check_types(body: object, api_version: str, kind: str) -> None:
    """Refuse values of the wrong JSON type.

    Raises:
        ApiError: 400.
    """
    wrong = type_error(body, api_version, kind)
    if wrong:
        version = api_version.rpartition("/")[2]
        raise bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: {wrong}')


def strict_error(unknown: list[str]) -> str:
    """Word the refusal of unknown fields."""
    return "strict decoding error: " + ", ".join(map(_unknown, unknown))


def patch_error(sent: str, why: str) -> StatusError:
    """422 for a patch whose result cannot be decoded.

    Args:
        sent: what to show: the whole result as JSON for a wrong type (merge and JSON patches),
            the patch as ``go_printed`` for a strategic one and for unknown fields.
    """
    return invalid("", "", "", [FieldError.invalid("patch", clean(sent), why)])


def prune(body: object, api_version: str, kind: str) -> Object:
    """Return a body without unknown fields and nulls, quantities and times in normal form.

    Empty lists and maps are dropped too, as on their way through etcd: Go writes `omitempty`, and
    protobuf knows no difference between an empty list and none. Empty structs (`resources`) stay.
    Values of a wrong type are dropped as well; look for them with ``type_error`` first.
    """
    return _struct(type_of(api_version, kind), body if isinstance(body, dict) else {})


def go_printed(value: object, depth: int = DEEPEST) -> str:
    """Print a value as Go's ``%v`` does: `map[spec:map[replica:3]]`."""
    if depth == 0 and isinstance(value, dict | list):
        return "..."
    if isinstance(value, dict):
        pairs = sorted(((clean(key), item) for key, item in value.items()), key=itemgetter(0))
        inner = [f"{key}:{go_printed(item, depth - 1)}" for key, item in pairs]
        return "map[" + " ".join(inner) + "]"
    if isinstance(value, list):
        return "[" + " ".join([go_printed(item, depth - 1) for item in value]) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return digits(value)
    return clean(value) if isinstance(value, str) else "<nil>"


def _unknown(path: str) -> str:
    return f'unknown field "{path}"'


def _check_kind(resource: Resource, body: object) -> None:
    """Refuse what is no object, or one of another kind. Kind and apiVersion may be left out."""
    if not isinstance(body, dict):
        raise bad_request(
            f"the object provided is unrecognized (must be of type {resource.kind}): couldn't get "
            f"version/kind; json parse error: json: cannot unmarshal {word(body)} into Go value "
            f"of type {KIND_READER}"
        )
    kind = _text(body.get("kind")) or resource.kind
    version = _text(body.get("apiVersion")) or resource.api_version
    if (kind, version) == (resource.kind, resource.api_version):
        return
    short = version.rpartition("/")[2]
    why = f'no kind "{kind}" is registered for version "{version}" in scheme {SCHEME}'
    if knows(version, kind):
        group = resource.group.partition(".")[0] or "core"
        why = f"converting (v1.{kind}) to ({group}.{resource.kind}): unknown conversion"
    raise bad_request(f'{kind} in version "{short}" cannot be handled as a {resource.kind}: {why}')


def _text(value: object) -> str:
    return clean(value) if isinstance(value, str) else ""


def _struct(owner: Type, value: dict[str, Any]) -> Object:
    kept = {}
    for key, item in value.items():
        kind = owner.fields.get(key)
        if kind is None or item is None:
            continue
        pruned = _value(kind, item)
        if pruned is None or (not pruned and kind.shape in ("list", "map")):
            continue
        kept[key] = pruned
    return kept


def _value(kind: Kind, value: object) -> Any:
    """Return what is kept of a value; None if its type is wrong."""
    if kind.shape == "struct" and isinstance(value, dict):
        return _struct(struct(kind.name), value)
    if kind.shape == "list" and kind.item and isinstance(value, list):
        return [_item(kind.item, item) for item in value]
    if kind.shape == "map" and kind.item and isinstance(value, dict):
        return {clean(key): _item(kind.item, item) for key, item in value.items()}
    return _scalar(kind.name, value) if kind.shape == "scalar" else None


def _item(kind: Kind, value: object) -> Any:
    """In lists and maps Go makes a null (and here a wrong type) the type's zero value."""
    kept = None if value is None else _value(kind, value)
    if kept is not None:
        return kept
    if kind.shape == "scalar":
        return ZEROS.get(kind.name, "0" if kind.name == "quantity" else "")
    return [] if kind.shape == "list" else {}


def _scalar(name: str, value: object) -> Any:
    if name == "any":
        return value
    if name in BITS:
        return value if type(value) is int else None
    if name == "boolean":
        return value if isinstance(value, bool) else None
    if name == "intorstring" and type(value) is int:
        return value
    try:
        if name == "quantity":
            return quantities.canonical(value)  # type: ignore[arg-type]  # it checks the type
        if isinstance(value, str):
            text = clean(value)
            return go_time.normal(text, micro=name == "microtime") if "time" in name else text
    except ValueError:
        return None
    return None
