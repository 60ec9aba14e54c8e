"""Objects in protobuf: what `kubectl create` sends, byte for byte, and what is not read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashsale.embedded.apiserver.handlers import protobuf

# Recorded from kubectl v1.37.1: create namespace another
SENT = bytes.fromhex(
    "6b3873000a0f0a02763112094e616d657370616365121f0a170a07616e6f74686572"
    "12001a0022002a003200380042001200 1a020a001a002200"
)
UNKNOWN = SENT.replace(b"\x12\x09Namespace", b"\x12\x09Endpuints")


def message(*fields: tuple[int, bytes]) -> bytes:
    """Write a short message."""
    return b"".join(bytes([number << 3 | 2, len(value)]) + value for number, value in fields)


def sent(metadata: bytes, *more: tuple[int, bytes]) -> bytes:
    """Write a body with a Namespace of this metadata."""
    kind = message((1, b"v1"), (2, b"Namespace"))
    return protobuf.MAGIC + message((1, kind), (2, message((1, metadata), *more)))


def test_recorded_namespace_is_read() -> None:
    """What kubectl leaves empty is not there, as in its JSON."""
    assert protobuf.decode_protobuf(SENT) == {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "another"},
    }


def test_options_of_a_deletion_are_read_in_every_version() -> None:
    """The Go clients send them with the version of what they delete."""
    kind = message((1, b"apps/v1"), (2, b"DeleteOptions"))
    options = message((4, b"Foreground")) + b"\x08\x05"  # gracePeriodSeconds
    assert protobuf.decode_protobuf(protobuf.MAGIC + message((1, kind), (2, options))) == {
        "apiVersion": "apps/v1",
        "kind": "DeleteOptions",
        "propagationPolicy": "Foreground",
        "gracePeriodSeconds": 5,
    }


def test_an_unknown_kind_is_named() -> None:
    """Who asked for another one says so, by that name."""
    assert protobuf.decode_protobuf(UNKNOWN) == {"apiVersion": "v1", "kind": "Endpuints"}


def test_labels_and_annotations_are_read() -> None:
    """Maps are repeated entries."""
    labels = [(11, message((1, b"app"), (2, b"shop"))), (11, message((1, b"empty")))]
    body = sent(message((1, b"shop"), *labels, (12, message((1, b"a"), (2, "ü".encode())))))
    assert protobuf.decode_protobuf(body)["metadata"] == {
        "name": "shop",
        "labels": {"app": "shop", "empty": ""},
        "annotations": {"a": "ü"},
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"k8s\x00",
        SENT[:-30],
        sent(b"\x08\x01"),
        sent(message((1, b"\xff"))),
        protobuf.MAGIC + b"\xff" * 11,
    ],
)
def test_everything_else_is_refused(body: bytes) -> None:
    """Cut off, no text."""
    with pytest.raises(ValueError, match=r"."):
        protobuf.decode_protobuf(body)


@given(st.binary(max_size=40))
def test_garbage_ends_in_an_answer(garbage: bytes) -> None:
    """Any bytes are either an object or refused."""
    try:
        found = protobuf.decode_protobuf(sent(garbage))
    except ValueError:
        return
    assert found["kind"] == "Namespace"
