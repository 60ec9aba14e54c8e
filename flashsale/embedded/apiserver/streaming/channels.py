"""Several streams in one WebSocket: the first byte of a message names its channel.

After k8s.io/streaming/pkg/httpstream/wsstream and KEP-4006. Since v4 the error channel carries a
Status; since v5 a client can end one stream without ending the connection.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

from flashsale.objects.models import Object

STDIN, STDOUT, STDERR, ERROR, RESIZE = range(5)
CLOSE = 255  # a message of v5: this, and the channel that ends
NON_ZERO = "NonZeroExitCode"


class BadMessageError(Exception):
    """A message that is none of the protocol: the connection ends."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """What a client sent on a channel; ``end`` if nothing more comes."""

    channel: int
    data: bytes = b""
    end: bool = False


@dataclass(frozen=True, slots=True)
class ChannelProtocol:
    """One of the subprotocols."""

    name: str
    in_base64: bool = False  # text messages that begin with a digit
    has_status: bool = True  # how a command ended is told as a Status, and success as well
    has_end: bool = False
    highest: int = RESIZE  # channel

    def encode(self, channel: int, data: bytes) -> bytes | str:
        if self.in_base64:
            return f"{chr(ord('0') + channel)}{base64.b64encode(data).decode()}"
        return bytes([channel]) + data

    def decode(self, message: bytes | str) -> Arrived | None:
        """Read a message; None for one without a word.

        Raises:
            BadMessageError: there is no such channel, or it is no base64.
        """
        data = message.encode() if isinstance(message, str) else message
        if not data:
            return None
        if self.has_end and data[0] == CLOSE:
            if len(data) != 2:
                raise BadMessageError("one channel follows the signal to close")
            return Arrived(self._known(data[1]), end=True)
        if not self.in_base64:
            return Arrived(self._known(data[0]), data[1:])
        try:
            channel = self._known((data[0] - ord("0")) % 256)
            return Arrived(channel, base64.b64decode(data[1:], validate=True))
        except binascii.Error as error:
            raise BadMessageError(str(error)) from error

    def _known(self, channel: int) -> int:
        if channel > self.highest:
            raise BadMessageError(f"there is no channel {channel}")
        return channel

    def encode_status(self, status: Object) -> bytes | str | None:
        """Make the last message; None where success is said by the end alone."""
        if self.has_status:
            return self.encode(ERROR, json.dumps(status, separators=(",", ":")).encode())
        if status["status"] == "Success":
            return None
        return self.encode(ERROR, str(status["message"]).encode())


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        ChannelProtocol("v5.channel.k8s.io", has_end=True),
        ChannelProtocol("v4.channel.k8s.io"),
        ChannelProtocol("v4.base64.channel.k8s.io", in_base64=True),
        ChannelProtocol("channel.k8s.io", has_status=False),
        ChannelProtocol("base64.channel.k8s.io", in_base64=True, has_status=False),
        ChannelProtocol("", has_status=False),
    )
}


def read_size(data: bytes) -> tuple[int, int] | None:
    """Read what comes on the channel RESIZE, `{"Width":80,"Height":24}`; None if it is no size."""
    try:
        size = json.loads(data)
        width, height = int(size["Width"]), int(size["Height"])
    except (ValueError, KeyError, TypeError):
        return None
    return (width, height) if 0 < width < 1 << 16 and 0 < height < 1 << 16 else None


def exit_status(code: int, command: str) -> Object:
    """Say as a Status with which code a command has ended."""
    if not code:
        return {"metadata": {}, "status": "Success"}
    why = f"error executing command {command}, exit code {code}"
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: {why}",
        "reason": NON_ZERO,
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def failure_status(why: str) -> Object:
    """Say as a Status that nothing could be run."""
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"Internal error occurred: {why}",
        "reason": "InternalError",
        "details": {"causes": [{"message": why}]},
        "code": 500,
    }
