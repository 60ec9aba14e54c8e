"""Changing how many pods Kubernetes keeps alive."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flashsale.kube import NotFoundError
from flashsale.sale.observe.monitor import SaleMonitor
from flashsale.sale.observe.observations import ReplicaSetSeen, version_of
from flashsale.sale.ready.conditions import Deadline
from flashsale.sale.ready.explanation import NewPods, created_line, deleted_line
from flashsale.sale.ready.readiness import wait_until_ready
from flashsale.sale.session import Sale

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Scaling:
    """One change of the number of pods."""

    before: int
    after: int
    seconds: float  # until all were ready, or until it was accepted where nobody waited
    why: str = ""  # what the ReplicaSet did, and where the seconds went

    def as_json(self) -> dict[str, Any]:
        """Write it as `scale -o json` does."""
        return {"from": self.before, "to": self.after, "seconds": round(self.seconds, 3)}


async def set_replicas(sale: Sale, replicas: int) -> Scaling:
    """Set the number of pods, and wait for none; NoSaleError if there is no ReplicaSet."""
    began = time.monotonic()
    try:
        before = (await sale.api.get(f"{sale.replicaset_path}/scale"))["spec"].get("replicas", 0)
        await sale.api.scale(sale.replicaset_path, replicas)
        LOG.info("%s scaled from %s to %s", sale.replicaset_path, before, replicas)
    except NotFoundError as error:
        raise sale.missing() from error
    return Scaling(before, replicas, time.monotonic() - began)


async def request_replicas(monitor: SaleMonitor, replicas: int) -> None:
    """Set the number of pods, which the monitor knows at once; NoSaleError without a ReplicaSet."""
    try:
        answer = await monitor.sale.api.scale(monitor.sale.replicaset_path, replicas)
    except NotFoundError as error:
        raise monitor.sale.missing() from error
    if replicaset := monitor.state.replicaset:
        wanted = replace(replicaset, desired=replicas)
        monitor.add(ReplicaSetSeen(time.monotonic(), wanted, version_of(answer)))


async def scale(
    monitor: SaleMonitor,
    replicas: int,
    *,
    timeout: float = 120.0,
    note: Callable[[str], None] = lambda text: None,
) -> Scaling:
    """Set the number of pods, and wait until that many are ready.

    Args:
        note: called with a line that says that the number stays, if the waiting is cancelled.

    Raises:
        NoSaleError: there is no ReplicaSet to scale.
        NotReadyError: not all were ready within ``timeout`` seconds; the new number stays.
    """
    began = time.monotonic()
    before = await monitor.sale.desired()  # a cluster that does not answer is known at once
    state = await monitor.until_synced()
    pods = NewPods(state.pods.keys())
    monitor.add_observer(pods.see)
    asked_at = time.monotonic()
    await request_replicas(monitor, replicas)
    try:
        await wait_until_ready(monitor, replicas, Deadline.after(timeout))
    except asyncio.CancelledError:
        note(
            f"{monitor.sale.name} is scaled from {before} to {replicas} all the same:"
            " the cluster had accepted it. flashsale status shows how far it is."
        )
        raise
    why = created_line(pods.ready, asked_at) or deleted_line(list(pods.deleted.values()))
    return Scaling(before, replicas, time.monotonic() - began, why)
