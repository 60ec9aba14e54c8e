"""Killing pods and following what Kubernetes does about it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from flashsale.base.errors import ClusterUnreachableError, FlashsaleError
from flashsale.kube import NotFoundError, paths
from flashsale.objects.models import Pod
from flashsale.sale.kill.kill_method import KillMethod
from flashsale.sale.observe.healing_fold import step
from flashsale.sale.observe.observations import Mark, Observation, StreamSeen, Synced
from flashsale.sale.observe.page import DELETED_TOO, DIED_TOO
from flashsale.sale.observe.state import Closed, Happening, Healing, NotReplaced, SaleState
from flashsale.sale.observe.stream import follow
from flashsale.sale.ready.conditions import ATTEMPTS
from flashsale.sale.ready.readiness import explained
from flashsale.sale.session import Sale

LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class PendingHealings:
    """Whose stories have to end: the victims', and those of replacements that died as well."""

    open: set[str]  # uids
    ended: dict[str, Healing] = field(default_factory=dict)

    @property
    def all_told(self) -> bool:
        """Whether nothing is left to wait for."""
        return not self.open

    def take(self, happening: Happening) -> None:
        """Note the end of a story that is waited for, and whose story goes on in its place."""
        match happening:
            case NotReplaced(why=why) if why == DELETED_TOO:
                return  # killed in place, then deleted: that is told next, of the same pod
            case Closed(healing=healing) | NotReplaced(healing=healing):
                if healing.victim_uid not in self.open:
                    return
            case _:
                return
        self.open.remove(healing.victim_uid)
        self.ended[healing.victim_uid] = healing
        if isinstance(happening, NotReplaced) and happening.why == DIED_TOO:
            self.open.add(healing.replacement_uid or "")


async def kill_pods(
    sale: Sale, pods: Sequence[Pod], blow: KillMethod, clock: Callable[[], float]
) -> list[Mark]:
    """Kill pods, all at once, and note when each blow was accepted."""

    async def one(pod: Pod) -> Mark:
        LOG.info("killing %s in %s: %s", pod.name, sale.namespace, blow)
        if blow.process:
            await sale.cluster.crash(sale.api, sale.namespace, pod)
            return Mark(clock(), pod.name, "crashed")
        options = {"preconditions": {"uid": pod.uid}}  # never a namesake that came meanwhile
        grace = {} if blow.grace is None else {"gracePeriodSeconds": blow.grace}
        try:
            await sale.api.delete(paths.pods(sale.namespace, pod.name), {**options, **grace})
        except NotFoundError as error:
            raise FlashsaleError(
                f"The pod '{pod.name}' was gone before it could be killed.",
                hint="flashsale kill-pod",
            ) from error
        return Mark(clock(), pod.name)

    return list(await asyncio.gather(*map(one, pods)))


async def kill(
    sale: Sale,
    pods: Sequence[Pod],
    blow: KillMethod,
    *,
    timeout: float,
    tell: Callable[[Happening], None],
    see: Callable[[Observation], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> list[Healing]:
    """Kill pods and follow each until its replacement is ready and it is gone itself.

    Returns one healing for each pod, in their order.

    Args:
        see: called with everything that is observed meanwhile, for a live view.

    Raises:
        NotReadyError: the ReplicaSet was not whole again within ``timeout`` seconds.
    """
    try:
        async with asyncio.timeout(timeout):
            done = await _followed(sale, pods, blow, tell, see or _ignored, clock)
    except TimeoutError:
        count = int((await sale.replicaset())["spec"].get("replicas", 1))
        raise await explained(sale, count, f"{timeout:g} s after the kill") from None
    return [done[pod.uid] for pod in pods]


async def _followed(
    sale: Sale,
    pods: Sequence[Pod],
    blow: KillMethod,
    tell: Callable[[Happening], None],
    see: Callable[[Observation], None],
    clock: Callable[[], float],
) -> dict[str, Healing]:
    """Strike once everything is in sight, and fold what is seen until each victim's story ends."""
    state, awaited = SaleState(), PendingHealings({pod.uid for pod in pods})
    seen = follow(sale.api, sale.namespace, sale.name, sale.service_name)
    async with aclosing(seen) as observations:
        async for observation in observations:
            if isinstance(observation, StreamSeen) and observation.attempt >= ATTEMPTS:
                raise ClusterUnreachableError(observation.why, hint=sale.cluster.start_hint)
            see(observation)
            state, happened = step(state, observation)
            if isinstance(observation, Synced):
                for mark in await kill_pods(sale, pods, blow, clock):
                    see(mark)
                    state, more = step(state, mark)
                    happened += more
            for one in happened:
                tell(one)
                awaited.take(one)
            if awaited.all_told:
                break
    return awaited.ended


def _ignored(observation: Observation) -> None:
    """Nobody looks."""


def unfollowed(pods: Sequence[Pod], marks: Sequence[Mark]) -> list[Healing]:
    """Write healings of which only the beginning is known, for those who do not wait."""
    return [
        Healing(pod.name, pod.uid, mark.cause, mark.at, marked=True)
        for pod, mark in zip(pods, marks, strict=True)
    ]
