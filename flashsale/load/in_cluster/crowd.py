"""Runs a plan by a Job in the sale's cluster, and reports on it as on a run from this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from flashsale.base.aio import finish
from flashsale.base.errors import FlashsaleError, Hint
from flashsale.base.text import continue_sentence, counted
from flashsale.clusters.base import Progress
from flashsale.kube import REFUSALS, Api, NotFoundError, paths
from flashsale.load.in_cluster.bundle import pack_worker
from flashsale.load.in_cluster.cluster_run import ClusterRun
from flashsale.load.in_cluster.job_manifest import JobOptions, build_config_map, build_job
from flashsale.load.plan import LoadPlan
from flashsale.load.results import Report
from flashsale.load.tracking import LoadObserver
from flashsale.objects.models import Object

LENIENT = {"fieldValidation": "Ignore"}  # an older server does not know all fields, and may
LOOK_EVERY = 0.25  # seconds
CLEARING = 30.0  # seconds for the cluster to remove the Job and its pods


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
            CrowdRefusedError: the cluster does not take the Job, or what it needs is not allowed.
            NotReadyError: not all workers started; the cluster's own words say why.
        """
        async with self._job(plan):
            run = ClusterRun(self.api, self.options, plan, self.progress, self.command)
            try:
                async with asyncio.TaskGroup() as group:
                    await run.carry_out(group, observer, stop)
            except ExceptionGroup as failed:
                raise failed.exceptions[0] from None
            return run.tracker.report()

    @asynccontextmanager
    async def _job(self, plan: LoadPlan) -> AsyncIterator[None]:
        options, made = self.options, list[str]()
        self.progress.step(f"Starting {counted(options.workers, 'worker')} in the cluster")
        try:
            job = await self._create(made, paths.jobs, build_job(options, plan))
            config_map = build_config_map(options, plan, pack_worker(), job)
            await self._create(made, paths.config_maps, config_map)
            yield
        except REFUSALS as error:
            hint = Hint(self.command, "sends from this machine")
            raise CrowdRefusedError(
                f"The crowd cannot run in the cluster: {_begun(error)}", hint=hint
            ) from error
        finally:
            await finish(self._clear(made))

    async def _create(
        self, made: list[str], paths_of: Callable[..., str], wanted: Object
    ) -> Object:
        """Create an object; its path is in ``made`` unless the cluster says that it made none."""
        namespace, name = self.options.namespace, self.options.name
        made.append(paths_of(namespace, name))
        try:
            return await self.api.create(paths_of(namespace), wanted, LENIENT)
        except REFUSALS:
            made.pop()
            raise

    async def _clear(self, made: Sequence[str]) -> None:
        """Delete the Job, and with it everything; return when its pods are gone."""
        if not made:
            return
        namespace, name = self.options.namespace, self.options.name
        self.progress.step("Removing the workers")
        try:
            for path in made:
                with suppress(NotFoundError):
                    await self.api.delete(path, {"propagationPolicy": "Foreground"})
            async with asyncio.timeout(CLEARING):
                while await self._is_there():  # noqa: ASYNC110 - the cluster tells nobody
                    await asyncio.sleep(LOOK_EVERY)
        except TimeoutError:
            self.progress.note(
                f"The Job {name} is not gone after {CLEARING:.0f} s: the node of a worker may not"
                " answer. The cluster goes on removing it."
            )
        except FlashsaleError as error:
            self.progress.note(
                f"The workers may be left: {error}. `kubectl delete job -n {namespace} {name}`"
                " removes them."
            )

    async def _is_there(self) -> bool:
        try:
            await self.api.get(paths.jobs(self.options.namespace, self.options.name))
        except NotFoundError:
            return False
        return True


def _begun(error: FlashsaleError) -> str:
    words = str(error)
    return continue_sentence(words) if words[1:2].islower() else words
