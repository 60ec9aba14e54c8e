"""Following one worker's log to its end, however often the stream breaks."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

from flashsale.base.errors import FlashsaleError
from flashsale.kube import Api, NotFoundError, paths
from flashsale.kube.response_errors import ForbiddenError, UnauthorizedError
from flashsale.load.in_cluster.pods import RemoteWorker

LOG = logging.getLogger(__name__)

SILENCE = 15.0  # seconds without a line after which a stream is dead; one comes twice a second
PAUSE = 0.5  # seconds before a stream is opened again
OVERLAP = 5.0  # seconds that are read once more then
LOST = 60.0  # seconds without any message after which nobody waits for more

Take = Callable[[RemoteWorker, dict[str, Any]], None]


async def follow_worker(api: Api, namespace: str, worker: RemoteWorker, take: Take) -> None:
    """Hand over every message of a worker; return when it is done, or will never be.

    Raises:
        ForbiddenError, UnauthorizedError: its log may not be read.
    """
    path = paths.pods(namespace, worker.pod, "log")
    last_message, whole = time.monotonic(), True  # the last message; read from the log's beginning
    while not worker.done:
        over = bool(worker.ended)  # before the log is read: afterwards nothing can be missing
        passed = math.ceil(time.monotonic() - last_message + OVERLAP)
        since = {} if whole else {"sinceSeconds": passed}
        before = last_message
        try:
            async for message in _messages(api, path, since, worker, last_try=whole and over):
                last_message, whole = time.monotonic(), False
                take(worker, message)
        except (ForbiddenError, UnauthorizedError):
            raise
        except NotFoundError:
            worker.ended = worker.ended or "its pod was deleted"
            return
        except FlashsaleError as error:
            LOG.info("the log of %s broke off (%s) and is read again", worker.pod, error)
            over = False
        if worker.log.gap:
            worker.log.gap, whole = False, True
        elif over:
            return
        elif last_message == before and time.monotonic() - last_message > LOST:
            worker.ended = worker.ended or f"nothing was heard of it for {LOST:.0f} s"
            return
        if not worker.done:
            await asyncio.sleep(PAUSE)


async def _messages(
    api: Api, path: str, since: dict[str, int], worker: RemoteWorker, *, last_try: bool
) -> Any:
    """Yield what the log holds that is new.

    Args:
        last_try: lines that are missing are in no log any more, so go on without them.
    """
    query = {"follow": True, "container": "worker", **since}
    async with aclosing(api.lines(path, query, silence=SILENCE)) as lines:
        async for line in lines:
            message = worker.log.read(line)
            if worker.log.gap:
                if not last_try and since:
                    return
                worker.log.pass_over(line)
                message = worker.log.read(line)
            if message is not None:
                yield message
            if worker.done:
                return
