"""Whether an API server still answers while its watches have nothing to tell.

A watch is silent as long as nothing changes, and a server that is frozen, or behind a cable that
was pulled, is silent too: the watch itself notices that only when a bookmark is overdue, after more
than a minute. Asking takes seconds.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable

from flashsale.base.errors import ClusterUnreachableError, FlashsaleError
from flashsale.kube.api import Api
from flashsale.kube.watch_types import Stream, WatchTimeouts

LOG = logging.getLogger(__name__)
PATH = "/version"  # which everybody may read, and no server has to look up
AGAIN = 1.0  # seconds until it is asked again, once it did not answer


async def liveness(
    api: Api, heard: Callable[[], float], patience: WatchTimeouts
) -> AsyncGenerator[Stream, None]:
    """Yield `reconnecting` each time that the server does not answer, and `live` once it does.

    Args:
        heard: says when anything last came from it; while that is not long ago, nothing is asked.
    """
    attempt, answered = 0, time.monotonic()
    while True:
        await asyncio.sleep(AGAIN if attempt else patience.quiet)
        if not attempt and time.monotonic() - heard() < patience.quiet:
            continue
        try:
            async with asyncio.timeout(patience.answer):
                await api.get(PATH)
        except (TimeoutError, ClusterUnreachableError) as error:
            attempt += 1
            why = str(error) or f"no answer within {patience.answer:g} s"
            LOG.info("the API server does not answer (try %s): %s", attempt, why)
            yield Stream(time.monotonic(), "reconnecting", attempt, max(answered, heard()), why)
            continue
        except FlashsaleError as error:
            LOG.debug("the API server answers: %s", error)
        answered = time.monotonic()
        if attempt:
            attempt = 0
            yield Stream(answered, "live", heard=answered)
