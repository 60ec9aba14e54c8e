"""Waiting until pods are ready, and explaining it where they do not get there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from flashsale.base.errors import ClusterUnreachableError, FlashsaleError, NotReadyError
from flashsale.kube import paths
from flashsale.objects.models import Object, Pod
from flashsale.sale.ready.conditions import LOOK, Deadline, Sight, hopeless, rescaled, until, whole
from flashsale.sale.ready.diagnosis import diagnose
from flashsale.sale.ready.log_patterns import LINES
from flashsale.sale.ready.nodes import node_trouble
from flashsale.sale.session import Sale, owned

EXPLAINED = 3  # pods whose logs are read
EXPLAINING = 2.0  # seconds for all that is asked to explain a failure


async def ready(
    sale: Sale, count: int, *, timeout: float, tell: Callable[[Sight], None] | None = None
) -> Sight:
    """Return once exactly ``count`` pods exist and all are ready.

    Args:
        timeout: patience in seconds, counted from the call.

    Raises:
        NotReadyError: the time is over, nothing can get better by itself, or another number of
            pods is wanted meanwhile; it says which.
        NoSaleError: the ReplicaSet was deleted meanwhile.
        ClusterUnreachableError: the API server stopped answering.
    """
    return await ready_by(sale, count, Deadline.after(timeout), tell=tell)


async def ready_by(
    sale: Sale, count: int, deadline: Deadline, *, tell: Callable[[Sight], None] | None = None
) -> Sight:
    """Do as :func:`ready` does, with what is left of the time."""
    done = whole(count)
    timeout = max(LOOK, deadline.left())
    try:
        sight = await until(
            sale,
            lambda seen: done(seen) or hopeless(seen) or rescaled(seen, count) is not None,
            timeout=timeout,
            tell=tell,
        )
    except TimeoutError:
        raise await explained(sale, count, f"after {deadline.seconds:g} s") from None
    desired = rescaled(sight, count)
    if desired is not None:
        raise NotReadyError(
            f"Somebody scaled {sale.name} to {desired} before {count} pods were ready.",
            hint="flashsale status",
        )
    if not done(sight):
        raise await explained(sale, count, "and waiting longer will not help")
    return sight


async def explained(sale: Sale, count: int, when: str) -> NotReadyError:
    """Look at everything once more, and make the error that says why not all pods are ready.

    That takes two seconds at most: whoever waits was told how long.
    """
    try:
        async with asyncio.timeout(EXPLAINING):
            return await _explained(sale, count, when)
    except TimeoutError:
        words = f"Not all of {count} pods are ready {when}; the cluster is slow to say why."
        return NotReadyError(words, hint="flashsale status")


async def _explained(sale: Sale, count: int, when: str) -> NotReadyError:
    replicaset = await sale.replicaset()
    pods = owned(await sale.pods(replicaset), replicaset)
    alive = [pod for pod in pods if not Pod.from_object(pod).terminating]
    unready = [pod for pod in alive if not Pod.from_object(pod).ready]
    read = unready[:EXPLAINED]
    events, texts = await asyncio.gather(
        sale.api.list(paths.events(sale.namespace)),
        asyncio.gather(*(last_lines(sale, pod) for pod in read)),
    )
    logs = dict(zip(map(_name, read), texts, strict=True))
    places = {str(pod["spec"].get("nodeName") or "") for pod in unready}
    found = await node_trouble(sale, places) or diagnose(alive, events, logs)
    number = len(alive) - len(unready)
    are = "is" if number == 1 else "are"
    return NotReadyError(
        f"{number} of {count} pods {are} ready {when}: {found.cause.rstrip('.')}.",
        hint=found.hint,
        details=found.details,
    )


async def last_lines(sale: Sale, pod: Object) -> str:
    """Fetch the end of a pod's log, of its last life if this one has said nothing; or nothing."""
    path = paths.pods(sale.namespace, _name(pod), "log")
    for previous in (False, True):
        try:
            text = await sale.api.text(path, {"tailLines": 4 * LINES, "previous": previous})
        except ClusterUnreachableError:
            raise
        except FlashsaleError:
            continue  # it never started, or has only one life behind it
        if text.strip():
            return text
    return ""


def _name(pod: Object) -> str:
    return str(pod["metadata"]["name"])
