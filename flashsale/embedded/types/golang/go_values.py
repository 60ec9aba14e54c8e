"""Decoded JSON as Go has it: what it prints, what it calls a type, what it makes of another one."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from flashsale.embedded.types.apitypes import Kind, Type, struct, type_of
from flashsale.embedded.types.strict_decoding import (
    BITS,
    OWN_TEXTS,
    base64_errors,
    digits,
    own_text_error,
    replace_surrogates,
)

DEEPEST = 64  # levels that are printed; no object of the API nests half as deep
TYPES: dict[type, str] = {
    dict: "map[string]interface {}",
    list: "[]interface {}",
    str: "string",
    bool: "bool",
    int: "int64",
    float: "float64",
}


def go_type(value: object) -> str:
    """Name the type that Go decodes a JSON value to."""
    return TYPES.get(type(value), "nil")


def go_printed(value: object, depth: int = DEEPEST) -> str:
    """Print a value as Go's ``%v`` does: `map[spec:map[replica:3]]`."""
    if depth == 0 and isinstance(value, dict | list):
        return "..."
    if isinstance(value, dict):
        pairs = sorted(
            ((replace_surrogates(key), item) for key, item in value.items()), key=itemgetter(0)
        )
        inner = [f"{key}:{go_printed(item, depth - 1)}" for key, item in pairs]
        return "map[" + " ".join(inner) + "]"
    if isinstance(value, list):
        return "[" + " ".join([go_printed(item, depth - 1) for item in value]) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return digits(value)
    return replace_surrogates(value) if isinstance(value, str) else "<nil>"


def convert(patched: object, api_version: str, kind: str) -> tuple[Any, str]:
    """Convert the outcome of a strategic patch, whole floats included, to its Go types.

    Returns it, and what does not fit in the words of apimachinery's converter (runtime/converter).
    """
    try:
        return _convert_struct(type_of(api_version, kind), patched), ""
    except _NotConvertibleError as error:
        return patched, str(error)


class _NotConvertibleError(Exception):
    """A value that has another type than its field."""


def _convert_struct(owner: Type, value: object) -> Any:
    if not isinstance(value, dict):
        raise _NotConvertibleError(f"cannot restore struct from: {_kind_word(value)}")
    return {
        key: _convert(owner.fields[key], item) if key in owner.fields else item
        for key, item in value.items()
    }


def _convert(kind: Kind, value: object) -> Any:
    if value is None:
        return None
    if kind.shape == "struct":
        return _convert_struct(struct(kind.name), value)
    if kind.shape == "list" and kind.item:
        if not isinstance(value, list):
            raise _NotConvertibleError(f"cannot restore slice from {_kind_word(value)}")
        return [_convert(kind.item, item) for item in value]
    if kind.shape == "map" and kind.item:
        if not isinstance(value, dict):
            raise _NotConvertibleError(f"cannot restore map from {_kind_word(value)}")
        return {key: _convert(kind.item, item) for key, item in value.items()}
    return _convert_scalar(kind, value)


def _own_error(name: str, value: object) -> str:
    """Say what a value that reads its own JSON finds wrong with it."""
    if name == "bytes" and isinstance(value, str):
        return "".join(f"error decoding from json: {wrong}" for wrong in base64_errors(value))
    if name == "quantity" and isinstance(value, str):
        value = value.strip()
    return own_text_error(name, value).format("Go value") if name in OWN_TEXTS else ""


def _convert_scalar(kind: Kind, value: object) -> Any:
    go = {"boolean": "bool"}.get(kind.name, kind.name)
    if wrong := _own_error(kind.name, value):
        raise _NotConvertibleError(wrong)
    if go not in ("string", "bool", "int32", "int64"):
        return value  # it reads its own JSON
    if isinstance(value, dict | list):
        raise _NotConvertibleError(f"unrecognized type: {go}")
    if go in BITS and isinstance(value, float) and value.is_integer():
        return wrapped(int(value), go)
    sent = go_type(value)
    if sent == go or (go in BITS and sent == "int64"):
        return wrapped(value, go) if isinstance(value, int) else value
    numeric = ("int64", "float64")
    if (sent in numeric and go in BITS) or (sent == "int64" and go == "string"):
        raise _NotConvertibleError(f"cannot convert {sent} to {kind.go or go}")
    raise _NotConvertibleError(f"unrecognized type: {go}")


def wrapped(value: int, go: str) -> int:
    """Return a number as Go has it in fewer bits: the upper ones are lost.

    What is more than 64 bits is a float before, of which amd64 makes the least number.
    """
    if not -(2**63) <= value < 2**63:
        value = -(2**63)
    return (value + 2**31) % 2**32 - 2**31 if go == "int32" else value


def _kind_word(value: object) -> str:
    if isinstance(value, dict):
        return "map"
    return "slice" if isinstance(value, list) else go_type(value)
