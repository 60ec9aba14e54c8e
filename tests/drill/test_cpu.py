"""How busy the machine is, from the kernel's own counters."""

from __future__ import annotations

import sys

import pytest

from flashsale.drill.cpu import Reading, busy_share, parse_counters, read_counters, usable_cores


def test_idle_and_waiting_for_disks_is_not_busy() -> None:
    """user nice system idle iowait irq softirq steal; guests are part of user already."""
    assert parse_counters("cpu  10 1 5 80 4 0 1 9 7 7") == Reading(26, 110)


@pytest.mark.parametrize("line", ["", "cpu 1 2 3", "intr 1 2 3 4 5 6"])
def test_what_is_no_reading_is_none(line: str) -> None:
    """An old or odd kernel costs a figure, not the drill."""
    assert parse_counters(line or "nothing") is None


def test_share_is_between_none_and_all() -> None:
    """And unknown where there is nothing to divide by."""
    assert busy_share(Reading(10, 100), Reading(40, 200)) == 0.3
    assert busy_share(Reading(10, 100), Reading(10, 100)) is None
    assert busy_share(None, Reading(10, 100)) is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc/stat")
def test_linux_tells() -> None:
    """The real counters are there, and grow."""
    counters = read_counters()
    assert counters is not None
    assert 0 < counters.busy < counters.total
    assert usable_cores() >= 1
