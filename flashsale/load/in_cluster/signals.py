"""What workers are told while they run: annotations of their pods, which appear there as files.

A kubelet writes those files within a second of a change, but now and then it does not: while it
writes the files for one change of a pod, it forgets that another has come, and writes again a
minute later (pkg/kubelet/volumemanager/cache, AddPodToVolume clears remountRequired). Any further
change of the pod makes it write at once. So whoever has not acted on a signal is told again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress

from flashsale.base.errors import FlashsaleError
from flashsale.kube import Api, paths
from flashsale.kube.response_errors import ForbiddenError, UnauthorizedError

LOG = logging.getLogger(__name__)

START = "flashsale-load/start"  # second 0 in unix seconds of the clock of the pod's node
STOP = "flashsale-load/stop"  # send no more, wait for what is under way
REPEATED = "flashsale-load/repeated"  # how often it was told again
TOGETHER = 20  # pods told at once


class WorkerSignals:
    """Sets annotations, and remembers them for those who have to be told again."""

    def __init__(self, api: Api, namespace: str) -> None:
        self._api, self._namespace = api, namespace
        self._sent: dict[str, dict[str, str]] = {}  # annotations by pod
        self._several = asyncio.Semaphore(TOGETHER)

    async def tell(self, signals: Mapping[str, Mapping[str, str]]) -> None:
        """Set annotations, given by pod; return when all are set that can be.

        Raises:
            ForbiddenError, UnauthorizedError: pods may not be changed.
        """
        for pod, changes in signals.items():
            self._sent.setdefault(pod, {}).update(changes)
        await self._set(signals)

    async def tell_again(self, pods: Iterable[str], times: int) -> None:
        """Say to some pods again what they were told; ``times`` is another number each time."""
        await self._set({pod: {**self._sent[pod], REPEATED: str(times)} for pod in pods})

    async def remove(self, pod: str) -> None:
        """End a pod that no signal reaches."""
        with suppress(FlashsaleError):  # then it hears a minute late
            await self._api.delete(paths.pods(self._namespace, pod))

    async def _set(self, signals: Mapping[str, Mapping[str, str]]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for pod, changes in signals.items():
                    group.create_task(self._annotate(pod, changes))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def _annotate(self, pod: str, annotations: Mapping[str, str]) -> None:
        path = paths.pods(self._namespace, pod)
        try:
            async with self._several:
                await self._api.patch(path, {"metadata": {"annotations": dict(annotations)}})
        except (ForbiddenError, UnauthorizedError):
            raise
        except FlashsaleError as error:  # its pod is gone, or it is told again
            LOG.info("%s was not told %s: %s", pod, annotations, error)
