"""Reading what is there: one look at everything that the checks of a step ask for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from flashsale.base.errors import ClusterUnreachableError, NoSaleError
from flashsale.clusters.select import ClusterOptions, select_existing
from flashsale.clusters.state.directory import state_home
from flashsale.drill.past_drills import past_drills
from flashsale.kube import REFUSALS, NotFoundError, paths
from flashsale.learn.evidence import Purchase, from_api, purchases_of
from flashsale.learn.facts import Facts
from flashsale.objects.models import Object, Pod, Service
from flashsale.sale.observe.observations import EventSeen, SliceSeen
from flashsale.sale.ready.endpoint_check import ANSWER, EndpointAnswer, send_get
from flashsale.sale.session import Sale, connect_to_cluster
from flashsale.sale.url import find_url

LAST = "200"  # lines of a pod's log that are read


@dataclass(frozen=True, slots=True)
class LookOptions:
    wanted: ClusterOptions
    namespace: str | None


@asynccontextmanager
async def hold_sale(place: LookOptions) -> AsyncIterator[tuple[Sale, str]]:
    """Connect to the sale, as every command does; give it with the folder that it came from."""
    choice = await select_existing(place.wanted)
    try:
        async with connect_to_cluster(choice, choice.record, place.namespace) as sale:
            yield sale, choice.record.folder
    except ClusterUnreachableError as error:
        if choice.cluster.stops_with_sale and choice.store.read_if_usable() is None:
            raise NoSaleError("No sale is open here.", hint="flashsale up") from error
        raise


async def look_once(place: LookOptions, extras: Collection[str]) -> Facts:
    """Look at whatever is there: no sale is a fact, a silent cluster ClusterUnreachableError."""
    try:
        async with hold_sale(place) as (sale, folder):
            return await look(sale, folder, extras)
    except NoSaleError as error:
        return nothing_open(str(error))


def nothing_open(why: str) -> Facts:
    """What is there when no sale is."""
    return Facts("closed", why, drills=tuple(past_drills(state_home())))


async def look(sale: Sale, folder: str, extras: Collection[str] = ()) -> Facts:
    """Look at a sale; ClusterUnreachableError if its cluster does not answer."""
    where, here = sale.namespace, (sale.cluster.context, sale.namespace)
    labelled = {"labelSelector": f"kubernetes.io/service-name={sale.service_name}"}
    replicaset, service, pods, events, slices = await asyncio.gather(
        _get(sale, sale.replicaset_path),
        _get(sale, paths.services(where, sale.service_name)),
        sale.api.list(paths.pods(where)),
        _list(sale, paths.events(where)),
        _list(sale, paths.endpointslices(where), labelled),
    )
    now = time.monotonic()
    seen = tuple(Pod.from_object(pod) for pod in pods)
    happened = tuple(EventSeen.from_object(event, "listed", now) for event in events)
    routed = (SliceSeen.from_object(each, "listed", now).ready for each in slices)
    facts = Facts(
        state="open" if replicaset else "closed",
        why="" if replicaset else str(sale.missing()),
        place=f"{sale.cluster.context}/{where}",
        kubectl=sale.kubectl("").strip(),
        folder=folder,
        replicaset=replicaset,
        service=service,
        pods=seen,
        routed=frozenset().union(*routed),
        events=happened,
        drills=tuple(drill for drill in past_drills(state_home()) if drill.place == here),
        evidence=from_api(replicaset, seen, happened),
        extras=frozenset(extras),
    )
    return await _with_extras(sale, facts, extras)


async def _with_extras(sale: Sale, facts: Facts, extras: Collection[str]) -> Facts:
    if "purchases" in extras:
        logs = await asyncio.gather(*(_purchases(sale, pod) for pod in facts.own))
        bought = frozenset().union(*logs)
        facts = replace(facts, evidence=replace(facts.evidence, purchases=bought))
    if "answer" in extras and facts.service:
        answer = await _answer(sale, facts.service)
        facts = replace(facts, answered_by=answer.pod, no_answer=answer.trouble)
    return facts


async def _answer(sale: Sale, service: Object) -> EndpointAnswer:
    """Ask once as a buyer would."""
    url, why = await find_url(sale, Service.from_object(service))
    return await send_get(url, ANSWER) if url else EndpointAnswer(trouble=why.partition("\n")[0])


async def _purchases(sale: Sale, pod: Pod) -> frozenset[Purchase]:
    """Read what a pod logged; a pod that has no log yet has sold nothing."""
    path = paths.pods(sale.namespace, pod.name, "log")
    container = pod.app_container["name"]
    query = {"timestamps": "true", "tailLines": LAST, "container": container}
    try:
        return purchases_of(pod.name, await sale.api.text(path, query))
    except REFUSALS:
        return frozenset()


async def _get(sale: Sale, path: str) -> Object | None:
    try:
        obj = await sale.api.get(path)
    except NotFoundError:
        return None
    return None if obj["metadata"].get("deletionTimestamp") else obj


async def _list(sale: Sale, path: str, query: dict[str, str] | None = None) -> list[Object]:
    """List what this user may read; what he may not counts as empty."""
    try:
        return await sale.api.list(path, query)
    except REFUSALS:
        return []
