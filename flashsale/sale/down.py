"""Closing the sale: its ReplicaSet, its Service and its pods, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from typing import Any

from flashsale.base.errors import NoSaleError, NotReadyError
from flashsale.clusters.availability import exists
from flashsale.clusters.base import Progress
from flashsale.clusters.select import SelectedCluster
from flashsale.kube import NotFoundError, paths
from flashsale.sale.observe.monitor import SaleMonitor
from flashsale.sale.ready.conditions import none_left
from flashsale.sale.sale_nodes import stopped_nodes
from flashsale.sale.session import Sale, connect_to_cluster
from flashsale.sale.up import renamed

SPARE_SECONDS = 30.0  # beyond the pods' grace period, after which waiting for them makes no sense


@dataclass(frozen=True, slots=True)
class DownResult:
    removed: tuple[str, ...]  # as kubectl prints them: `service/flashsale-svc`
    stopped: bool  # the cluster, too
    seconds: float
    kept: bool = False  # the sale is still in the cluster, which was stopped already

    def as_json(self) -> dict[str, Any]:
        """Write it as `down -o json` does."""
        return {
            "removed": list(self.removed),
            "stopped": self.stopped,
            "kept": self.kept,
            "seconds": round(self.seconds, 3),
        }


async def close(
    choice: SelectedCluster, namespace: str | None, progress: Progress, *, stop: bool
) -> DownResult:
    """Remove the sale and wait until it is gone.

    Args:
        stop: stop the cluster, too, even where it is there for more than the sale.

    Raises:
        NoSaleError: nothing of a sale is there, and no cluster of ours runs; or the sale is in
            another namespace, and the cluster goes on.
        NotReadyError: pods were still there long after their grace period.
    """
    began, cluster = time.monotonic(), choice.cluster
    stopping = stop or cluster.stops_with_sale
    dead = stopping and not await cluster.running()
    if dead and cluster.can_be_started and not cluster.stops_with_sale:
        # Starting it, only to remove the sale, would take minutes; it may be gone altogether.
        stopped = await cluster.stop(progress)
        if not (there := await exists(choice.record)):
            _forget(choice)
        known = choice.store.read_if_usable() is not None and choice.store.may_replace(
            choice.record
        )
        return DownResult((), stopped, time.monotonic() - began, there and known)
    if cluster.stops_with_sale:
        await cluster.start(progress)  # its objects outlive it, and are to go; or it is stuck
    async with connect_to_cluster(choice, choice.record, namespace) as sale:
        progress.step("Removing the ReplicaSet, the Service and the pods")
        removed = await delete_sale(sale, at_once=dead)
        if sale.namespace == choice.record.namespace:
            removed += await _remove_former(sale, choice.record.former_names, at_once=dead)
        missing = sale.missing()
        missing.hint = sale.kubectl("get replicasets --all-namespaces")
        another = await _another(sale, choice.record.namespace)
    if another and not removed:
        raise NoSaleError(
            f"The sale is in the namespace {another}, not in {sale.namespace}.",
            hint=f"flashsale down -n {another}",
        )
    if another and not stop:
        _go_on(choice, sale.namespace, another, progress)
        return DownResult(tuple(removed), False, time.monotonic() - began)
    stopped = stopping and await cluster.stop(progress)
    if not another:
        _forget(choice)
    if not removed and not stopped:
        raise missing
    return DownResult(tuple(removed), stopped, time.monotonic() - began)


def _go_on(choice: SelectedCluster, closed: str, another: str, progress: Progress) -> None:
    """Say for which sale the cluster goes on, and let the next commands find that one."""
    progress.note(
        f"The cluster goes on: there is a sale in the namespace {another};"
        f" to close it: flashsale down -n {another}"
    )
    if closed == choice.record.namespace and choice.store.may_replace(choice.record):
        choice.store.write(replace(choice.record, namespace=another, former_names=()))


async def _another(sale: Sale, recorded: str) -> str:
    """Name a namespace in which a sale is still open: no cluster is stopped under it.

    That is the recorded one, or on a cluster of our own any with such a ReplicaSet.
    """
    if recorded != sale.namespace and await _open(replace(sale, namespace=recorded)):
        return recorded
    if not sale.cluster.stops_with_sale:
        return ""
    replicasets = [replicaset["metadata"] for replicaset in await sale.api.list(paths.REPLICASETS)]
    others = (metadata["namespace"] for metadata in replicasets if metadata["name"] == sale.name)
    return next((namespace for namespace in others if namespace != sale.namespace), "")


async def _open(sale: Sale) -> bool:
    try:
        await sale.replicaset()
    except NoSaleError:
        return False
    return True


async def delete_sale(sale: Sale, *, at_once: bool) -> list[str]:
    """Delete ReplicaSet and Service, wait until the pods are gone, and name what was deleted.

    Args:
        at_once: pods get no grace period. Those of a cluster that was dead have no buyers, and
            pods that are just starting may miss SIGTERM, and then stay for their whole grace.

    Raises:
        NotReadyError: pods are still there long after their grace period.
    """
    removed = []
    try:
        replicaset = await sale.replicaset()
    except NoSaleError:
        replicaset = None
    async with AsyncExitStack() as stack:
        monitor = SaleMonitor.of(sale, needs_replicaset=False)
        if replicaset:
            await stack.enter_async_context(monitor)
            await monitor.until_synced()
            with suppress(NotFoundError):
                await sale.api.delete(sale.replicaset_path, {"propagationPolicy": "Background"})
                removed.append(f"replicaset.apps/{sale.name}")
        with suppress(NotFoundError):
            await sale.api.delete(paths.services(sale.namespace, sale.service_name))
            removed.append(f"service/{sale.service_name}")
        if replicaset:
            uid = replicaset["metadata"]["uid"]
            stopped = await stopped_nodes(sale)
            if at_once or stopped:
                await _delete_at_once(monitor, uid, None if at_once else stopped)
            grace = replicaset["spec"]["template"]["spec"].get("terminationGracePeriodSeconds", 30)
            await _wait_until_gone(monitor, uid, grace + SPARE_SECONDS)
    return removed


async def _remove_former(sale: Sale, names: Sequence[str], *, at_once: bool) -> list[str]:
    """Delete what earlier manifests called otherwise, and wait for its pods, too."""
    removed = []
    for earlier in renamed.earlier_sales(sale, names):
        removed += await delete_sale(earlier, at_once=at_once)
    return removed + await renamed.delete_former(sale, names)


async def _delete_at_once(
    monitor: SaleMonitor, replicaset_uid: str, nodes: Collection[str] | None
) -> None:
    """Delete pods without a grace period: those of some nodes, where nobody ends them, or all."""
    for seen in list(monitor.state.pods.values()):
        there = nodes is None or seen.pod.node in nodes
        if seen.pod.owner_uid == replicaset_uid and there:
            path = paths.pods(monitor.sale.namespace, seen.pod.name)
            with suppress(NotFoundError):
                await monitor.sale.api.delete(path, {"gracePeriodSeconds": 0})


async def _wait_until_gone(monitor: SaleMonitor, replicaset_uid: str, timeout: float) -> None:
    try:
        await monitor.until(none_left(replicaset_uid), timeout)
    except TimeoutError:
        sale = monitor.sale
        raise NotReadyError(
            f"Some pods are still there {timeout:g} s after their deletion.",
            hint=sale.kubectl(f"get pods -n {sale.namespace}"),
        ) from None


def _forget(choice: SelectedCluster) -> None:
    """Drop the record if it is about this cluster; `down` may name another."""
    if choice.store.may_replace(choice.record):
        choice.store.forget()
