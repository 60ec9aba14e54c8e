"""A sale within reach: the cluster it is on, a connection, and what its objects are called."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from flashsale.base.errors import ClusterUnreachableError, FlashsaleError, NoSaleError
from flashsale.clusters.base import Cluster
from flashsale.clusters.select import ClusterOptions, SelectedCluster, select_existing
from flashsale.clusters.state.sale_record import SaleRecord
from flashsale.kube import REFUSALS, Api, NoAnswerError, NotFoundError, paths
from flashsale.kube import connect as connect_to_api
from flashsale.kube.kubeconfig import kubectl
from flashsale.objects.models import Object, Pod, ReplicaSet, Service

LOG_LINES = 40  # the end of a log: enough for a traceback


@dataclass(frozen=True, slots=True)
class Sale:
    """Where an open sale is, and how to talk to it. Nothing says yet that it is still there."""

    cluster: Cluster
    api: Api
    namespace: str
    name: str  # of the ReplicaSet
    service_name: str

    @property
    def replicaset_path(self) -> str:
        return paths.replicasets(self.namespace, self.name)

    async def replicaset(self) -> Object:
        """Fetch its ReplicaSet; NoSaleError if there is none."""
        try:
            return await self.api.get(self.replicaset_path)
        except NotFoundError as error:
            raise self.missing() from error

    async def desired(self) -> int:
        """Ask how many pods its ReplicaSet is to keep; NoSaleError if there is none."""
        return ReplicaSet.from_object(await self.replicaset()).desired

    async def service(self) -> Service:
        """Fetch its Service; NoSaleError if there is none."""
        try:
            obj = await self.api.get(paths.services(self.namespace, self.service_name))
        except NotFoundError as error:
            raise NoSaleError(
                f"The sale has no Service {self.service_name} any more.", hint="flashsale up"
            ) from error
        return Service.from_object(obj)

    async def pods(self, replicaset: Object) -> list[Pod]:
        """Fetch the pods that its ReplicaSet selects, its own and others."""
        selector = ReplicaSet.from_object(replicaset).selector
        query = {"labelSelector": selector} if selector else None
        objects = await self.api.list(paths.pods(self.namespace), query)
        return [Pod.from_object(pod) for pod in objects]

    async def own_pods(self, replicaset: Object | None = None) -> list[Pod]:
        """Fetch the pods that its ReplicaSet controls; giving the ReplicaSet saves a request."""
        replicaset = replicaset or await self.replicaset()
        uid = replicaset["metadata"].get("uid", "")
        return [pod for pod in await self.pods(replicaset) if uid and pod.owner_uid == uid]

    async def last_log_lines(self, pod: Pod, container: str = "") -> str:
        """Fetch the end of a pod's log; of its last life, if this one said nothing."""
        path = paths.pods(self.namespace, pod.name, "log")
        container = container or pod.app_container.get("name", "")
        query = {"tailLines": LOG_LINES, "container": container}
        for previous in (False, True):
            try:
                text = await self.api.text(path, {**query, "previous": previous})
            except REFUSALS:
                continue  # it never started, or has only one life behind it
            if text.strip():
                return text
        return ""

    def kubectl(self, words: str) -> str:
        """Write a kubectl command that works as typed: no file of the user's has our cluster."""
        if self.cluster.stops_with_sale:
            return f"KUBECONFIG=$(flashsale kubeconfig) kubectl {words}"
        return kubectl(self.cluster.context, words)

    def missing(self) -> NoSaleError:
        """The error that there is no sale on a cluster that answers."""
        return NoSaleError(
            f"No sale is open on '{self.cluster.context}':"
            f" there is no ReplicaSet {self.name} in the namespace {self.namespace}.",
            hint="flashsale up",
        )


@asynccontextmanager
async def connect_to_sale(wanted: ClusterOptions, namespace: str | None) -> AsyncIterator[Sale]:
    """Connect to the sale that the options or the record mean, as `select_existing` does."""
    choice = await select_existing(wanted)
    async with connect_to_cluster(choice, choice.record, namespace) as sale:
        yield sale


@asynccontextmanager
async def connect_to_cluster(
    choice: SelectedCluster, record: SaleRecord, namespace: str | None
) -> AsyncIterator[Sale]:
    """Connect to a chosen cluster; where it does not answer, its own tool says why."""
    cluster = choice.cluster
    context, hint = cluster.context, cluster.start_hint
    try:
        async with connect_to_api(cluster.kubeconfig, context, start_hint=hint) as api:
            where = namespace or record.namespace
            yield Sale(cluster, api, where, record.replicaset, record.service)
    except NoAnswerError as error:
        raise await _explained(cluster, error) from error


async def _explained(cluster: Cluster, error: NoAnswerError) -> FlashsaleError:
    try:
        return await cluster.diagnosis() or error
    except ClusterUnreachableError:
        return error
