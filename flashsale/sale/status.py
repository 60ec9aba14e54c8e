"""The sale as it is now, as `kubectl get` would tell it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from flashsale.base.errors import FlashsaleError, NoSaleError
from flashsale.clusters.base import ClusterKind
from flashsale.clusters.state.sale_record import REPLICASET
from flashsale.kube.paths import REPLICASETS
from flashsale.kube.transport.transport import PROGRAM
from flashsale.objects.fields import section, sections
from flashsale.objects.models import Object, Pod, ReplicaSet, Service
from flashsale.objects.nodes import Node
from flashsale.sale.ready.endpoint_check import endpoint_trouble
from flashsale.sale.sale_nodes import read_nodes
from flashsale.sale.session import Sale
from flashsale.sale.url import find_url

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SaleStatus:
    """The ReplicaSet, the pods that its selector finds, the Service, and where all of it is."""

    kind: ClusterKind
    context: str
    namespace: str
    url: str  # empty where no address works from here by itself
    replicaset: ReplicaSet
    service: Service | None  # None if somebody deleted it
    pods: tuple[Pod, ...]  # by name
    no_url: str = ""  # without a URL: why, and what to type instead
    trouble: str = ""  # why no buyer gets in, if that is so: one line
    nodes: tuple[Node, ...] = ()  # where they were asked for
    node_times: str = ""  # how fast a lost node is given up, where that is not Kubernetes' way

    def as_json(self, now: float) -> dict[str, Any]:
        """Write it as `status -o json` does; ``now`` is unix seconds."""
        return {
            "cluster": {"kind": self.kind, "context": self.context},
            "namespace": self.namespace,
            "url": self.url,
            "replicaset": replicaset_json(self.replicaset),
            "service": service_json(self.service) if self.service else None,
            "pods": [pod_json(pod, now) for pod in self.pods],
        }


async def with_nodes(sale: Sale, status: SaleStatus) -> SaleStatus:
    """Add the nodes, where this account may list them."""
    try:
        nodes = await read_nodes(sale.api)
        timing = await sale.cluster.node_timing(sale.api)
    except FlashsaleError as error:
        LOG.info("the nodes are not shown: %s", error)
        return status
    return replace(status, nodes=tuple(nodes), node_times=timing.describe())


def replicaset_json(replicaset: ReplicaSet) -> dict[str, Any]:
    return {
        "name": replicaset.name,
        "desired": replicaset.desired,
        "current": replicaset.current,
        "ready": replicaset.ready,
    }


def service_json(service: Service) -> dict[str, Any]:
    return {
        "name": service.name,
        "type": service.type,
        "cluster_ip": service.cluster_ip,
        "node_port": service.node_port,
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


async def status(sale: Sale) -> SaleStatus:
    """Fetch everything about the sale; NoSaleError if the ReplicaSet is not there."""
    replicaset = await sale.replicaset()
    service, own_pods = await asyncio.gather(_service(sale), sale.pods(replicaset))
    pods = tuple(sorted(own_pods, key=lambda pod: pod.name))
    url, no_url = "", ""
    missing = f"The Service {sale.service_name} is missing"
    trouble = f"{missing}, so no buyer gets in. flashsale up makes it again."
    if service:
        url, no_url = await find_url(sale, service)
        trouble = await endpoint_trouble(sale, service, url, pods)
    return SaleStatus(
        kind=sale.cluster.kind,
        context=sale.cluster.context,
        namespace=sale.namespace,
        url=url,
        replicaset=ReplicaSet.from_object(replicaset),
        service=service,
        pods=pods,
        no_url=no_url,
        trouble=trouble,
    )


@dataclass(frozen=True, slots=True)
class SaleInNamespace:
    kind: ClusterKind
    context: str
    namespace: str
    replicaset: ReplicaSet

    def as_json(self) -> dict[str, Any]:
        """Write it as an item of `status -A -o json`."""
        return {
            "cluster": {"kind": self.kind, "context": self.context},
            "namespace": self.namespace,
            "replicaset": replicaset_json(self.replicaset),
        }


async def all_sales(sale: Sale) -> list[SaleInNamespace]:
    """List the ReplicaSets of all namespaces that `up` made, whatever they are called.

    The server notes who wrote an object. Those of others count if they are called as this sale's
    is, or as the exercise's usually is.

    Raises:
        NoSaleError: there is none.
    """
    kind, context, names = sale.cluster.kind, sale.cluster.context, {sale.name, REPLICASET}
    sales = [
        SaleInNamespace(kind, context, obj["metadata"]["namespace"], ReplicaSet.from_object(obj))
        for obj in await sale.api.list(REPLICASETS)
        if is_sale(obj, names)
    ]
    if not sales:
        raise NoSaleError(f"No sale is open on '{context}'.", hint="flashsale up")
    return sorted(sales, key=lambda found: (found.namespace, found.replicaset.name))


def is_sale(replicaset: Object, names: Collection[str]) -> bool:
    """Whether a ReplicaSet is a sale's: by its name, or by who gave it its selector."""
    metadata = replicaset["metadata"]
    return metadata["name"] in names or any(
        entry.get("manager") == PROGRAM and "f:selector" in section(entry, "fieldsV1", "f:spec")
        for entry in sections(metadata, "managedFields")
    )


async def _service(sale: Sale) -> Service | None:
    try:
        return await sale.service()
    except NoSaleError:
        return None
