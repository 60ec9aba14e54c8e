"""The one watch of a sale: waiting on it, sending observers, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from flashsale.base.errors import ClusterUnreachableError, NoSaleError
from flashsale.sale.observe.monitor import ATTEMPTS, SaleMonitor
from flashsale.sale.observe.observations import (
    Mark,
    Observation,
    PodSeen,
    ReplicaSetSeen,
    StreamSeen,
    Synced,
)
from flashsale.sale.observe.state import SaleState, Update
from tests.sale.api_objects import pod_object, replicaset_object

LIMIT = 10.0  # seconds that anything here may take on a busy machine


class News:
    """Observations that a test sends when it likes."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Observation] = asyncio.Queue()

    def send(self, *observations: Observation) -> None:
        for observation in observations:
            self._queue.put_nowait(observation)

    async def __aiter__(self) -> AsyncGenerator[Observation]:
        while True:
            yield await self._queue.get()


def pods(*names: str) -> list[Observation]:
    """Ready pods, as they are listed."""
    return [PodSeen.from_object(pod_object(name, ready=True), "listed", 1.0) for name in names]


def replicaset() -> ReplicaSetSeen:
    return ReplicaSetSeen.from_object(replicaset_object(), "listed", 1.0)


def three_ready(state: SaleState) -> bool:
    return state.ready == 3


async def test_waiting_ends_when_the_condition_holds() -> None:
    """With the news that makes it true, and what is known then."""
    news = News()
    async with SaleMonitor(news.__aiter__()) as monitor:
        waiting = asyncio.create_task(monitor.until(three_ready, LIMIT))
        news.send(replicaset(), *pods("a", "b"), Synced(1.0))
        await monitor.until(lambda state: state.synced, LIMIT)
        assert not waiting.done()
        news.send(PodSeen.from_object(pod_object("c", ready=True), "added", 2.0))
        assert (await waiting).count == 3


async def test_nothing_holds_before_it_is_known_what_there_is() -> None:
    """Half a list would be a lie."""
    news = News()
    async with SaleMonitor(news.__aiter__()) as monitor:
        news.send(replicaset(), *pods("a", "b", "c"))
        with pytest.raises(TimeoutError):
            await monitor.until(three_ready, 0.1)
        news.send(Synced(1.0))
        await monitor.until(three_ready, LIMIT)


async def test_every_observer_is_told_of_everything_in_its_order() -> None:
    """Observations of one's own, such as an accepted kill, are told like any other."""
    news, seen = News(), list[Update]()
    async with SaleMonitor(news.__aiter__(), seen.append) as monitor:
        news.send(replicaset(), *pods("a"), Synced(1.0))
        await monitor.until_synced()
        monitor.add(Mark(2.0, "a"))
    kinds = [type(one.observation) for one in seen]
    assert kinds == [ReplicaSetSeen, PodSeen, Synced, Mark]
    assert "a" in seen[-1].state.marks


@pytest.mark.parametrize("patient", [False, True])
async def test_a_cluster_that_stopped_answering_ends_it_unless_somebody_only_looks(
    patient: bool,
) -> None:
    """After some failed tries; `watch` goes on trying."""
    news = News()
    async with SaleMonitor(news.__aiter__(), needs_cluster=not patient) as monitor:
        news.send(replicaset(), *pods("a", "b", "c"), Synced(1.0))
        await monitor.until_synced()
        tries = [
            StreamSeen(2.0, "pods", "reconnecting", attempt, why="refused")
            for attempt in range(1, ATTEMPTS + 1)
        ]
        news.send(*tries, PodSeen.from_object(pod_object("d", ready=True), "added", 3.0))
        if patient:
            await monitor.until(lambda state: state.count == 4, LIMIT)
            return
        with pytest.raises(ClusterUnreachableError, match="refused"):
            await monitor.until_it_ends()


@pytest.mark.parametrize("needed", [True, False])
async def test_a_deleted_replicaset_ends_it_where_one_is_needed(needed: bool) -> None:
    """`down` deletes it itself, and waits for the pods."""
    news = News()
    async with SaleMonitor(news.__aiter__(), needs_replicaset=needed) as monitor:
        news.send(replicaset(), *pods("a"), Synced(1.0), ReplicaSetSeen(2.0, None))
        if not needed:
            await monitor.until(lambda state: state.replicaset is None, LIMIT)
            return
        with pytest.raises(NoSaleError, match="deleted the ReplicaSet"):
            await monitor.until_it_ends()


async def test_leaving_ends_the_watching() -> None:
    """No task is left behind, and the news are closed."""
    closed = asyncio.Event()

    async def news() -> AsyncGenerator[Observation]:
        try:
            yield replicaset()
            await asyncio.Event().wait()
        finally:
            closed.set()

    async with SaleMonitor(news()) as monitor:
        while monitor.state.replicaset is None:  # noqa: ASYNC110 - it is not known yet what there is
            await asyncio.sleep(0)
    assert closed.is_set()
