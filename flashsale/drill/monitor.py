"""The drill's eye: follows the sale, keeps its history, and lets others wait for what they need."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from flashsale.base.errors import ClusterUnreachableError, NoSaleError
from flashsale.drill.history import History, healing_key
from flashsale.objects.models import Pod
from flashsale.sale.observe.healing_fold import step
from flashsale.sale.observe.observations import Observation, StreamSeen, Synced
from flashsale.sale.observe.state import Happening, Healing, SaleState
from flashsale.sale.observe.stream import follow
from flashsale.sale.ready.conditions import ATTEMPTS
from flashsale.sale.session import Sale

PATIENCE = 30.0  # seconds for the first sight of everything

Told = Callable[[Happening], None]
Seen = Callable[[Observation], None]


class SaleMonitor:
    """What is known of the sale now. One task runs :meth:`watch`; others wait on it."""

    def __init__(self, sale: Sale, told: Told, seen: Seen) -> None:
        self.state = SaleState()
        self.history = History()
        self.synced = False
        self._sale = sale
        self._told, self._seen = told, seen
        self._news = asyncio.Condition()

    async def watch(self) -> None:
        """Follow the sale until cancelled.

        Raises:
            ClusterUnreachableError: the API server stopped answering.
            NoSaleError: the ReplicaSet is gone.
        """
        sale = self._sale
        seen = follow(sale.api, sale.namespace, sale.name, sale.service_name)
        async with aclosing(seen) as observations:
            async for observation in observations:
                if isinstance(observation, StreamSeen) and observation.attempt >= ATTEMPTS:
                    raise ClusterUnreachableError(observation.why, hint=sale.cluster.start_hint)
                self.take(observation)
                if self.synced and self.state.replicaset is None:
                    raise NoSaleError("The ReplicaSet was deleted.", hint="flashsale up")
                async with self._news:
                    self._news.notify_all()

    async def open(self) -> None:
        """Return once everything that was there has been told.

        Raises:
            ClusterUnreachableError: the API server answers, but does not let us watch.
        """
        try:
            await self.until(lambda: self.synced, PATIENCE)
        except TimeoutError:
            raise ClusterUnreachableError(
                f"The cluster did not show the sale within {PATIENCE:g} s.",
                hint=self._sale.cluster.start_hint,
            ) from None

    def take(self, observation: Observation) -> None:
        """Work one observation in."""
        self.synced = self.synced or isinstance(observation, Synced)
        self.state, happened = step(self.state, observation)
        self.history.add(observation, self.state, happened)
        self._seen(observation)
        if self.synced:
            for one in happened:
                self._told(one)

    async def until(self, holds: Callable[[], bool], timeout: float) -> None:
        """Return once a condition holds; asked anew after every observation.

        Raises:
            TimeoutError: it did not within so many seconds.
        """
        async with asyncio.timeout(timeout), self._news:
            await self._news.wait_for(holds)

    @property
    def pods(self) -> list[Pod]:
        """All pods in sight, the terminating ones too."""
        return [seen.pod for seen in self.state.pods.values()]

    @property
    def leaving(self) -> bool:
        """Whether some pod of the ReplicaSet is on its way out."""
        found = self.state.replicaset
        return any(found and pod.owner_uid == found.uid and pod.terminating for pod in self.pods)

    @property
    def whole(self) -> bool:
        """Whether as many pods as wanted are ready, and no other is left."""
        return self.state.count == self.state.ready == self.state.desired and not self.leaving

    def over(self, uid: str, since: float) -> bool:
        """Whether a killed pod's story has ended: healed and gone, or not to be replaced."""
        told = [
            one
            for one in self.history.healings.values()
            if one.victim_uid == uid and one.died >= since
        ]
        return bool(told) and all(
            one.whole or healing_key(one) in self.history.not_replaced for one in told
        )

    def last_healing(self) -> Healing | None:
        """The newest death that needed a replacement."""
        return max(self.history.healed, key=lambda one: one.died, default=None)
