"""OpenAPI v2 in protobuf, the only form in which kubectl reads it.

Field numbers are those of gnostic's OpenAPIv2.proto; how fields are written is protobuf's own
(https://protobuf.dev/programming-guides/encoding). Extensions travel as YAML, which JSON is.
"""

from __future__ import annotations

import json
from typing import Any

from flashsale.objects.models import Object

CONTENT_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
ACCEPTED = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
METHODS = {"get": 2, "put": 3, "post": 4, "delete": 5, "patch": 8}


def document_protobuf(document: Object) -> bytes:
    info = _text(1, document["info"]["title"]) + _text(2, document["info"]["version"])
    paths = b"".join(_named(2, name, _path(path)) for name, path in document["paths"].items())
    schemas = document["definitions"].items()
    definitions = b"".join(_named(1, name, _schema(schema)) for name, schema in schemas)
    parts = [_text(1, document["swagger"]), _message(2, info), _message(8, paths)]
    return b"".join([*parts, _message(9, definitions)])


def _path(path: Object) -> bytes:
    return b"".join(_message(METHODS[method], _operation(each)) for method, each in path.items())


def _operation(operation: Object) -> bytes:
    parts = [_text(6, kind) for kind in operation["produces"]]
    parts += [_text(7, kind) for kind in operation["consumes"]]
    parts += [_message(8, _message(1, _parameter(each))) for each in operation["parameters"]]
    for code, response in operation["responses"].items():
        schema = _message(2, _message(1, _schema(response["schema"])))
        answer = _text(1, response["description"]) + schema
        parts.append(_message(9, _named(1, code, _message(1, answer))))
    return b"".join(parts) + _extensions(13, operation)


def _parameter(parameter: Object) -> bytes:
    if parameter["in"] == "body":
        named = _text(2, "body") + _text(3, "body") + _flag(4)
        return _message(1, named + _message(5, _schema(parameter["schema"])))
    named = _text(2, "query") + _text(4, parameter["name"]) + _text(6, parameter["type"])
    return _message(2, _message(3, named + _flag(20)))


def _schema(schema: Object) -> bytes:
    parts = [
        _text(number, schema[key])
        for key, number in (("$ref", 1), ("format", 2), ("description", 4))
        if schema.get(key)
    ]
    parts += [_text(19, name) for name in schema.get("required", [])]
    parts += [_message(20, _any(value)) for value in schema.get("enum", [])]
    if "additionalProperties" in schema:
        parts.append(_message(21, _message(1, _schema(schema["additionalProperties"]))))
    if "type" in schema:
        parts.append(_message(22, _text(1, schema["type"])))
    if "items" in schema:
        parts.append(_message(23, _message(1, _schema(schema["items"]))))
    if "properties" in schema:
        fields = (_named(1, name, _schema(each)) for name, each in schema["properties"].items())
        parts.append(_message(25, b"".join(fields)))
    return b"".join(parts) + _extensions(31, schema)


def _extensions(number: int, thing: Object) -> bytes:
    return b"".join(
        _named(number, key, _any(value)) for key, value in thing.items() if key.startswith("x-")
    )


def _any(value: Any) -> bytes:
    return _text(2, json.dumps(value) + "\n")


def _named(number: int, name: str, value: bytes) -> bytes:
    return _message(number, _text(1, name) + _message(2, value))


def _flag(number: int) -> bytes:
    return _varint(number << 3) + b"\x01"


def _text(number: int, text: str) -> bytes:
    return _message(number, text.encode())


def _message(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])
