"""A program that holds a way open, for as long as that is needed."""

from __future__ import annotations

import asyncio
import sys

import pytest

from flashsale.base.errors import ClusterUnreachableError
from flashsale.clusters.subprocesses.port_forward import while_it_lives
from flashsale.clusters.subprocesses.run import child

TALKATIVE = """
import sys
for _ in range(20_000):
    print("Handling connection for 41523 and a few words more to fill the pipe")
    print("error: lost connection to pod", file=sys.stderr)
"""


async def test_a_talkative_program_is_never_held_up() -> None:
    """kubectl writes a line for each connection: more than the pipes and the buffers take."""
    async with asyncio.timeout(20), child(sys.executable, "-c", TALKATIVE, patience=1) as program:
        with pytest.raises(ClusterUnreachableError, match="has closed"):
            async with while_it_lives(program):
                await asyncio.Event().wait()


async def test_what_is_done_inside_may_end_first() -> None:
    """The way is let go in order: the program has ended, and nobody still reads from it."""
    sleeping = child(sys.executable, "-c", "import time; time.sleep(60)", patience=1)
    async with sleeping as program, while_it_lives(program):
        pass
    assert program.returncode is not None
