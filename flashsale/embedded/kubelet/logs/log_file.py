"""The file behind a container's output: CRI's format, one line of output a line.

`2026-11-23T04:47:39.670774357Z stdout F text`: F for a full line, P for a part of one (no newline
follows in the output). Both streams come through one pipe, so all lines say stdout. Files are cut
at 10 MiB: NAME.log becomes NAME.log.1, and readers see both as one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

MAX_BYTES = 10 * 1024 * 1024
MAX_LINE = 16 * 1024  # longer ones are written in parts
BLOCK = 64 * 1024
_STAMP = 30  # bytes of a timestamp
_TEXT = _STAMP + len(b" stdout F ")


class LogWriter:
    """Writes what one container instance says, and wakes those who follow."""

    def __init__(
        self, path: Path, clock_ns: Callable[[], int] = time.time_ns, max_bytes: int = MAX_BYTES
    ) -> None:
        self.path = path
        self.rotations = 0
        self.closed = False
        self._clock_ns = clock_ns
        self._max_bytes = max_bytes
        self._rest = b""  # an unfinished line
        self._wakers: set[asyncio.Future[None]] = set()
        self._file = path.open("ab", buffering=0)

    def write(self, data: bytes) -> None:
        """Take output as it comes; lines are written when they are complete, or very long."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        head = format_timestamp(self._clock_ns()) + b" stdout "
        records = [head + b"F " + line + b"\n" for line in lines]
        while len(self._rest) > MAX_LINE:
            records.append(head + b"P " + self._rest[:MAX_LINE] + b"\n")
            self._rest = self._rest[MAX_LINE:]
        self._append(b"".join(records))

    def close(self) -> None:
        """Write the unfinished line and end the file."""
        if not self.closed:
            rest, self._rest = self._rest, b""
            if rest:
                self._append(format_timestamp(self._clock_ns()) + b" stdout P " + rest + b"\n")
            self.closed = True
            self._file.close()
            self._wake()

    def changed(self) -> asyncio.Future[None]:
        """Return a future that is done at the next write or at the end."""
        waker = asyncio.get_running_loop().create_future()
        self._wakers.add(waker)
        waker.add_done_callback(self._wakers.discard)
        return waker

    def _append(self, records: bytes) -> None:
        if not records:
            return
        with contextlib.suppress(OSError):  # a full disk costs log lines, not the pod
            self._file.write(records)
            if self._file.tell() > self._max_bytes:
                self._rotate()
        self._wake()

    def _rotate(self) -> None:
        self.path.replace(rotated(self.path))
        old, self._file = self._file, self.path.open("ab", buffering=0)
        old.close()
        self.rotations += 1

    def _wake(self) -> None:
        for waker in tuple(self._wakers):
            if not waker.done():
                waker.set_result(None)


def rotated(path: Path) -> Path:
    """Return where a file's older part lies."""
    return path.with_name(path.name + ".1")


def format_timestamp(nanoseconds: int) -> bytes:
    """Write a time with nine decimals, UTC."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z".encode()


def render(records: bytes, *, timestamps: bool) -> bytes:
    """Turn whole records back into the output, if wanted with the time before each line."""
    out, inside = [], False  # inside a line that came in parts
    for record in records.split(b"\n")[:-1]:
        if timestamps and not inside:
            out.append(record[:_STAMP] + b" ")
        inside = record[_TEXT - 2 : _TEXT - 1] == b"P"
        out.append(record[_TEXT:] if inside else record[_TEXT:] + b"\n")
    return b"".join(out)


def find_last_records(file: BinaryIO, count: int) -> tuple[int, int]:
    """Find where the last ``count`` records begin, reading from the end.

    Returns:
        Their offset, and how many records there are (fewer if the file is shorter).
    """
    position = file.seek(0, os.SEEK_END)
    line_count, offset = 0, position
    while position > 0 and count > 0:
        start = max(0, position - BLOCK)
        file.seek(start)
        block = file.read(position - start)
        end = len(block)
        while (newline := block.rfind(b"\n", 0, end)) >= 0:
            if line_count == count:
                return start + newline + 1, count
            line_count, end = line_count + 1, newline
        offset = position = start
    return offset, line_count


def first_since(file: BinaryIO, since: bytes) -> int:
    """Find where the records at or after a time begin, by bisection (times never fall)."""
    low, high = 0, file.seek(0, os.SEEK_END)
    while low < high:
        middle = (low + high) // 2
        start = _record_at(file, middle)
        stamp = file.read(_STAMP)
        if start >= high or stamp >= since:
            high = middle
        else:
            low = middle + 1
    return _record_at(file, low)


def _record_at(file: BinaryIO, position: int) -> int:
    """Go to the first record that begins at a position or after it."""
    file.seek(max(0, position - 1))
    if position:
        file.readline()
    return file.tell()
