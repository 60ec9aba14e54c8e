"""Runs a plan by a Job in the sale's cluster, and reports on it as on a run from this machine."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from flashsale.base.aio import finish
from flashsale.base.errors import FlashsaleError, Hint, NotReadyError
from flashsale.base.text import continue_sentence, counted
from flashsale.clusters.base import Progress
from flashsale.kube import Api, NotFoundError, paths
from flashsale.kube.list_watch import changes
from flashsale.kube.response_errors import ApiError, InvalidError
from flashsale.kube.watch_types import Changed, Resynced
from flashsale.load.in_cluster.bundle import pack_worker
from flashsale.load.in_cluster.job_manifest import (
    LABEL,
    START,
    STOP,
    JobOptions,
    build_config_map,
    build_job,
)
from flashsale.load.in_cluster.pods import RemoteWorker, part_of
from flashsale.load.in_cluster.worker_logs import follow_worker
from flashsale.load.plan import LoadPlan
from flashsale.load.results import Report
from flashsale.load.tracking import LoadObserver, LoadTracker
from flashsale.objects.models import Object

LOG = logging.getLogger(__name__)

LENIENT = {"fieldValidation": "Ignore"}  # an older server does not know all fields, and may
READY = 120.0  # seconds for all workers to start; an image may have to be pulled
HOPELESS = 10.0  # seconds after which what the cluster gives as a reason will not pass by itself
LOOK_EVERY = 0.25  # seconds
EVENTS_EVERY = 2.0  # seconds
HEAD_START = 3.0  # seconds between telling the start and second 0
HEAD_START_EACH = 0.02  # seconds more for each worker that has to be told
TELLING = 20  # workers told at once
CLEARING = 60.0  # seconds for the cluster to remove the Job and its pods


class CrowdRefusedError(FlashsaleError):
    """The cluster does not let us run the Job."""


@dataclass(frozen=True, slots=True)
class ClusterCrowd:
    """Where and how the Job runs."""

    api: Api
    options: JobOptions
    progress: Progress
    command: str = "flashsale load"  # that hints name

    async def run(
        self,
        plan: LoadPlan,
        *,
        observer: LoadObserver | None = None,
        stop: asyncio.Event | None = None,
    ) -> Report:
        """Carry out a plan; as :func:`flashsale.load.coordinator.run_load`, by pods.

        However it ends, the Job and all that belongs to it are gone afterwards.

        Raises:
            CrowdRefusedError: the cluster does not take the Job.
            NotReadyError: not all workers started; the cluster's own words say why.
        """
        async with self._job(plan):
            run = _ClusterRun(self, plan)
            try:
                async with asyncio.TaskGroup() as group:
                    await run.carry_out(group, observer, stop)
            except ExceptionGroup as failed:
                raise failed.exceptions[0] from None
            return run.tracker.report()

    @property
    def from_here(self) -> Hint:
        """The way without a Job."""
        return Hint(self.command, "sends from this machine")

    @property
    def pods_path(self) -> str:
        """Where the workers' pods live."""
        return paths.pods(self.options.namespace)

    @asynccontextmanager
    async def _job(self, plan: LoadPlan) -> AsyncIterator[None]:
        options = self.options
        jobs, config_maps = paths.jobs(options.namespace), paths.config_maps(options.namespace)
        self.progress.step(f"Starting {counted(options.workers, 'worker')} in the cluster")
        try:
            try:
                job = await self.api.create(jobs, build_job(options, plan), LENIENT)
                config_map = build_config_map(options, plan, pack_worker(), job)
                await self.api.create(config_maps, config_map)
            except (ApiError, InvalidError) as error:
                raise CrowdRefusedError(
                    f"The crowd cannot run in the cluster: {_begun(error)}", hint=self.from_here
                ) from error
            yield
        finally:
            await finish(self._clear())

    async def _clear(self) -> None:
        """Delete the Job, and with it everything; return when its pods are gone."""
        namespace, name = self.options.namespace, self.options.name
        try:
            for path in (paths.jobs(namespace, name), paths.config_maps(namespace, name)):
                with suppress(NotFoundError):
                    await self.api.delete(path, {"propagationPolicy": "Foreground"})
            async with asyncio.timeout(CLEARING):
                while await self._is_there():  # noqa: ASYNC110 - the cluster tells nobody
                    await asyncio.sleep(LOOK_EVERY)
        except (FlashsaleError, TimeoutError) as error:
            why = str(error) or f"it is still there after {CLEARING:.0f} s"
            self.progress.note(f"The Job {name} in {namespace} may be left: {why}")

    async def _is_there(self) -> bool:
        try:
            await self.api.get(paths.jobs(self.options.namespace, self.options.name))
        except NotFoundError:
            return False
        return True


class _ClusterRun:
    """One run: its workers, from their first sign of life to their whole result."""

    def __init__(self, crowd: ClusterCrowd, plan: LoadPlan) -> None:
        self._crowd, self._api = crowd, crowd.api
        self._namespace = crowd.options.namespace
        self.tracker = LoadTracker(plan, crowd.options.workers)
        self._workers = [RemoteWorker(part) for part in range(crowd.options.workers)]
        self._followed: dict[int, asyncio.Task[None]] = {}
        self._over = asyncio.Event()  # every worker is done, or will never be
        self._finished = 0

    async def carry_out(
        self, group: asyncio.TaskGroup, observer: LoadObserver | None, stop: asyncio.Event | None
    ) -> None:
        """Run until every worker's part is accounted for."""
        helping = [
            group.create_task(self._watch_pods(group), name="watching workers"),
            group.create_task(self.tracker.observe(observer), name="observing the load"),
        ]
        try:
            stopping = asyncio.ensure_future((stop or asyncio.Event()).wait())
            helping.append(stopping)  # type: ignore[arg-type]
            if await self._all_ready(stopping):
                await self._tell_start()
                over = asyncio.ensure_future(self._over.wait())
                helping.append(over)  # type: ignore[arg-type]
                await asyncio.wait({over, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if not over.done():
                    await self._tell_stop()
                    await over
            else:
                self.tracker.stopped = 0.0
                self.tracker.start = time.monotonic()
        finally:
            for task in (*helping, *self._followed.values()):
                task.cancel()

    async def _all_ready(self, stopping: asyncio.Future[Any]) -> bool:
        """Return once every worker waits for the start; false if the run is to stop before.

        Raises:
            NotReadyError: some do not get that far.
        """
        began = looked = changed = time.monotonic()
        ready, refused = 0, ""
        while ready < len(self._workers):
            if stopping.done():
                return False
            now, before = time.monotonic(), ready
            ready = sum(worker.ready for worker in self._workers)
            changed = now if ready > before else changed
            if now - looked > EVENTS_EVERY:
                looked, refused = now, await self._refused_pods()
            missing = [worker for worker in self._workers if not worker.ready]
            why = next(filter(None, map(_trouble, missing)), "") or refused
            ended = any(worker.ended for worker in missing)
            if ended or (why and now - changed > HOPELESS) or now - began > READY:
                raise self._not_ready(len(missing), why, missing)
            await asyncio.wait([stopping], timeout=LOOK_EVERY)
        return True

    def _not_ready(self, missing: int, why: str, workers: list[RemoteWorker]) -> NotReadyError:
        all_of = self.tracker.parts
        able = all_of - missing
        hint, command = self._crowd.from_here, self._crowd.command
        if "python3" in why:
            image = f"{command} --in-cluster --worker-image python:3.11-slim"
            hint = Hint(image, "or another image with Python 3.11 or newer")
        elif able:
            hint = Hint(f"{command} --in-cluster --workers {able}", "as many did start")
        lines = next((worker.log.others for worker in workers if worker.log.others), [])
        return NotReadyError(
            f"{missing} of {counted(all_of, 'worker')} did not start"
            f" in the cluster: {why or f'not ready after {READY:.0f} s'}.".replace("..", "."),
            hint=hint,
            details="\n".join(lines),
        )

    async def _refused_pods(self) -> str:
        """Ask why the Job controller makes no pods: a quota, say."""
        query = {"fieldSelector": f"involvedObject.name={self._crowd.options.name}"}
        with suppress(ApiError):
            for event in await self._api.list(paths.events(self._namespace), query):
                if event.get("reason") == "FailedCreate":
                    return str(event.get("message") or "").removeprefix("Error creating: ")
        return ""

    async def _tell_start(self) -> None:
        """Agree on second 0: each worker hears it by the clock of its own node."""
        head = HEAD_START + HEAD_START_EACH * len(self._workers)
        start, start_unix = time.monotonic() + head, time.time() + head
        self.tracker.start = start
        for worker, counts in zip(self._workers, self.tracker.ledger.parts, strict=True):
            counts.name, counts.node = worker.pod, worker.node
            counts.clock_offset = worker.clock_offset
        self._crowd.progress.step(f"All workers are ready; the first purchase is in {head:.0f} s")
        await self._annotate(
            {worker.part: {START: f"{start_unix + worker.clock_offset:.6f}"}}
            for worker in self._workers
        )

    async def _tell_stop(self) -> None:
        self.tracker.stopped = min(self.tracker.elapsed, self.tracker.plan.seconds)
        living = (worker for worker in self._workers if not worker.done and not worker.ended)
        await self._annotate({worker.part: {STOP: "now"}} for worker in living)

    async def _annotate(self, notes: Any) -> None:
        """Set annotations of pods, many at once; a pod that is gone needs none."""
        several = asyncio.Semaphore(TELLING)

        async def tell(part: int, annotations: dict[str, str]) -> None:
            path = paths.pods(self._namespace, self._workers[part].pod)
            async with several:
                with suppress(NotFoundError):
                    await self._api.patch(path, {"metadata": {"annotations": annotations}})

        async with asyncio.TaskGroup() as group:
            for note in notes:
                for part, annotations in note.items():
                    group.create_task(tell(part, annotations))

    async def _watch_pods(self, group: asyncio.TaskGroup) -> None:
        """Follow each worker from the moment its container has started."""
        query = {"labelSelector": f"{LABEL}={self._crowd.options.name}"}
        async with aclosing(changes(self._api, self._crowd.pods_path, query)) as news:
            async for change in news:
                match change:
                    case Resynced(objects=pods):
                        for pod in pods:
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
        await follow_worker(self._api, self._namespace, worker, self._take)
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
            LOG.info("%s heard of the start %.2f s before it", worker.pod, message["starts_in"])
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
            self._note_early_end(worker, "its pod was told to stop")
        if worker.log.missing or until < tracker.until:
            tracker.give_up(worker.part, until if tracker.stopped is not None else None)

    def _note_early_end(self, worker: RemoteWorker, why: str) -> None:
        self._crowd.progress.note(f"Worker {worker.pod} ended early: {why.rstrip('.')}.")


def _trouble(worker: RemoteWorker) -> str:
    return worker.ended or worker.problem


def _begun(error: FlashsaleError) -> str:
    words = str(error)
    return continue_sentence(words) if words[1:2].islower() else words
