"""Sharing the event loop: long work of one controller lets everything else have its turn."""

from __future__ import annotations

import asyncio
import time

AT_ONCE = 0.003  # seconds of work between two breaks
OTHERS = 4  # turns of the loop in a break: about what a request takes from its bytes to its answer


class Yielder:
    """Asked after each small piece of long work; a few milliseconds of it go on undisturbed."""

    def __init__(self) -> None:
        self._until = time.monotonic() + AT_ONCE

    async def share(self) -> None:
        """Let the others in if this turn has lasted long enough."""
        if time.monotonic() >= self._until:
            await self.give()

    async def give(self) -> None:
        """Let the others in, whatever the time."""
        for _ in range(OTHERS):
            await asyncio.sleep(0)
        self._until = time.monotonic() + AT_ONCE
