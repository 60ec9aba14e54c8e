"""The benchmarks are run by hand; that they can be is tested."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest


@pytest.mark.parametrize("name", [file.stem for file in Path(__file__).parent.glob("bench_*.py")])
def test_it_finds_all_that_it_uses(name: str) -> None:
    """What it needs of other rooms is still there, and its name."""
    assert callable(import_module(f"tests.benchmarks.{name}").main)
