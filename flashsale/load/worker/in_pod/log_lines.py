"""Messages as lines of a pod's log, so that a log which is read twice or in parts is exact.

A line is ``flashsale-load NUMBER PART/PARTS CRC TEXT``. NUMBER counts lines from 0, so that a
repeated line is known and a missing one is missed; the CRC covers the whole line, so that a torn
one is no line. A message of many bytes takes several lines: container runtimes cut them at 16 KiB.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from typing import Any

PIECE = 8000  # characters of a message that one line carries

_LINE = re.compile(r"flashsale-load (\d{1,12}) (\d{1,9})/(\d{1,9}) ([0-9a-f]{8}) (.*)")


def write_lines(message: dict[str, Any], first: int) -> Iterator[str]:
    """Write a message as lines; ``first`` is the number of its first line."""
    text = json.dumps(message, separators=(",", ":"))
    pieces = [text[at : at + PIECE] for at in range(0, len(text), PIECE)]
    for index, piece in enumerate(pieces):
        number, place = first + index, f"{index + 1}/{len(pieces)}"
        yield f"flashsale-load {number} {place} {_checksum(number, place, piece)} {piece}"


class LogReader:
    """Puts messages together again from the lines of one worker's log."""

    def __init__(self) -> None:
        self.missing = 0  # lines that were passed over
        self.gap = False  # a line came before the one that was expected
        self.others: list[str] = []  # the last lines that were no message: a traceback, say
        self._expected = 0
        self._pieces: list[str] = []

    def read(self, line: str) -> dict[str, Any] | None:
        """Take the next line; a message, where this line completes one."""
        match = _LINE.fullmatch(line.rstrip("\r"))
        if not match:
            self.others = [*self.others[-4:], line]
            return None
        number, place, piece = int(match[1]), f"{match[2]}/{match[3]}", match[5]
        if number < self._expected or _checksum(number, place, piece) != match[4]:
            return None
        if number > self._expected:
            self.gap = True
            return None
        self._expected += 1
        self._pieces.append(piece)
        if match[2] != match[3]:
            return None
        text, self._pieces = "".join(self._pieces), []
        try:
            message: dict[str, Any] = json.loads(text)
        except ValueError:  # its beginning was passed over
            return None
        return message

    def pass_over(self, line: str) -> None:
        """Go on with a line that came too early: those before it are in no log any more."""
        match = _LINE.fullmatch(line.rstrip("\r"))
        if match and int(match[1]) > self._expected:
            self.missing += int(match[1]) - self._expected
            self._expected, self._pieces = int(match[1]), []
        self.gap = False


def _checksum(number: int, place: str, piece: str) -> str:
    return f"{zlib.crc32(f'{number} {place} {piece}'.encode()):08x}"
