"""The work queue of the controllers: one key's failure is no other key's business."""

from __future__ import annotations

import asyncio
import logging

import pytest

from flashsale.embedded.controllers.workqueue import WorkQueue
from flashsale.embedded.types.api_errors import bad_request


@pytest.mark.parametrize("error", [bad_request("refused"), KeyError("status")], ids=type)
async def test_a_failed_key_is_tried_again_and_stops_no_other(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever went wrong: a refusal by the registry, or a mistake in the controller itself."""
    caplog.set_level(logging.CRITICAL)
    synced: list[str] = []
    done = asyncio.Event()

    async def sync(key: str) -> None:
        synced.append(key)
        if synced.count("bad") == 1 and key == "bad":
            raise error
        if synced.count("bad") == 2:
            done.set()

    queue = WorkQueue("test", sync)
    queue.add("bad")
    queue.add("good")
    work = asyncio.create_task(queue.run())
    async with asyncio.timeout(5):
        await done.wait()
    assert synced == ["bad", "good", "bad"]
    work.cancel()
    await asyncio.wait({work})
    assert work.cancelled()
