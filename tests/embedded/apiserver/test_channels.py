"""Channels in a WebSocket, as pure functions."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashsale.embedded.apiserver.streaming.channels import (
    CLOSE,
    ERROR,
    PROTOCOLS,
    RESIZE,
    STDIN,
    Arrived,
    BadMessageError,
    exit_status,
    failure_status,
    read_size,
)

NAMES = st.sampled_from(sorted(PROTOCOLS))


@given(NAMES, st.integers(STDIN, RESIZE), st.binary())
def test_what_is_encoded_arrives(name: str, channel: int, data: bytes) -> None:
    """Every protocol reads what it writes."""
    protocol = PROTOCOLS[name]
    assert protocol.decode(protocol.encode(channel, data)) == Arrived(channel, data)


@given(NAMES, st.one_of(st.binary(), st.text()))
def test_any_message_is_read_or_refused(name: str, message: bytes | str) -> None:
    """Whatever a client sends, nothing else happens."""
    try:
        arrived = PROTOCOLS[name].decode(message)
    except BadMessageError:
        return
    assert arrived is None or STDIN <= arrived.channel <= RESIZE


def test_only_the_newest_protocol_can_end_a_stream() -> None:
    """Since v5 a message says so; before, there is no such channel."""
    end = bytes([CLOSE, STDIN])
    assert PROTOCOLS["v5.channel.k8s.io"].decode(end) == Arrived(STDIN, end=True)
    with pytest.raises(BadMessageError):
        PROTOCOLS["v4.channel.k8s.io"].decode(end)
    with pytest.raises(BadMessageError):
        PROTOCOLS["v5.channel.k8s.io"].decode(end + b"x")


def test_how_a_command_ended_is_a_status() -> None:
    """With the exit code among the causes, where every client looks."""
    status = exit_status(3, "[sh]")
    message = PROTOCOLS["v4.channel.k8s.io"].encode_status(status)
    assert isinstance(message, bytes)
    assert message[0] == ERROR
    document = json.loads(message[1:])
    assert document["reason"] == "NonZeroExitCode"
    assert document["details"]["causes"] == [{"reason": "ExitCode", "message": "3"}]
    assert exit_status(0, "[sh]") == {"metadata": {}, "status": "Success"}
    assert failure_status("why")["code"] == 500


def test_before_v4_success_is_silence() -> None:
    """And a failure is a sentence."""
    protocol = PROTOCOLS["channel.k8s.io"]
    assert protocol.encode_status(exit_status(0, "[sh]")) is None
    assert b"exit code 3" in bytes(protocol.encode_status(exit_status(3, "[sh]")) or b"")  # type: ignore[arg-type]


@given(st.binary())
def test_a_size_is_two_small_numbers(data: bytes) -> None:
    """What is none changes nothing."""
    assert read_size(data) is None or json.loads(data)


def test_a_size() -> None:
    """As kubectl sends it."""
    assert read_size(b'{"Width":80,"Height":24}\n') == (80, 24)
    assert read_size(b'{"Width":0,"Height":24}') is None
    assert read_size(b'{"Width":80,"Height":1000000}') is None
