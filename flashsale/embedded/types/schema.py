"""From JSON that a client sent to an object of the right type.

``strict_decoding`` finds mistakes; this module words them, and drops fields that do not belong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from flashsale.embedded.types import quantities
from flashsale.embedded.types.api_errors import FieldError, StatusError, bad_request, invalid_object
from flashsale.embedded.types.apitypes import Kind, Type, knows, struct, type_of
from flashsale.embedded.types.golang import go_text
from flashsale.embedded.types.resources import Resource
from flashsale.embedded.types.strict_decoding import (
    BITS,
    json_type_name,
    replace_surrogates,
    type_error,
    unknown_fields,
)
from flashsale.objects.models import Object

FieldValidation = Literal["Strict", "Warn", "Ignore"]
ZEROS: dict[str, Any] = {"boolean": False, "int32": 0, "int64": 0, "intorstring": 0}
SCHEME = '"pkg/api/legacyscheme/scheme.go:30"'
OLD_VERSIONS = (  # which a real API server still reads
    ("apps/v1beta2", "ReplicaSet"),
    ("extensions/v1beta1", "ReplicaSet"),
    ("discovery.k8s.io/v1beta1", "EndpointSlice"),
    ("coordination.k8s.io/v1beta1", "Lease"),
    ("policy/v1beta1", "PodDisruptionBudget"),
    ("events.k8s.io/v1", "Event"),
    ("events.k8s.io/v1beta1", "Event"),
)
KIND_READER = (  # the anonymous Go struct that reads kind and apiVersion ahead of the rest
    'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; '
    'Kind string "json:\\"kind,omitempty\\"" }'
)


def decode_object(
    resource: Resource,
    body: object,
    validation: FieldValidation = "Warn",
    duplicates: Sequence[str] = (),
) -> tuple[Object, list[str]]:
    """Return the object in the body of a POST or PUT, and what to warn of: fields that are dropped.

    ``duplicates`` says which keys stand in it twice.

    Raises:
        StatusError: 400: another kind, a wrong type or, with Strict, an unknown field.
    """
    version, kind = resource.api_version, resource.kind
    check_kind(resource.group, version, kind, body)
    check_types(body, version, kind)
    mistakes = [*duplicates, *field_mistakes(unknown_fields(body, version, kind), [])]
    if mistakes and validation == "Strict":
        prefix = f'{kind} in version "{resource.version}" cannot be handled as a {kind}: '
        raise bad_request(prefix + strict_error(mistakes))
    return prune(body, version, kind), mistakes


def check_types(body: object, api_version: str, kind: str) -> None:
    """Refuse values of the wrong JSON type.

    Raises:
        StatusError: 400.
    """
    if wrong := type_error(body, api_version, kind):
        version = api_version.rpartition("/")[2]
        raise bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: {wrong}')


def field_mistakes(unknown: Sequence[str], duplicates: Sequence[str]) -> list[str]:
    """Name the fields that are unknown or stand twice, for warnings and refusals."""
    wrong = [f'duplicate field "{path}"' for path in duplicates]
    return wrong + [f'unknown field "{path}"' for path in unknown]


def strict_error(mistakes: Sequence[str]) -> str:
    """Word the refusal of such fields; those that YAML has twice are named together."""
    lines = [text for text in mistakes if text.startswith("line ")]
    rest = mistakes[len(lines) :]
    return f"strict decoding error: {', '.join([*yaml_errors(lines), *rest])}"


def yaml_errors(lines: Sequence[str]) -> list[str]:
    """Return Go's one error for all lines of a YAML document that are wrong."""
    return ["\n  ".join(("yaml: unmarshal errors:", *lines))] if lines else []


def patch_error(sent: str, why: str) -> StatusError:
    """422 for a patch whose result cannot be decoded.

    Args:
        sent: what to show: the whole result as JSON for a wrong type (merge and JSON patches),
            the patch as ``go_printed`` for a strategic one and for unknown fields.
    """
    return invalid_object("", "", "", [FieldError.invalid("patch", replace_surrogates(sent), why)])


def prune(body: object, api_version: str, kind: str) -> Object:
    """Return a body without unknown fields and nulls, quantities and times in normal form.

    Its fields stand in the order of Go's structs. Empty lists and maps are dropped too, as on their
    way through etcd: Go writes `omitempty`, and protobuf knows no difference between an empty list
    and none; so are other zero values that Go omits. Empty structs (`resources`) stay.
    Values of a wrong type are dropped as well; look for them with ``type_error`` first.
    """
    return _struct(type_of(api_version, kind), body if isinstance(body, dict) else {})


def with_explicit_zeros(pruned: Any, sent: Any) -> Any:
    """Return what ``prune`` left, with the nulls, zeros and empty lists that were sent."""
    if isinstance(pruned, dict) and isinstance(sent, dict):
        kept = {key: with_explicit_zeros(item, sent.get(key)) for key, item in pruned.items()}
        zeros = {key: item for key, item in sent.items() if key not in pruned and not item}
        return kept | zeros
    if isinstance(pruned, list) and isinstance(sent, list) and len(pruned) == len(sent):
        return [with_explicit_zeros(*pair) for pair in zip(pruned, sent, strict=True)]
    return pruned


def kind_error(body: object) -> str:
    """Say what keeps Go from reading kind and apiVersion; empty if nothing does."""
    if body is None:
        return ""
    if not isinstance(body, dict):
        return f"json: cannot unmarshal {json_type_name(body)} into Go value of type {KIND_READER}"
    for key in ("apiVersion", "kind"):
        if body.get(key) is not None and not isinstance(body[key], str):
            type_name = json_type_name(body[key])
            return f"json: cannot unmarshal {type_name} into Go struct field .{key} of type string"
    return ""


def check_kind(group: str, api_version: str, kind: str, body: object) -> None:
    """Refuse an object of another kind. Kind and apiVersion may be left out.

    Raises:
        StatusError: 400.
    """
    kind_sent, version = _kind_sent(body, kind, api_version)
    if (kind_sent, version) == (kind, api_version):
        return
    if (version, kind_sent) in OLD_VERSIONS and kind_sent == kind:
        raise bad_request(
            f"the API version in the data ({version}) does not match the expected API version "
            f"({api_version})"
        )
    group_of, _, short = version.rpartition("/")
    version = version if group_of else short  # `/v1` is `v1`
    why = _no_kind(kind_sent, version)
    wrong = type_error(body, version, kind_sent) if knows(version, kind_sent) else ""
    if wrong:  # it is read as what it says that it is, before anybody looks for something else
        why = wrong
    elif knows(version, kind_sent) or (version, kind_sent) == ("v1", "List"):
        internal = group.partition(".")[0] or "core"
        why = f"converting (v1.{kind_sent}) to ({internal}.{kind}): unknown conversion"
    short = go_text.quote(short)
    raise bad_request(f"{kind_sent} in version {short} cannot be handled as a {kind}: {why}")


def unregistered(api_version: str, kind: str, patched: object) -> str:
    """Say what keeps the outcome of a patch from being read as its own kind; empty if nothing."""
    kind_sent, version = _kind_sent(patched, kind, api_version)
    if (kind_sent, version) == (kind, api_version) or knows(version, kind_sent):
        return ""
    return _no_kind(kind_sent, version)


def _kind_sent(body: object, kind: str, api_version: str) -> tuple[str, str]:
    """Return what an object says that it is, or what it is taken to be."""
    sent = body if isinstance(body, dict) else {}
    return _text(sent.get("kind")) or kind, _text(sent.get("apiVersion")) or api_version


def _no_kind(kind: str, version: str) -> str:
    words = f"{go_text.quote(kind)} is registered for version {go_text.quote(version)}"
    return f"no kind {words} in scheme {SCHEME}"


def _text(value: object) -> str:
    return replace_surrogates(value) if isinstance(value, str) else ""


def _struct(owner: Type, value: dict[str, Any]) -> Object:
    kept = {}
    for key, kind in owner.fields.items():
        if value.get(key) is None:
            continue
        pruned = _value(kind, value[key])
        if pruned is None or (not pruned and (kind.omit or kind.shape in ("list", "map"))):
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
        return {replace_surrogates(key): _item(kind.item, item) for key, item in value.items()}
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
            text = replace_surrogates(value)
            return go_text.normal_time(text, micro=name == "microtime") if "time" in name else text
    except ValueError:
        return None
    return None
