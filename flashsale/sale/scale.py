"""Changing how many pods Kubernetes keeps alive."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flashsale.kube import NotFoundError
from flashsale.sale.session import Sale

if TYPE_CHECKING:
    from flashsale.sale.ready.conditions import Sight

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Scaling:
    """One change of the number of pods."""

    before: int
    after: int
    seconds: float  # until all were ready, or until it was accepted where nobody waited

    def as_json(self) -> dict[str, Any]:
        """Write it as `scale -o json` does."""
        return {"from": self.before, "to": self.after, "seconds": round(self.seconds, 3)}


async def scale(
    sale: Sale,
    replicas: int,
    *,
    wait: bool = True,
    timeout: float = 120.0,
    tell: Callable[[Sight], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Scaling:
    """Set the number of pods, and wait until that many are ready.

    Raises:
        NoSaleError: there is no ReplicaSet to scale.
        NotReadyError: not all were ready within ``timeout`` seconds; the new number stays.
    """
    began = clock()
    try:
        before = (await sale.api.get(f"{sale.replicaset_path}/scale"))["spec"].get("replicas", 0)
        await sale.api.scale(sale.replicaset_path, replicas)
        LOG.info("%s scaled from %s to %s", sale.replicaset_path, before, replicas)
    except NotFoundError as error:
        raise sale.missing() from error
    if wait:
        from flashsale.sale.ready.readiness import ready

        await ready(sale, replicas, timeout=timeout, tell=tell)
    return Scaling(before, replicas, clock() - began)
