"""A run of load: starts the processes that send, merges what they count, and ends with a report."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from typing import Any

from flashsale.base.errors import FlashsaleError, Hint
from flashsale.load.machine_limits import workers_for
from flashsale.load.plan import LoadPlan
from flashsale.load.results import Report
from flashsale.load.tracking import LoadObserver, LoadTracker

HEAD_START = 0.05  # seconds between the last worker's readiness and second 0
MESSAGE_LIMIT = 1 << 26  # bytes of one worker's message; a thousandth of it is usual


class WorkerFailedError(FlashsaleError):
    """A process that sends ended before its part was done."""


async def run_load(
    plan: LoadPlan, *, observer: LoadObserver | None = None, stop: asyncio.Event | None = None
) -> Report:
    """Carry out a plan and report on it. Cancelling ends all sending at once, without a report.

    Args:
        observer: called four times a second with the state so far; must return quickly.
        stop: when set, no more purchases start, those under way are waited for, and the report
            covers what was sent until then.

    Raises:
        WorkerFailedError: a sending process died.
    """
    load = _Run(plan)
    try:
        async with asyncio.TaskGroup() as group:
            watching = [
                group.create_task(load.tracker.observe(observer), name="observing the load")
            ]
            if stop:
                watching.append(group.create_task(load.obey(stop), name="waiting for stop"))
            await asyncio.wait(load.sending(group))
            for task in watching:
                task.cancel()
    except ExceptionGroup as group:
        raise group.exceptions[0] from group
    return load.tracker.report()


class _Run:
    """One run: its workers, and what is known of them."""

    def __init__(self, plan: LoadPlan) -> None:
        parts = plan.workers or workers_for(plan.rate, keepalive=plan.keepalive)
        self.tracker = LoadTracker(plan, parts)
        self._ready = asyncio.Barrier(parts)
        self._started: list[Process] = []  # those that know when second 0 is

    def sending(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        """Start to send; all is over when all of these tasks are."""
        return [
            group.create_task(self._send(part), name=f"worker {part}")
            for part in range(self.tracker.parts)
        ]

    async def obey(self, stop: asyncio.Event) -> None:
        """Tell all workers to stop once the event is set; those that start later hear it then."""
        await stop.wait()
        self.tracker.stop()
        for process in self._started:
            _stop(process)

    async def _send(self, part: int) -> None:
        tracker = self.tracker
        async with worker_process() as process:
            assert process.stdin
            assert process.stdout
            _write(process, asdict(tracker.plan.orders(part, tracker.parts)))
            if await process.stdout.readline():
                await self._ready.wait()
                tracker.start = tracker.start or time.monotonic() + HEAD_START
                _write(process, {"start": tracker.start})
                self._started.append(process)
                if tracker.stopped is not None:
                    _stop(process)
            while line := await process.stdout.readline():
                message = json.loads(line)
                tracker.merge(part, message)
                if message["done"]:
                    return
            raise await _failure(process)


@asynccontextmanager
async def worker_process() -> AsyncIterator[Process]:
    """Start a worker; it is gone when this is left, however that happens."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "flashsale.load.worker"),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        limit=MESSAGE_LIMIT,
        start_new_session=True,  # Ctrl-C reaches this process alone: it asks workers to stop
    )
    try:
        yield process
    except BaseException:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
        raise
    finally:  # one that is done ends by itself: a signal would race with its end
        if process.stdin:
            process.stdin.close()
        await _wait_for_end(process)


async def _wait_for_end(process: Process) -> None:
    """Wait for a process that is ending, also when cancelled meanwhile (by a sibling's failure)."""
    waiting = asyncio.ensure_future(process.wait())
    try:
        await asyncio.shield(waiting)
    except asyncio.CancelledError:
        await waiting
        raise


def _write(process: Process, document: dict[str, Any]) -> None:
    assert process.stdin
    process.stdin.write(json.dumps(document).encode() + b"\n")


def _stop(process: Process) -> None:
    """Let a worker end: it watches its stdin, and whatever was written there comes first."""
    assert process.stdin
    process.stdin.close()


async def _failure(process: Process) -> WorkerFailedError:
    assert process.stderr
    written = (await process.stderr.read()).decode(errors="replace")
    return WorkerFailedError(
        "A process that sends purchases died.",
        hint=Hint("flashsale load --rate 50", "a lower rate"),
        details="\n".join(written.splitlines()[-5:]),
    )
