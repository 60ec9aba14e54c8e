"""What browsers are sent: first the whole document, then what changed in it.

A document is a flat mapping. Every browser has its own position in it, and is sent the difference
to the newest one when it has taken what came before: a slow one skips what it missed, and nothing
waits for it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import Any

Document = Mapping[str, Any]  # values are JSON; None is never one of them

TOGETHER = 0.1  # seconds within which changes are sent as one
BEAT = 1.0  # seconds after which the document is made again without a change


def differences(before: Document, after: Document) -> dict[str, Any]:
    """Return what is new or differs, and None for what is gone."""
    changed = {key: value for key, value in after.items() if before.get(key) != value}
    return changed | dict.fromkeys(before.keys() - after.keys())


def event(name: str, data: Any) -> bytes:
    """Write one server-sent event."""
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


class Broadcast:
    """Makes the document when something changed, and gives it to every browser."""

    def __init__(self, make: Callable[[], Document]) -> None:
        """Take the function that makes the document; it is called ten times a second at most."""
        self._make = make
        self._document = make()
        self._changed = asyncio.Event()
        self._news = asyncio.Event()  # replaced by every new document
        self._last: tuple[Document, Document, bytes] | None = None  # two, and how they differ

    def change(self) -> None:
        """Note that the document is not true any more."""
        self._changed.set()

    async def run(self) -> None:
        """Make new documents until cancelled; one that nobody changed after a second."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT):
                    await self._changed.wait()
            self._changed.clear()
            self._document = self._make()
            changed, self._news = self._news, asyncio.Event()
            changed.set()
            await asyncio.sleep(TOGETHER)

    async def events(self) -> AsyncIterator[bytes]:
        """Yield what one browser is to be sent, for ever."""
        sent = self._document
        yield event("whole", sent)
        while True:
            if sent is self._document:
                await self._news.wait()
            newest = self._document
            yield self._differences(sent, newest)
            sent = newest

    def _differences(self, before: Document, after: Document) -> bytes:
        """Write the change of two documents; the browsers that keep up share the work."""
        known = self._last
        if known is None or known[0] is not before or known[1] is not after:
            known = self._last = before, after, event("change", differences(before, after))
        return known[2]
