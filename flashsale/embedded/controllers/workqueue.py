"""A work queue: keys that need a look, each once, failed ones again after a growing delay."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Hashable, Iterator
from typing import Generic, TypeVar

from flashsale.embedded.storage.store import StoreError
from flashsale.embedded.types.api_errors import StatusError

FIRST_RETRY, LONGEST_RETRY = 0.005, 1000.0  # seconds, client-go's default rate limiter
K = TypeVar("K", bound=Hashable)
log = logging.getLogger(__name__)


@contextlib.contextmanager
def errors_logged(what: str) -> Iterator[None]:
    """Log what goes wrong in a turn of a controller's own loop: it must not end the cluster."""
    try:
        yield
    except (StatusError, StoreError) as error:  # a full disk: the next turn may succeed
        log.warning("%s: %s", what, error)
    except Exception:  # a mistake of ours
        log.exception("%s", what)


class WorkQueue(Generic[K]):
    """Calls ``sync(key)`` for every key that was added, one at a time."""

    def __init__(self, name: str, sync: Callable[[K], Awaitable[None]]) -> None:
        self._name = name
        self._sync = sync
        self._keys: dict[K, None] = {}  # ordered, each once
        self._failures: dict[K, int] = {}
        self._timers: dict[K, asyncio.TimerHandle] = {}
        self._wake = asyncio.Event()

    def add(self, key: K) -> None:
        """Have a look at this key soon."""
        self._keys[key] = None
        self._wake.set()

    def add_after(self, key: K, seconds: float) -> None:
        """Have a look later; a sooner one that is already due wins."""
        due = asyncio.get_running_loop().time() + seconds
        timer = self._timers.get(key)
        if timer is not None:
            if not timer.cancelled() and timer.when() <= due:
                return
            timer.cancel()
        self._timers[key] = asyncio.get_running_loop().call_at(due, self._due, key)

    def _due(self, key: K) -> None:
        self._timers.pop(key, None)
        self.add(key)

    async def run(self) -> None:
        """Work until cancelled; an error of one key never stops the others."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._keys:
                    key = next(iter(self._keys))
                    del self._keys[key]
                    await self._attempt(key)
                    await asyncio.sleep(0)  # let requests in between
        finally:
            for timer in self._timers.values():
                timer.cancel()

    async def _attempt(self, key: K) -> None:
        try:
            await self._sync(key)
        except (StatusError, StoreError) as error:
            log.warning("%s %s: %s", self._name, key, error)
            self._retry(key)
        except Exception:  # a mistake of ours: it must not end the controller, and so the cluster
            log.exception("%s %s", self._name, key)
            self._retry(key)
        else:
            self._failures.pop(key, None)

    def _retry(self, key: K) -> None:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        self.add_after(key, min(FIRST_RETRY * 2 ** min(failures, 20), LONGEST_RETRY))
