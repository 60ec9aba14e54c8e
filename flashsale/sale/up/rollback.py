"""An `up` that does not get as far as a sale leaves nothing half-done behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from flashsale.base.errors import FlashsaleError
from flashsale.clusters import availability
from flashsale.clusters.base import Cluster, Progress
from flashsale.clusters.select import SelectedCluster
from flashsale.kube import connect, paths


class Silent:
    """Progress of what nobody has to hear of."""

    def step(self, text: str) -> None:
        """Say nothing."""

    detail = note = step


@asynccontextmanager
async def nothing_half_done(choice: SelectedCluster, progress: Progress) -> AsyncIterator[None]:
    """Stop a cluster again that did not run before, when what follows fails or is ended.

    That is for a cluster that is there for the sale alone, and only until it holds a ReplicaSet:
    from then on there is a sale to go back to. The record is then what it was, too.
    """
    before = choice.store.read_if_usable()
    ours = choice.cluster.stops_with_sale and not await choice.cluster.running()
    done = False
    try:
        yield
        done = True
    finally:
        if ours and not done and await _bare(choice.cluster):
            await choice.cluster.stop(Silent())
            if before:
                choice.store.write(before)
            elif choice.store.read_if_usable():
                choice.store.forget()
            progress.note(
                f"Stopped {availability.describe(choice.record)} again:"
                " it was started for this alone."
            )


async def _bare(cluster: Cluster) -> bool:
    """Whether a cluster runs, and holds no ReplicaSet."""
    try:
        if not await cluster.running():
            return False
        async with connect(cluster.kubeconfig, cluster.context) as api:
            return not await api.list(paths.REPLICASETS)
    except FlashsaleError:
        return False
