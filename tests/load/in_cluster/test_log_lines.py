"""A log that is read in parts, twice, or torn gives every message once."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from flashsale.load.worker.in_pod.log_lines import PIECE, LogReader, write_lines

MESSAGES: list[dict[str, Any]] = [
    {"ready": 1.5},
    {"losses": ["x" * PIECE, "é" * PIECE], "sent": 7},
    {"sent": 3},
    {"done": True},
]


def log_of(messages: list[dict[str, Any]]) -> list[str]:
    """Write a whole log."""
    lines: list[str] = []
    for message in messages:
        lines += write_lines(message, len(lines))
    return lines


LOG = log_of(MESSAGES)


def test_a_long_message_takes_lines_that_no_runtime_cuts() -> None:
    """Container runtimes cut lines at 16 KiB."""
    assert len(LOG) > len(MESSAGES)
    assert max(len(line.encode()) for line in LOG) < 16 * 1024


@given(st.lists(st.integers(0, len(LOG)), max_size=6))
def test_a_stream_that_breaks_anywhere_and_overlaps_is_exact(breaks: list[int]) -> None:
    """Each new stream begins a few lines before the place where the last one broke."""
    reader, found = LogReader(), []
    for begin, end in pairwise([0, *sorted(breaks), len(LOG)]):
        for line in LOG[max(0, begin - 3) : end]:
            found.append(reader.read(line))
    assert [message for message in found if message is not None] == MESSAGES
    assert not reader.gap


@given(st.integers(0, len(LOG) - 1), st.integers(0, 200))
def test_a_torn_or_foreign_line_is_no_message(at: int, length: int) -> None:
    """The line comes again whole when the log is read again; until then later ones wait."""
    reader = LogReader()
    torn = LOG[at][: min(length, len(LOG[at]) - 1)]
    first = [reader.read(line) for line in [*LOG[:at], torn]]
    again = [reader.read(line) for line in LOG]
    assert [message for message in [*first, *again] if message is not None] == MESSAGES


def test_a_gap_is_noticed_and_can_be_passed_over() -> None:
    """Lines that a node threw away are counted; no message is made of halves."""
    reader = LogReader()
    assert reader.read(LOG[0]) == MESSAGES[0]
    assert reader.read(LOG[2]) is None
    assert reader.gap
    reader.pass_over(LOG[2])
    rest = [reader.read(line) for line in LOG[2:]]
    assert [message for message in rest if message is not None] == MESSAGES[2:]
    assert reader.missing == 1


def test_what_a_failing_worker_printed_is_kept() -> None:
    """A traceback says why there is no result."""
    reader = LogReader()
    for line in ("Traceback (most recent call last):", "ImportError: no"):
        assert reader.read(line) is None
    assert reader.others[-1] == "ImportError: no"
