"""The sale as it is now, as `kubectl get` would tell it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from flashsale.clusters.base import Kind
from flashsale.errors import FlashsaleError
from flashsale.exercise.sale import Sale
from flashsale.model import Pod, ReplicaSet, Service


@dataclass(frozen=True, slots=True)
class Status:
    """The ReplicaSet, the pods that its selector finds, the Service, and where all of it is."""

    kind: Kind
    context: str
    namespace: str
    url: str  # empty where no address works from here by itself
    replicaset: ReplicaSet
    service: Service
    pods: tuple[Pod, ...]  # by name
    way: str = ""  # without a URL: why, and what to type instead

    def as_json(self, now: float) -> dict[str, Any]:
        """Write it as `status -o json` does; ``now`` is unix seconds."""
        return {
            "cluster": {"kind": self.kind, "context": self.context},
            "namespace": self.namespace,
            "url": self.url,
            "replicaset": {
                "name": self.replicaset.name,
                "desired": self.replicaset.desired,
                "current": self.replicaset.current,
                "ready": self.replicaset.ready,
            },
            "service": {
                "name": self.service.name,
                "type": self.service.type,
                "cluster_ip": self.service.cluster_ip,
                "node_port": self.service.node_port,
            },
            "pods": [pod_json(pod, now) for pod in self.pods],
        }


def pod_json(pod: Pod, now: float) -> dict[str, Any]:
    """Write one pod as `status -o json` does; ``now`` is unix seconds."""
    return {
        "name": pod.name,
        "ready": pod.ready,
        "status": pod.status,
        "restarts": pod.restarts,
        "age_seconds": max(0, int(now - pod.created)),
        "ip": pod.ip,
        "node": pod.node,
    }


async def status(sale: Sale) -> Status:
    """Fetch everything about the sale.

    Raises:
        NoSaleError: the ReplicaSet or the Service is not there.
    """
    replicaset = await sale.replicaset()
    service, pods = await asyncio.gather(sale.service(), sale.pods(replicaset))
    try:
        url, way = await sale.cluster.address(service), ""
    except FlashsaleError as error:
        url, way = "", f"{error}\n{error.hint}"
    return Status(
        kind=sale.cluster.kind,
        context=sale.cluster.context,
        namespace=sale.namespace,
        url=url,
        replicaset=ReplicaSet.from_object(replicaset),
        service=service,
        pods=tuple(sorted(map(Pod.from_object, pods), key=lambda pod: pod.name)),
        way=way,
    )


@asynccontextmanager
async def way_in(sale: Sale, *, hold: bool) -> AsyncIterator[str]:
    """Give the sale's URL to a view that can do without; empty where there is none.

    Args:
        hold: open a tunnel where it takes one.
    """
    async with AsyncExitStack() as stack:
        try:
            service = await sale.service()
            reach = (
                sale.cluster.reach(service)
                if hold
                else nullcontext(await sale.cluster.address(service))
            )
            url = await stack.enter_async_context(reach)
        except FlashsaleError:
            url = ""
        yield url
