"""Blocking calls beside the event loop that nobody waits for at the end; a quicker aiohttp."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from asyncio import Future, Task

T = TypeVar("T")
AUTHORITIES = "SSL_CERT_FILE"  # of OpenSSL: where the machine's own certificate authorities are


@contextmanager
def without_authorities() -> Iterator[None]:
    """Import aiohttp in here where all TLS contexts are ours: it makes two when it is imported.

    Each reads all authorities of the machine, which takes a tenth of a command's time. No program
    may be started meanwhile: it would inherit that there are none.
    """
    before = os.environ.get(AUTHORITIES)
    os.environ[AUTHORITIES] = os.devnull
    try:
        yield
    finally:
        del os.environ[AUTHORITIES]
        if before is not None:
            os.environ[AUTHORITIES] = before


async def in_thread(work: Callable[[], T]) -> T:
    """Run a blocking call in a daemon thread.

    ``asyncio.to_thread`` would do, but for Ctrl-C: the loop and the interpreter both wait for its
    threads, for as long as a silent server lets them. A daemon thread is simply left behind.
    """
    import asyncio
    import threading

    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if done.cancelled():
            return
        if error:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def call() -> None:
        result, error = None, None
        try:
            result = work()
        except Exception as caught:  # noqa: BLE001 - handed over to whoever awaits
            error = caught
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=call, daemon=True, name="flashsale-call").start()
    return await done


async def end_tasks(*tasks: Task[Any]) -> None:
    """Cancel tasks, and return when they have ended, however that was."""
    import asyncio

    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)  # `gather` would cancel them twice if this is cancelled, too
    for task in tasks:
        task.cancelled() or task.exception()  # else asyncio would complain that nobody looked


async def run_until(work: Coroutine[Any, Any, None], ended: Future[Any]) -> None:
    """Run a coroutine to its end, or until something else is done; it has ended on return."""
    import asyncio

    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task, ended}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
    finally:
        await end_tasks(task)


async def finish(work: Coroutine[Any, Any, T], stop: Callable[[], object] = lambda: None) -> T:
    """Run a coroutine to its end, also if this is cancelled meanwhile, and then be cancelled.

    Args:
        stop: called in that case, so that the end comes sooner; how it ends then is no news.
    """
    import asyncio

    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        stop()
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # heard
        raise
    return task.result()
