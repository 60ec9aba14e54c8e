"""Waiting for a Job's workers until all can begin together, or the cluster has said why not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flashsale.base.errors import Hint, NotReadyError
from flashsale.base.text import counted
from flashsale.kube import Api, paths
from flashsale.kube.response_errors import ApiError
from flashsale.load.in_cluster.job_manifest import JobOptions
from flashsale.load.in_cluster.pods import RemoteWorker

READY = 120.0  # seconds for all workers to start; an image may have to be pulled
HOPELESS = 10.0  # seconds after which what the cluster gives as a reason will not pass by itself
LOOK_EVERY = 0.25  # seconds
EVENTS_EVERY = 2.0  # seconds


@dataclass(frozen=True, slots=True)
class Startup:
    """The workers that are to start."""

    api: Api
    options: JobOptions
    command: str  # that hints name
    workers: Sequence[RemoteWorker]

    async def wait(self, stopping: asyncio.Future[Any]) -> bool:
        """Return once every worker waits for the start; false if the run is to stop before.

        Raises:
            NotReadyError: some do not get that far.
        """
        began = looked = changed = time.monotonic()
        ready, refused = 0, ""
        while missing := [worker for worker in self.workers if not worker.ready]:
            if stopping.done():
                return False
            now, before, ready = time.monotonic(), ready, len(self.workers) - len(missing)
            changed = now if ready > before else changed
            if now - looked > EVENTS_EVERY:
                looked, refused = now, await self._refused_pods()
            why = next(filter(None, (each.ended or each.problem for each in missing)), refused)
            ended = any(worker.ended for worker in missing)
            if ended or (why and now - changed > HOPELESS) or now - began > READY:
                raise self._not_ready(missing, why)
            await asyncio.wait([stopping], timeout=LOOK_EVERY)
        return True

    def _not_ready(self, missing: Sequence[RemoteWorker], why: str) -> NotReadyError:
        ended = [worker for worker in missing if worker.ended]
        few, every = len(ended or missing), len(self.workers)
        printed = next((worker.log.others for worker in missing if worker.log.others), [])
        reason = (why or f"not ready after {READY:.0f} s").rstrip(".")
        return NotReadyError(
            f"{few} of {counted(every, 'worker')} did not start in the cluster: {reason}.",
            hint=self._hint(every - len(missing), why),
            details="\n".join(printed),
        )

    def _hint(self, able: int, why: str) -> Hint:
        """Name what may work, by how many did start and why others did not."""
        crowd = f"{self.command} --in-cluster"
        if able:
            return Hint(f"{crowd} --workers {able}", "as many did start")
        if "image" in why.partition(":")[0].lower():  # ErrImagePull and its like
            return Hint(crowd, "on the shop's own image")
        if "python3" in why:
            image = f"{crowd} --worker-image python:3.11-slim"
            return Hint(image, "or another image with Python 3.11 or newer")
        if "affinity/selector" in why and self.options.node_selector:
            return Hint(crowd, "on any node")
        return Hint(self.command, "sends from this machine")

    async def _refused_pods(self) -> str:
        """Ask why the Job controller makes no pods: a quota, say."""
        query = {"fieldSelector": f"involvedObject.name={self.options.name}"}
        with suppress(ApiError):
            for event in await self.api.list(paths.events(self.options.namespace), query):
                if event.get("reason") == "FailedCreate":
                    return str(event.get("message") or "").removeprefix("Error creating: ")
        return ""
