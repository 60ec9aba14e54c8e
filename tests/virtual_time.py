"""Time that passes quickly whenever nothing else is left to do, for tests that wait for clocks.

Whatever a busy machine does: what such a test measures is exact, if all happens in its event loop.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

STEP = 0.05  # seconds of virtual time that pass at once
PAUSE = 0.001  # seconds that each step takes: a terminal's other end hears of what was typed later


class SkippingSelector(selectors.DefaultSelector):  # type: ignore[misc,valid-type]
    """Waits for a moment only: where nothing is ready then, more time has passed."""

    skipped = 0.0  # seconds

    def select(self, timeout: float | None = None) -> Any:
        """Return what is ready; wait only where no clock would end it."""
        ready = super().select(min(timeout, PAUSE) if timeout else timeout)
        if not ready and timeout:
            self.skipped += min(timeout, STEP)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop with a clock of its own, which stands still while something is done.

    What a thread, another process or another host takes its time for is late here.
    """

    def __init__(self) -> None:
        self._skipping = SkippingSelector()
        super().__init__(self._skipping)

    def time(self) -> float:
        """Return the seconds that were skipped."""
        return self._skipping.skipped


def in_virtual_time(
    test: Callable[..., Coroutine[Any, Any, None]],
) -> Callable[..., None]:
    """Run an async test on such a loop; it cannot have async fixtures."""

    @wraps(test)
    def run(*args: Any, **named: Any) -> None:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(test(*args, **named))

    return run
