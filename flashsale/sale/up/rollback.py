"""What a failed `up` has begun is undone: a cluster that it started, a namespace that it made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from flashsale.base.errors import BadInputError, FlashsaleError
from flashsale.clusters.base import Cluster, Progress, SilentProgress
from flashsale.clusters.select import SelectedCluster
from flashsale.kube import NotFoundError, connect, paths
from flashsale.kube.response_errors import ConflictError
from flashsale.sale.session import Sale

NAMESPACES = "/api/v1/namespaces"


@asynccontextmanager
async def stop_cluster_on_failure(
    choice: SelectedCluster, progress: Progress
) -> AsyncIterator[None]:
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
        if ours and not done and await _holds_nothing(choice.cluster):
            await choice.cluster.stop(SilentProgress())
            if before:
                choice.store.write(before)
            elif choice.store.read_if_usable():
                choice.store.forget()
            progress.note(
                f"Stopped {choice.cluster.describe()} again: it was started for this alone."
            )


async def _holds_nothing(cluster: Cluster) -> bool:
    """Whether a cluster runs, and holds no ReplicaSet."""
    try:
        if not await cluster.running():
            return False
        async with connect(cluster.kubeconfig, cluster.context) as api:
            return not await api.list(paths.REPLICASETS)
    except FlashsaleError:
        return False


@asynccontextmanager
async def ensure_namespace(sale: Sale, progress: Progress) -> AsyncIterator[None]:
    """Make the namespace on a cluster that is there for the sale alone; if what follows fails,
    delete it again.

    Raises:
        BadInputError: the name is not possible, or another cluster has no such namespace.
    """
    made = sale.cluster.stops_with_sale and await _make_namespace(sale)
    kept = False
    try:
        yield
        kept = True
    except NotFoundError as error:
        raise BadInputError(
            f"The cluster '{sale.cluster.context}' has no namespace '{sale.namespace}'.",
            hint=sale.kubectl(f"create namespace {sale.namespace}"),
        ) from error
    finally:
        if made and not kept:
            await sale.api.delete(f"{NAMESPACES}/{sale.namespace}")
    if made:
        progress.note(f"namespace/{sale.namespace} created")


async def _make_namespace(sale: Sale) -> bool:
    """Make the namespace, unless it is there."""
    wanted = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": sale.namespace}}
    try:
        await sale.api.create(NAMESPACES, wanted)
    except ConflictError:
        return False
    return True
