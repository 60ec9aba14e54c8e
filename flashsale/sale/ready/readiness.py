"""Waiting until pods are ready, and explaining it where they do not get there."""

from __future__ import annotations

import asyncio

from flashsale.base.errors import NotReadyError
from flashsale.kube import paths
from flashsale.sale.observe.monitor import SaleMonitor
from flashsale.sale.observe.state import SaleState
from flashsale.sale.ready.conditions import LOOK, Deadline, all_ready, rescaled, stuck
from flashsale.sale.ready.diagnosis import diagnose, still_stopping
from flashsale.sale.ready.unready_containers import unready_container
from flashsale.sale.ready.unready_nodes import node_trouble
from flashsale.sale.session import Sale

EXPLAINED = 3  # pods whose logs are read
EXPLAINING = 2.0  # seconds for all that is asked to explain a failure


async def wait_until_ready(monitor: SaleMonitor, count: int, deadline: Deadline) -> SaleState:
    """Return once exactly ``count`` pods exist and all are ready.

    Raises:
        NotReadyError: the time is over, nothing can get better by itself, or another number of
            pods is wanted meanwhile; it says which.
        NoSaleError: the ReplicaSet was deleted meanwhile.
        ClusterUnreachableError: the API server stopped answering.
    """
    done = all_ready(count)

    def ended(state: SaleState) -> bool:
        return done(state) or stuck(state.alive) or rescaled(state, count) is not None

    try:
        state = await monitor.until(ended, max(LOOK, deadline.left()))
    except TimeoutError:
        when = f"after {deadline.seconds:g} s"
        raise await not_ready_error(monitor.sale, count, when) from None
    desired = rescaled(state, count)
    if desired is not None:
        raise NotReadyError(
            f"Somebody scaled {monitor.sale.name} to {desired} before {count} pods were ready.",
            hint="flashsale status",
        )
    if not done(state):
        raise await not_ready_error(monitor.sale, count, "and waiting longer will not help")
    return state


async def not_ready_error(sale: Sale, count: int, when: str) -> NotReadyError:
    """Look at everything once more, and make the error that says why not all pods are ready.

    That takes two seconds at most: ``--timeout`` promised how long the wait is.
    """
    try:
        async with asyncio.timeout(EXPLAINING):
            return await _not_ready_error(sale, count, when)
    except TimeoutError:
        words = f"Not all of {count} pods are ready {when}; the cluster is slow to say why."
        return NotReadyError(words, hint="flashsale status")


async def _not_ready_error(sale: Sale, count: int, when: str) -> NotReadyError:
    own = await sale.own_pods()
    alive = [pod for pod in own if not pod.terminating]
    unready = [pod for pod in alive if not pod.ready]
    read = unready[:EXPLAINED]
    events, texts = await asyncio.gather(
        sale.api.list(paths.events(sale.namespace)),
        asyncio.gather(*(sale.last_log_lines(pod, unready_container(pod)) for pod in read)),
    )
    logs = dict(zip((pod.name for pod in read), texts, strict=True))
    places = {pod.node or "" for pod in unready}
    trouble = await node_trouble(sale, places) or still_stopping(own, count)
    trouble = trouble or diagnose(alive, events, logs)
    number = len(alive) - len(unready)
    are = "is" if number == 1 else "are"
    return NotReadyError(
        f"{number} of {count} pods {are} ready {when}: {trouble.cause.rstrip('.')}.",
        hint=trouble.hint,
        details=trouble.details,
    )
