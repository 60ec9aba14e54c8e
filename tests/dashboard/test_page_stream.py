"""What browsers are sent: everything once, then what changed, and never a queue of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from flashsale.dashboard.page_stream import Broadcast, differences
from tests.virtual_time import in_virtual_time

DOCUMENTS = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 3))


def applied(before: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """What a browser does with a change."""
    merged = before | change
    return {name: value for name, value in merged.items() if value is not None}


@given(DOCUMENTS, DOCUMENTS)
def test_differences_lead_from_one_to_the_other(before: Any, after: Any) -> None:
    """Whatever came, changed and went."""
    assert applied(before, differences(before, after)) == after


@given(DOCUMENTS)
def test_nothing_is_sent_twice(document: Any) -> None:
    """What is the same is no difference."""
    assert differences(document, dict(document)) == {}


class Source:
    """A document that counts how often it was made."""

    def __init__(self) -> None:
        self.made = 0
        self.values: dict[str, Any] = {}

    def __call__(self) -> dict[str, Any]:
        self.made += 1
        return dict(self.values)


@asynccontextmanager
async def broadcast_of(source: Source) -> AsyncIterator[Broadcast]:
    broadcast = Broadcast(source)
    task = asyncio.create_task(broadcast.run())
    yield broadcast
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def read(event: bytes) -> tuple[str, dict[str, Any]]:
    name, data, *_ = event.decode().split("\n")
    return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


async def test_the_first_event_is_the_whole_document() -> None:
    """So that a browser that comes back needs no memory."""
    source = Source()
    source.values["a"] = 1
    events = Broadcast(source).events()
    assert read(await anext(events)) == ("whole", {"a": 1})


@in_virtual_time
async def test_changes_that_come_together_are_sent_as_one() -> None:
    """A hundred pods that change within a moment are one event."""
    source = Source()
    async with broadcast_of(source) as broadcast:
        events = broadcast.events()
        await anext(events)
        for number in range(100):
            source.values["a"] = number
            broadcast.change()
            await asyncio.sleep(0)
        found = [read(await anext(events))[1]["a"]]
        while found[-1] != 99:
            found.append(read(await anext(events))[1]["a"])
        assert len(found) <= 2


@in_virtual_time
async def test_a_slow_browser_gets_the_newest_and_nothing_waits_for_it() -> None:
    """What it missed is not sent any more, and what went meanwhile is gone for it, too."""
    source = Source()
    async with broadcast_of(source) as broadcast:
        slow, quick = broadcast.events(), broadcast.events()
        await anext(slow)
        await anext(quick)
        source.values["old"] = True
        broadcast.change()
        await anext(quick)
        for number in range(3):
            source.values = {"a": number}
            broadcast.change()
            await anext(quick)
        assert read(await anext(slow)) == ("change", {"a": 2})


@in_virtual_time
async def test_a_quiet_sale_is_heard_of_as_well() -> None:
    """A browser knows by that that the server is there."""
    async with broadcast_of(Source()) as broadcast:
        events = broadcast.events()
        await anext(events)
        assert read(await anext(events)) == ("change", {})
