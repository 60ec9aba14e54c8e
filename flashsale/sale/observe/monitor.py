"""The one watch of a sale: what it is now, who waits for what, and who is notified of changes.

`up`, `scale`, `kill-pod`, `down`, `drill` and `watch` all look through it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from flashsale.base.aio import end_tasks
from flashsale.base.errors import ClusterUnreachableError, FlashsaleError, NoSaleError
from flashsale.kube.watch_types import Stream
from flashsale.sale.observe.healing_tracker import step
from flashsale.sale.observe.observations import Observation, ReplicaSetSeen, StreamSeen
from flashsale.sale.observe.state import Condition, Observer, SaleState, Update
from flashsale.sale.observe.stream import observe_replicaset
from flashsale.sale.session import Sale

log = logging.getLogger(__name__)

ATTEMPTS = 5  # failed tries in a row, with growing pauses, before the cluster counts as gone
FIRST_LOOK = 30.0  # seconds for the first list of everything


class SaleMonitor:
    """Watches a sale from entering the context until leaving it.

    One task folds what is observed into ``state`` and tells every observer; whoever needs
    something of the sale waits for it with :meth:`until`.
    """

    def __init__(
        self,
        observations: AsyncIterator[Observation],
        *observers: Observer,
        sale: Sale | None = None,
        state: SaleState | None = None,
        needs_cluster: bool = True,
        needs_replicaset: bool = True,
    ) -> None:
        """Take the news from anywhere; :meth:`of` takes them from a sale.

        Args:
            observers: called with every update, in the order of arrival; each returns quickly.
            sale: for the errors that say what is gone.
            needs_cluster: end when the cluster stopped answering; else try for ever.
            needs_replicaset: end when there is no ReplicaSet.
        """
        self.state = state or SaleState()
        self._observations = observations
        self._observers = list(observers)
        self._sale = sale
        self._needs_cluster, self._needs_replicaset = needs_cluster, needs_replicaset
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @classmethod
    def of(
        cls,
        sale: Sale,
        *observers: Observer,
        needs_cluster: bool = True,
        needs_replicaset: bool = True,
        nodes: bool = False,
    ) -> SaleMonitor:
        """Monitor a sale; nothing is asked of its cluster before the context is entered.

        Args:
            nodes: know the cluster's nodes as well, where this user may read them.
        """
        observations = observe_replicaset(
            sale.api, sale.namespace, sale.name, sale.service_name, nodes=nodes
        )
        return cls(
            observations,
            *observers,
            sale=sale,
            needs_cluster=needs_cluster,
            needs_replicaset=needs_replicaset,
        )

    @property
    def sale(self) -> Sale:
        assert self._sale is not None
        return self._sale

    async def __aenter__(self) -> SaleMonitor:
        self._task = asyncio.create_task(self._watch(), name="monitor the sale")
        self._task.add_done_callback(lambda _: self._wake())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        await end_tasks(self._task)

    def add_observer(self, observer: Observer) -> None:
        """Tell one more observer of every update from now on."""
        self._observers.append(observer)

    def add(self, observation: Observation) -> None:
        """Work in an observation of one's own: a kill that was accepted, a new number of pods."""
        self.state, happenings = step(self.state, observation)
        update = Update(observation, self.state, happenings)
        for observer in self._observers:
            observer(update)
        self._wake()

    async def until(self, holds: Condition, timeout: float | None = None) -> SaleState:
        """Return what is known once it is known what there is, and a condition holds.

        Args:
            timeout: patience in seconds, counted from the call; None waits for ever.

        Raises:
            TimeoutError: the patience is over.
            NoSaleError: there is no ReplicaSet, or somebody deleted it.
            ClusterUnreachableError: the API server stopped answering.
            UnauthorizedError, ForbiddenError: it does not let this user watch.
        """
        async with asyncio.timeout(timeout):
            while not (self.state.known and holds(self.state)):
                change = self._news
                if self._task is None or self._task.done():
                    await self._raise_end()
                await change.wait()
        return self.state

    async def until_synced(self) -> SaleState:
        """Return once everything is known; ClusterUnreachableError if that is not shown in time."""
        try:
            return await self.until(lambda _: True, FIRST_LOOK)
        except TimeoutError:
            raise ClusterUnreachableError(
                f"The cluster did not show the sale within {FIRST_LOOK:g} s.",
                hint=self._sale.cluster.start_hint if self._sale else "",
            ) from None

    async def until_it_ends(self) -> None:
        """Wait until the watching ends, and raise what ended it; that may be never."""
        await self.until(lambda _: False)

    async def _raise_end(self) -> None:
        if self._task is not None and not self._task.cancelled():
            self._task.result()
        raise FlashsaleError("The sale is not watched any more.", hint="flashsale status")

    async def _watch(self) -> None:
        observations: Any = self._observations
        async with aclosing(observations):
            async for observation in observations:
                if isinstance(observation, StreamSeen):
                    log.debug("stream %s is %s", observation.source, observation.state)
                    if self._needs_cluster:
                        raise_if_lost(self._sale, observation)
                had_one = self.state.replicaset is not None
                self.add(observation)
                match observation:
                    case ReplicaSetSeen(replicaset=None) if self._needs_replicaset:
                        raise self._deleted_error(had_one=had_one)

    def _deleted_error(self, *, had_one: bool) -> NoSaleError:
        if self._sale and not had_one:
            return self._sale.missing()
        name = f" {self._sale.name}" if self._sale else ""
        return NoSaleError(f"Somebody deleted the ReplicaSet{name}.", hint="flashsale up")

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def raise_if_lost(sale: Sale | None, stream: Stream | StreamSeen) -> None:
    """Raise ClusterUnreachableError once a stream has failed too often in a row."""
    if stream.state != "reconnecting" or stream.attempt < ATTEMPTS:
        return
    where = f"'{sale.cluster.context}'" if sale else "of the sale"
    raise ClusterUnreachableError(
        stream.why or f"The cluster {where} stopped answering.",
        hint=sale.cluster.start_hint if sale else "",
    )
