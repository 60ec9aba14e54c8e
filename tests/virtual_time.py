"""Time that passes at once whenever nothing else is left to do, for tests that wait for clocks.

Whatever a busy machine does, what such a test measures is exact.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any


class SkippingSelector(selectors.DefaultSelector):  # type: ignore[misc,valid-type]
    """Waits for no time: where nothing is ready, that time has passed."""

    skipped = 0.0  # seconds

    def select(self, timeout: float | None = None) -> Any:
        """Return what is ready; wait only where no clock would end it."""
        ready = super().select(timeout if timeout is None else 0)
        if not ready and timeout:
            self.skipped += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop with a clock of its own, which stands still while something is done.

    All that is waited for has to be in this loop: what a thread, another process or another host
    takes its time for would be late.
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
