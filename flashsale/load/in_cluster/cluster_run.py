"""One run by pods: its workers, from their first sign of life to their whole result."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import aclosing
from itertools import count
from typing import Any

from flashsale.base.text import counted
from flashsale.clusters.base import Progress
from flashsale.kube import Api, paths
from flashsale.kube.list_watch import changes
from flashsale.kube.watch_types import Changed, Resynced
from flashsale.load.in_cluster.job_manifest import LABEL, JobOptions
from flashsale.load.in_cluster.pods import RemoteWorker, part_of
from flashsale.load.in_cluster.signals import START, STOP, WorkerSignals
from flashsale.load.in_cluster.startup import Startup
from flashsale.load.in_cluster.worker_logs import LOST, follow_worker
from flashsale.load.plan import LoadPlan
from flashsale.load.tracking import LoadObserver, LoadTracker
from flashsale.objects.models import Object

LOG = logging.getLogger(__name__)

HEAD_START = 3.0  # seconds between telling the start and second 0
HEAD_START_EACH = 0.02  # seconds more for each worker that has to be told
SILENCE = 3.0  # seconds beyond the last purchase's patience in which results come
AGAIN = 1.0  # seconds until a worker is told again what it has not acted on


class ClusterRun:
    """What is known of a run, and what it still waits for."""

    def __init__(
        self, api: Api, options: JobOptions, plan: LoadPlan, progress: Progress, command: str
    ) -> None:
        self.tracker = LoadTracker(plan, options.workers)
        self._api, self._options, self._progress = api, options, progress
        self._signals = WorkerSignals(api, options.namespace)
        self._workers = [RemoteWorker(part) for part in range(options.workers)]
        self._startup = Startup(api, options, command, self._workers)
        self._followed: dict[int, asyncio.Task[None]] = {}
        self._over = asyncio.Event()  # every worker is done, or will never be
        self._finished = 0

    async def carry_out(
        self, group: asyncio.TaskGroup, observer: LoadObserver | None, stop: asyncio.Event | None
    ) -> None:
        """Run until every worker's part is booked; NotReadyError if not all of them started."""
        stopping = group.create_task((stop or asyncio.Event()).wait(), name="waiting for stop")
        over = group.create_task(self._over.wait(), name="waiting for results")
        helping: list[asyncio.Task[Any]] = [
            *(stopping, over),
            group.create_task(self._watch_pods(group), name="watching workers"),
            group.create_task(self.tracker.observe(observer), name="observing the load"),
        ]
        try:
            if await self._startup.wait(stopping):
                await self._tell_start()
                helping.append(group.create_task(self._keep_telling(), name="telling again"))
                await asyncio.wait({over, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if not over.done():
                    self.tracker.stop()
                    await self._signals.tell({each.pod: {STOP: "now"} for each in self._living()})
                    await over
            else:
                self.tracker.stopped = 0.0
                self.tracker.start = time.monotonic()
        finally:
            for task in (*helping, *self._followed.values()):
                task.cancel()

    async def _tell_start(self) -> None:
        """Agree on second 0: each worker hears it by the clock of its own node."""
        head = HEAD_START + HEAD_START_EACH * len(self._workers)
        start, start_unix = time.monotonic() + head, time.time() + head
        self.tracker.start = start
        for worker, counts in zip(self._workers, self.tracker.ledger.parts, strict=True):
            counts.name, counts.node = worker.pod, worker.node
            counts.clock_offset_ms = round(worker.clock_offset * 1000, 3)
        self._progress.step(f"All workers are ready; the first purchase is in {head:.0f} s")
        starts = {each.pod: f"{start_unix + each.clock_offset:.6f}" for each in self._workers}
        await self._signals.tell({pod: {START: start} for pod, start in starts.items()})

    async def _keep_telling(self) -> None:
        """Repeat what workers have not acted on; end those that never heard of the start."""
        tracker, waiting = self.tracker, False
        for times in count(1):
            await asyncio.sleep(AGAIN)
            living, overtime = self._living(), tracker.elapsed - tracker.until
            for worker in living:
                if overtime > 0 and not worker.started:
                    await self._signals.remove(worker.pod)
            if overtime > tracker.plan.timeout + SILENCE and not waiting:
                waiting = True
                late = counted(len(living), "worker")
                nodes = ", ".join(sorted({worker.node for worker in living}))
                self._progress.note(f"Waiting up to {LOST:.0f} s for {late} on {nodes}.")
            stopping = tracker.stopped is not None
            unmoved = [worker.pod for worker in living if stopping or not worker.started]
            await self._signals.tell_again(unmoved, times)

    def _living(self) -> list[RemoteWorker]:
        return [worker for worker in self._workers if not worker.done and not worker.ended]

    async def _watch_pods(self, group: asyncio.TaskGroup) -> None:
        """Follow each worker from the moment its container has started."""
        query = {"labelSelector": f"{LABEL}={self._options.name}"}
        pods = paths.pods(self._options.namespace)
        async with aclosing(changes(self._api, pods, query)) as changes_seen:
            async for change in changes_seen:
                match change:
                    case Resynced(objects=pods_listed):
                        for pod in pods_listed:
                            self._see(group, pod, gone=False)
                    case Changed(type=kind, object=pod):
                        self._see(group, pod, gone=kind == "DELETED")

    def _see(self, group: asyncio.TaskGroup, pod: Object, *, gone: bool) -> None:
        part = part_of(pod)
        if part is None or part >= len(self._workers):
            return
        worker = self._workers[part]
        if worker.pod not in ("", pod["metadata"]["name"]):
            return  # a replacement, which nobody tells to start
        worker.see(pod)
        if gone:
            worker.ended = worker.ended or "its pod was deleted"
        if worker.running and part not in self._followed:
            self._followed[part] = group.create_task(self._follow(worker), name=worker.pod)

    async def _follow(self, worker: RemoteWorker) -> None:
        await follow_worker(self._api, self._options.namespace, worker, self._take)
        if not worker.done and self.tracker.start:
            self._note_early_end(worker, worker.ended)
            self.tracker.give_up(worker.part)
        self._finished += 1
        if self._finished == len(self._workers):
            self._over.set()

    def _take(self, worker: RemoteWorker, message: dict[str, Any]) -> None:
        if "ready" in message:
            worker.hear_clock(message["ready"], time.time())
        elif "starts_in" in message:
            worker.started = True
            if message["starts_in"] < 0:
                late = f"{-message['starts_in']:.1f} s"
                self._progress.note(f"Worker {worker.pod} heard of the start {late} after it.")
        elif "now" in message:
            self.tracker.merge(worker.part, message)
            if message["done"]:
                self._finish(worker, message["until"])

    def _finish(self, worker: RemoteWorker, until: float) -> None:
        """Book a whole result; ``until`` is the second up to which its purchases were due."""
        tracker = self.tracker
        worker.done = True
        if tracker.stopped is not None:
            tracker.stopped = max(tracker.stopped, until)
        if tracker.stopped is None and until < tracker.until:
            deaf = "" if worker.started else "before it heard of the start "
            self._note_early_end(worker, f"{deaf}its pod was told to stop")
        if worker.log.missing or until < tracker.until:
            tracker.give_up(worker.part, until if tracker.stopped is not None else None)

    def _note_early_end(self, worker: RemoteWorker, why: str) -> None:
        self._progress.note(f"Worker {worker.pod} ended early: {why.rstrip('.')}.")
