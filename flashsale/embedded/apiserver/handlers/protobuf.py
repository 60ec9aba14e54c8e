"""The one protobuf message that is read here: the Namespace of `kubectl create namespace NAME`.

A body is four bytes, then runtime.Unknown, which holds the object's own message
(k8s.io/apimachinery/pkg/runtime/serializer/protobuf). Field numbers are those of generated.proto in
k8s.io/apimachinery/pkg/runtime, k8s.io/apimachinery/pkg/apis/meta/v1 and k8s.io/api/core/v1; how
fields are written is protobuf's own (https://protobuf.dev/programming-guides/encoding).
"""

from __future__ import annotations

from collections.abc import Iterator

from flashsale.objects.models import Object

MAGIC = b"k8s\x00"
VARINT, BYTES = 0, 2  # wire types; the others do not occur in what is read here
LONGEST_VARINT = 10  # bytes of 7 bits
TYPE_META, RAW = 1, 2  # of Unknown; 3 and 4 name an encoding and a type, and are empty
API_VERSION, KIND = 1, 2  # of TypeMeta
METADATA, SPEC, STATUS = 1, 2, 3  # of Namespace; a server makes status up itself
TEXTS = {
    1: "name",
    2: "generateName",
    3: "namespace",
    4: "selfLink",
    5: "uid",
    6: "resourceVersion",
}  # of ObjectMeta
SERVERS_OWN = (7, 8)  # generation, creationTimestamp: whatever is sent does not count
MAPS = {11: "labels", 12: "annotations"}
KEY, VALUE = 1, 2  # of a map's entry

Fields = Iterator[tuple[int, int | bytes]]


def namespace(body: bytes) -> Object:
    """Decode a Namespace as JSON would have it.

    Raises:
        ValueError: it is another object, damaged, or says more than a name, labels and annotations.
    """
    if not body.startswith(MAGIC):
        raise ValueError("it does not begin as Kubernetes' protobuf does")
    raw, kind = b"", ("", "")
    for number, value in fields(body[len(MAGIC) :]):
        if number == TYPE_META:
            kind = _type(_bytes(value))
        elif number == RAW:
            raw = _bytes(value)
        elif value:
            raise ValueError("it is encoded once more")
    if kind != ("v1", "Namespace"):
        raise ValueError(f"it is a {kind[1]}")
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": _namespace(raw)}


def fields(message: bytes) -> Fields:
    """Yield the fields of a message, numbers as numbers and everything else as bytes.

    Raises:
        ValueError: it is cut off, or of a wire type that Namespaces do not have.
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


def _type(message: bytes) -> tuple[str, str]:
    found = {number: _text(value) for number, value in fields(message)}
    return found.get(API_VERSION, ""), found.get(KIND, "")


def _namespace(message: bytes) -> Object:
    meta: Object = {}
    for number, value in fields(message):
        if number == METADATA:
            meta = _metadata(_bytes(value))
        elif number != STATUS and value:
            raise ValueError(f"it sets field {number}")
    return meta


def _metadata(message: bytes) -> Object:
    """Decode ObjectMeta; Go writes empty texts, too."""
    meta: Object = {}
    for number, value in fields(message):
        if number in MAPS:
            key, content = _entry(_bytes(value))
            meta.setdefault(MAPS[number], {})[key] = content
        elif number in TEXTS:
            if text := _text(value):
                meta[TEXTS[number]] = text
        elif number not in SERVERS_OWN and value:
            raise ValueError(f"it sets field {number} of metadata")
    return meta


def _entry(message: bytes) -> tuple[str, str]:
    found = {number: _text(value) for number, value in fields(message)}
    return found.get(KEY, ""), found.get(VALUE, "")


def _text(value: int | bytes) -> str:
    return _bytes(value).decode()


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number stands where text or a message is due")
    return value
