"""Killing pods and following what Kubernetes does about it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from flashsale.base.errors import FlashsaleError
from flashsale.kube import NotFoundError, paths
from flashsale.objects.models import Pod
from flashsale.sale.kill.kill_method import KillMethod
from flashsale.sale.observe.healing import (
    DELETED_TOO,
    DIED_TOO,
    Closed,
    Happening,
    Healing,
    NotReplaced,
)
from flashsale.sale.observe.monitor import SaleMonitor
from flashsale.sale.observe.observations import Cause, Mark
from flashsale.sale.observe.state import Update
from flashsale.sale.ready.readiness import not_ready_error
from flashsale.sale.session import Sale

LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class PendingHealings:
    """Healings that are waited for: the victims', and those of replacements that died as well."""

    open: set[str]  # uids of victims
    ended: dict[str, Healing] = field(default_factory=dict)  # by the same

    @property
    def all_ended(self) -> bool:
        """Whether nothing is left to wait for."""
        return not self.open

    def add(self, happening: Happening) -> None:
        """Note the end of a healing that is waited for, and which one goes on in its place."""
        match happening:
            case NotReplaced(why=why) if why == DELETED_TOO:
                return  # killed in place, then deleted: that comes next, about the same pod
            case Closed(healing=healing) | NotReplaced(healing=healing):
                if healing.victim_uid not in self.open:
                    return
            case _:
                return
        self.open.remove(healing.victim_uid)
        self.ended[healing.victim_uid] = healing
        if isinstance(happening, NotReplaced) and happening.why == DIED_TOO:
            self.open.add(healing.replacement_uid or "")


async def kill_pods(sale: Sale, pods: Sequence[Pod], method: KillMethod) -> list[Mark]:
    """Kill pods at once, and note when each kill was accepted; FlashsaleError if one was not."""

    async def kill_pod(pod: Pod) -> Mark:
        LOG.info("killing %s in %s: %s", pod.name, sale.namespace, method)
        if method.process:
            await sale.cluster.crash(sale.api, sale.namespace, pod)
            return Mark(time.monotonic(), pod.name, "crashed")
        options = {"preconditions": {"uid": pod.uid}}  # never a namesake that came meanwhile
        grace = {} if method.grace is None else {"gracePeriodSeconds": method.grace}
        try:
            await sale.api.delete(paths.pods(sale.namespace, pod.name), {**options, **grace})
        except NotFoundError as error:
            raise FlashsaleError(
                f"The pod '{pod.name}' was gone before it could be killed.",
                hint="flashsale kill-pod",
            ) from error
        return Mark(time.monotonic(), pod.name)

    return list(await asyncio.gather(*map(kill_pod, pods)))


async def kill(
    monitor: SaleMonitor, pods: Sequence[Pod], method: KillMethod, *, timeout: float
) -> list[Healing]:
    """Kill pods and follow each until its replacement is ready and it is gone itself.

    Returns one healing for each pod, in their order.

    Raises:
        NotReadyError: the ReplicaSet was not whole again within ``timeout`` seconds.
    """
    pending = PendingHealings({pod.uid for pod in pods})

    def note_ends(update: Update) -> None:
        for happening in update.happenings:
            pending.add(happening)

    monitor.add_observer(note_ends)
    try:
        async with asyncio.timeout(timeout):
            await monitor.until_synced()
            for mark in await kill_pods(monitor.sale, pods, method):
                monitor.add(mark)
            await monitor.until(lambda _: pending.all_ended)
    except TimeoutError:
        count = await monitor.sale.desired()
        raise await not_ready_error(monitor.sale, count, f"{timeout:g} s after the kill") from None
    return [pending.ended[pod.uid] for pod in pods]


def unfollowed_healings(pods: Sequence[Pod], cause: Cause) -> list[Healing]:
    """Write healings of which nobody looks at more than the beginning."""
    return [Healing(pod.name, pod.uid, cause, died=0.0, marked=True) for pod in pods]
