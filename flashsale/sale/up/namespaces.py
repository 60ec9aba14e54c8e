"""The sale's namespace: made where the cluster is there for the sale alone, asked for elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from flashsale.base.errors import BadInputError
from flashsale.clusters.base import Progress
from flashsale.kube import NotFoundError
from flashsale.kube.errors import ConflictError
from flashsale.sale.session import Sale

COLLECTION = "/api/v1/namespaces"


@asynccontextmanager
async def ensured(sale: Sale, progress: Progress) -> AsyncIterator[None]:
    """Make the namespace where it is ours to make; if what follows is refused, it goes again.

    Raises:
        BadInputError: it cannot be called so, or there is none and it is somebody else's to make.
    """
    made = sale.cluster.stops_with_sale and await _made(sale)
    kept = False
    try:
        yield
        kept = True
    except NotFoundError as error:
        raise BadInputError(
            f"The cluster '{sale.cluster.context}' has no namespace '{sale.namespace}'.",
            hint=f"kubectl --context {sale.cluster.context} create namespace {sale.namespace}",
        ) from error
    finally:
        if made and not kept:
            await sale.api.delete(f"{COLLECTION}/{sale.namespace}")
    if made:
        progress.note(f"namespace/{sale.namespace} created")


async def _made(sale: Sale) -> bool:
    """Make the namespace, unless it is there."""
    wanted = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": sale.namespace}}
    try:
        await sale.api.create(COLLECTION, wanted)
    except ConflictError:
        return False
    return True
