"""Objects in protobuf, which the Go clients and `kubectl create TYPE` send.

A body is four bytes, then runtime.Unknown, which holds the object's own message
(k8s.io/apimachinery/pkg/runtime/serializer/protobuf). Which field has which number is in
schema.json; how fields are written is protobuf's own
(https://protobuf.dev/programming-guides/encoding).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from flashsale.embedded.types.apitypes import Kind, knows, struct, type_name, wire_fields
from flashsale.objects.models import Object

MAGIC = b"k8s\x00"
UNLIKE = "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"
VARINT, BYTES = 0, 2  # wire types; the others do not occur here
LONGEST_VARINT = 10  # bytes of 7 bits
TYPE_META, RAW = 1, 2  # of Unknown; 3 and 4 name an encoding and a type, and are empty
API_VERSION, KIND = 1, 2  # of TypeMeta
KEY, VALUE = 1, 2  # of a map's entry
TEXT = 3  # of IntOrString: 1 says which it is, 2 is the number

Fields = Iterator[tuple[int, int | bytes]]


def decode_protobuf(body: bytes) -> Object:
    """Decode an object as JSON would have it; of a kind that is not known here, its name alone.

    Raises:
        ValueError: it is damaged.
    """
    if not body.startswith(MAGIC):
        raise ValueError(UNLIKE if body else "empty data")
    if body == MAGIC:
        raise ValueError("empty body")
    raw, version, kind = b"", "", ""
    for number, value in fields(body[len(MAGIC) :]):
        if number == TYPE_META:
            texts = {at: _text(text) for at, text in fields(_bytes(value))}
            version, kind = texts.get(API_VERSION, ""), texts.get(KIND, "")
        elif number == RAW:
            raw = _bytes(value)
        elif value:
            raise ValueError("it is encoded once more")
    decoded = {"apiVersion": version, "kind": kind}
    known_as = "v1" if kind == "DeleteOptions" else version  # those belong to every version
    if not knows(known_as, kind):
        return decoded
    name = type_name(known_as, kind)
    return decoded | _struct(name, raw, struct(name).fields)


def fields(message: bytes) -> Fields:
    """Yield the fields of a message, numbers as numbers and everything else as bytes.

    Raises:
        ValueError: it is cut off, or of a wire type that does not occur.
    """
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        value, at = _varint(message, at)
        if wire == VARINT:
            yield number, value
        elif wire == BYTES and at + value <= len(message):
            yield number, message[at : at + value]
            at += value
        else:
            raise ValueError("a field is cut off, or of another type")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Read a number of 7 bits a byte, the least first; return it and where it ends."""
    value = 0
    for index, byte in enumerate(message[at : at + LONGEST_VARINT]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, at + index + 1
    raise ValueError("a number does not end")


def _struct(name: str, message: bytes, kinds: Mapping[str, Kind]) -> Object:
    """Decode a struct; Go writes what is empty, too, where a field cannot be absent.

    ``kinds`` are those of the struct that it is embedded in, or its own.
    """
    known: Mapping[str, list[Any]] = wire_fields(name)
    thing: Object = {}
    for number, value in fields(message):
        field, absent = known.get(str(number), ("", None))
        if not field:
            if isinstance(absent, str):
                thing |= _struct(absent, _bytes(value), kinds)
            continue
        _put(thing, field, kinds[field], value, keep_empty=bool(absent))
    return thing


def _put(thing: Object, field: str, kind: Kind, value: int | bytes, *, keep_empty: bool) -> None:
    if kind.shape == "list" and kind.item:
        thing.setdefault(field, []).append(_value(kind.item, value))
    elif kind.shape == "map" and kind.item:
        entry = dict(fields(_bytes(value)))
        key = _text(entry.get(KEY, b""))
        thing.setdefault(field, {})[key] = _value(kind.item, entry.get(VALUE, b""))
    else:
        decoded = _value(kind, value)
        if keep_empty or decoded not in (None, "", 0, {}):
            thing[field] = decoded


def _value(kind: Kind, value: int | bytes) -> Any:
    if kind.shape == "struct":
        return _struct(kind.name, _bytes(value), struct(kind.name).fields)
    if isinstance(value, int):
        if kind.name == "boolean":
            return bool(value)
        if kind.name not in ("int32", "int64"):
            raise ValueError("a number stands where text or a message is due")
        return value - (1 << 64) if value >> 63 else value  # negative ones are written in full
    if kind.name == "string":
        return _text(value)
    if kind.name == "bytes":
        return base64.b64encode(value).decode()
    parts = dict(fields(value))
    if kind.name == "quantity":
        return _text(parts.get(1, b"0"))
    if kind.name == "intorstring":
        return _text(parts[TEXT]) if parts.get(1) == 1 else parts.get(2, 0)
    if kind.name == "any":
        return json.loads(_bytes(parts.get(1, b"{}")))
    return _time(parts, micro=kind.name == "microtime")


def _time(parts: dict[int, int | bytes], *, micro: bool) -> str | None:
    seconds, nanos = parts.get(1), parts.get(2, 0)
    if not isinstance(seconds, int) or not isinstance(nanos, int):
        return None
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
        seconds=seconds, microseconds=nanos // 1000
    )
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if micro else "%Y-%m-%dT%H:%M:%SZ")


def _text(value: int | bytes) -> str:
    return _bytes(value).decode()


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number stands where text or a message is due")
    return value
