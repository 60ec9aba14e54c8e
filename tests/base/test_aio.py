"""Work beside the event loop: a result comes back, and nothing is left half-done."""

from __future__ import annotations

import asyncio

import pytest

from flashsale.base.aio import finish, in_thread


async def test_result_and_error_of_a_blocking_call_come_back() -> None:
    """Whatever the thread returns or raises is the caller's."""
    assert await in_thread(lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 / 0)


async def test_result_and_error_of_work_come_back() -> None:
    """Work that nobody cancels is simply awaited."""

    async def work() -> int:
        raise ZeroDivisionError

    assert await finish(asyncio.sleep(0, 3)) == 3
    with pytest.raises(ZeroDivisionError):
        await finish(work())


@pytest.mark.parametrize("fails", [False, True])
async def test_work_ends_although_its_caller_is_cancelled(fails: bool) -> None:
    """It is told to end sooner, it does, and only then the cancellation goes on."""
    began, released, done = asyncio.Event(), asyncio.Event(), list[str]()

    async def work() -> None:
        began.set()
        await released.wait()
        done.append("work")
        if fails:
            raise ZeroDivisionError

    task = asyncio.create_task(finish(work(), released.set))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == ["work"]
