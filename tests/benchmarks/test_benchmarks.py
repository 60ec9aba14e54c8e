"""Benchmarks and tools are run by hand; that they can be is tested."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PROGRAMS = [*ROOT.glob("tests/benchmarks/bench_*.py"), *ROOT.glob("tools/*.py")]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda file: file.stem)
def test_it_finds_all_that_it_uses(program: Path) -> None:
    """What it needs of other rooms is still there, and its name."""
    name = ".".join(program.relative_to(ROOT).with_suffix("").parts)
    assert import_module(name).__doc__
