"""What a Go decoder finds wrong with JSON that a client sent, in its words and its order.

Both functions take any JSON value whatsoever, also what Python's reader lets through (NaN, halves
of surrogate pairs). The behaviour is that of sigs.k8s.io/json, on which the API server's serializer
rests: fields are case-sensitive, null fits everything, and the first wrong type is reported, unless
a quantity, a time or a port refuses its own text: that one ends the decoding.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from flashsale.embedded.types import quantities
from flashsale.embedded.types.apitypes import Kind, Type, struct, type_of
from flashsale.embedded.types.golang import go_text

MOST = 100  # unknown fields that are listed
OWN_TEXTS = ("quantity", "time", "microtime", "intorstring")  # types that read their own JSON
BITS = {"int32": 31, "int64": 63}


class _EndOfDecoding(Exception):
    """A value that reads its own JSON refused it."""


def type_error(body: object, api_version: str, kind: str) -> str | None:
    """Say which value has the wrong JSON type; None if all is well."""
    whole = type_of(api_version, kind)
    if not isinstance(body, dict):
        return (
            f"json: cannot unmarshal {json_type_name(body)} into Go value of type v1.{whole.name}"
        )
    first = None
    try:
        for text in _struct_errors(whole, body, ()):
            first = first or text
    except _EndOfDecoding as error:
        return str(error)
    return first


def unknown_fields(body: object, api_version: str, kind: str) -> list[str]:
    """Return the paths of fields that the kind does not have: `spec.containers[0].imag`."""
    paths: dict[str, None] = {}  # an ordered set
    for path in _unknown_in_struct(type_of(api_version, kind), body, ""):
        paths[path] = None
        if len(paths) == MOST:
            break
    return list(paths)


def replace_surrogates(text: str) -> str:
    """Replace halves of surrogate pairs, which cannot be written, as Go's decoder does."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def sound(value: Any) -> Any:
    """Clean all strings and keys of a JSON value."""
    if isinstance(value, str):
        return value if value.isascii() else replace_surrogates(value)
    if isinstance(value, list):
        return [sound(item) for item in value]
    if isinstance(value, dict):
        return {sound(key): sound(item) for key, item in value.items()}
    return value


def json_type_name(value: object) -> str:
    """Name a JSON value's type as Go does."""
    if isinstance(value, bool):
        return "bool"
    for kind, name in ((str, "string"), (int | float, "number"), (list, "array"), (dict, "object")):
        if isinstance(value, kind):
            return name
    return "null"


def digits(number: float) -> str:
    """Write a number; one that Python refuses to write down (thousands of digits) roughly."""
    if isinstance(number, int) and number.bit_length() > 4096:
        return f"{'-' if number < 0 else ''}1e{int(number.bit_length() * 0.30103)}"
    return str(number)


def _unknown_in_struct(owner: Type, value: object, path: str) -> Iterator[str]:
    for key, item in value.items() if isinstance(value, dict) else ():
        where = f"{path}.{replace_surrogates(key)}" if path else replace_surrogates(key)
        if key in owner.fields:
            yield from _unknown_in(owner.fields[key], item, where)
        else:
            yield where


def _unknown_in(kind: Kind, value: object, path: str) -> Iterator[str]:
    if kind.shape == "struct":
        yield from _unknown_in_struct(struct(kind.name), value, path)
    elif kind.shape == "list" and kind.item and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unknown_in(kind.item, item, f"{path}[{index}]")


def _struct_errors(owner: Type, value: dict[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    for key, item in value.items():
        if key in owner.fields:
            kind = owner.fields[key]
            embedded = (kind.via,) if kind.via else ()
            yield from _errors(kind, item, owner.name, (*path, *embedded, key))


def _errors(kind: Kind, value: object, owner: str, path: tuple[str, ...]) -> Iterator[str]:
    """Yield each wrong type. ``path`` has field names only: Go does not count places in lists."""
    if value is None:
        return
    if kind.shape == "struct" and isinstance(value, dict):
        yield from _struct_errors(struct(kind.name), value, path)
    elif kind.shape == "list" and kind.item and isinstance(value, list):
        for item in value:
            yield from _errors(kind.item, item, owner, path)
    elif kind.shape == "map" and kind.item and isinstance(value, dict):
        for item in value.values():
            yield from _errors(kind.item, item, owner, path)
    elif kind.shape == "scalar":
        yield from _scalar_errors(kind, value, owner, path)
    else:
        yield _cannot(json_type_name(value), owner, path, kind.go)


def _scalar_errors(kind: Kind, value: object, owner: str, path: tuple[str, ...]) -> Iterator[str]:
    if kind.name in OWN_TEXTS:
        if wrong := own_text_error(kind.name, value):
            raise _EndOfDecoding(wrong.format(_place(owner, path)))
    elif kind.name in BITS:
        if json_type_name(value) != "number":
            yield _cannot(json_type_name(value), owner, path, kind.go)
        elif not _fits(value, BITS[kind.name]):
            yield _cannot(_number(value), owner, path, kind.go)
    elif kind.name == "bytes" and isinstance(value, str):
        yield from base64_errors(value)
    elif (
        json_type_name(value) != ("bool" if kind.name == "boolean" else "string")
        and kind.name != "any"
    ):
        yield _cannot(json_type_name(value), owner, path, kind.go)


def own_text_error(name: str, value: object) -> str:
    """Say why a value cannot be read as its own Go type does it; `{}` stands for where it is."""
    try:
        if name == "quantity":
            quantities.canonical(value)  # type: ignore[arg-type]  # it checks the type itself
        elif name == "intorstring":
            if not isinstance(value, str) and not _fits(value, BITS["int32"]):
                return f"json: cannot unmarshal {_number(value)} into {{}} of type int32"
        elif isinstance(value, str):
            go_text.normal_time(replace_surrogates(value), micro=name == "microtime")
        else:
            return f"json: cannot unmarshal {json_type_name(value)} into {{}} of type string"
    except ValueError as error:
        return str(error).replace("{", "{{").replace("}", "}}")
    return ""


def base64_errors(text: str) -> Iterator[str]:
    """Yield Go's error for a text that is not base64."""
    try:
        base64.b64decode(text.replace("\r", "").replace("\n", ""), validate=True)
    except (binascii.Error, ValueError):
        good = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        whole = len(text) // 4 * 4  # what is left of it is no group of four
        at = next((place for place, char in enumerate(text) if char not in good), whole)
        yield f"illegal base64 data at input byte {at}"


def _fits(value: object, bits: int) -> bool:
    """Whether a number is whole, also in the way it is written, and in range."""
    return type(value) is int and -(1 << bits) <= value < 1 << bits


def _number(value: object) -> str:
    """Go shows the digits of a number that does not fit."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"number {digits(value)}"
    return json_type_name(value)


def _cannot(what: str, owner: str, path: tuple[str, ...], go: str) -> str:
    return f"json: cannot unmarshal {what} into {_place(owner, path)} of type {go}"


def _place(owner: str, path: tuple[str, ...]) -> str:
    return f"Go struct field {owner}.{'.'.join(path)}"
