"""One ordered stream of all that can be seen of a sale, from five watches, or six.

While they are silent the API server is asked whether it is still there; what comes of that has the
source `server`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from typing import Any

from flashsale.base.aio import end_tasks
from flashsale.kube import Api, paths
from flashsale.kube.list_watch import PATIENCE, changes
from flashsale.kube.liveness import liveness
from flashsale.kube.response_errors import ForbiddenError
from flashsale.kube.watch_types import Change, Changed, Resynced, Stream, WatchTimeouts
from flashsale.objects.models import Object, ReplicaSet
from flashsale.sale.observe import observations as o

log = logging.getLogger(__name__)

SOURCES = ("replicasets", "pods", "services", "endpointslices", "events")
OPTIONAL = ("services", "endpointslices", "events", "nodes")  # some users may not read them
WORDS: dict[str, o.PodChange] = {"ADDED": "added", "MODIFIED": "changed", "DELETED": "gone"}
News = tuple[str, Change]  # a source and what it said


async def observe_replicaset(
    api: Api,
    namespace: str,
    replicaset: str,
    service: str,
    *,
    nodes: bool = False,
    patience: WatchTimeouts = PATIENCE,
) -> AsyncGenerator[o.Observation, None]:
    """Yield whatever is seen of one ReplicaSet and its Service; end only when cancelled.

    Wrap it in ``aclosing``. The ReplicaSet comes first: its selector says which pods to watch.
    ``Synced`` comes once, when everything that was there has been listed. While there is no such
    ReplicaSet, nothing else comes. Sources that this user may not read count as empty, but
    for the ReplicaSet and its pods.

    Args:
        nodes: watch the cluster's nodes as well.

    Raises:
        UnauthorizedError, ForbiddenError: as :func:`flashsale.kube.list_watch.changes` does.
    """
    news: asyncio.Queue[News | asyncio.Task[None]] = asyncio.Queue()
    tasks: list[asyncio.Task[None]] = []

    def watch(source: str, path: str, query: Mapping[str, Any]) -> None:
        add(source, changes(api, path, query, patience=patience))

    def add(source: str, stream: AsyncGenerator[Change, None]) -> None:
        task = asyncio.create_task(_pump(source, stream, news), name=f"watch {source}")
        task.add_done_callback(news.put_nowait)
        tasks.append(task)

    reader = Reader(replicaset, nodes=nodes)
    named = {"fieldSelector": f"metadata.name={replicaset}"}
    watch("replicasets", paths.replicasets(namespace), named)
    try:
        while True:
            item = await news.get()
            if isinstance(item, asyncio.Task):
                item.result()  # raises: a watch ends in no other way
                continue
            for observation in reader.read(*item):
                yield observation
            if reader.selector and len(tasks) == 1:
                watch("pods", paths.pods(namespace), {"labelSelector": reader.selector})
                named = {"fieldSelector": f"metadata.name={service}"}
                watch("services", paths.services(namespace), named)
                labelled = {"labelSelector": f"kubernetes.io/service-name={service}"}
                watch("endpointslices", paths.endpointslices(namespace), labelled)
                watch("events", paths.events(namespace), {})
                if nodes:
                    watch("nodes", paths.nodes(), {})
                add("server", liveness(api, lambda: reader.last, patience))
    finally:
        await end_tasks(*tasks)


async def _pump(
    source: str,
    stream: AsyncGenerator[Change, None],
    news: asyncio.Queue[News | asyncio.Task[None]],
) -> None:
    async with aclosing(stream):
        try:
            async for change in stream:
                if isinstance(change, Stream):
                    log.debug("watch %s: %s %s", source, change.state, change.why)
                news.put_nowait((source, change))
        except ForbiddenError as error:
            if source not in OPTIONAL:
                raise
            log.info("going on without %s: %s", source, error)
            news.put_nowait((source, Resynced(time.monotonic(), ())))


class Reader:
    """Turns news of API objects into observations of one sale."""

    def __init__(self, replicaset: str, *, nodes: bool = False) -> None:
        self.replicaset = replicaset
        self.selector = ""  # of the pods, once the ReplicaSet is known
        self._awaited = {*SOURCES, *(("nodes",) if nodes else ())}
        self._pods: set[str] = set()  # names
        self._heard: dict[str, float] = {}  # by source: when it was last known to be live
        self.last = 0.0  # when anything was heard

    def read(self, source: str, change: Change) -> Iterator[o.Observation]:
        """Yield what one piece of news means."""
        self.last = max(self.last, change.heard if isinstance(change, Stream) else change.at)
        if isinstance(change, Stream):
            self._heard[source] = change.heard
            yield o.StreamSeen(
                change.at, source, change.state, change.attempt, change.heard, change.why
            )
        elif isinstance(change, Resynced):
            yield from self._listed(source, change)
        else:
            yield from self._one(source, change.object, WORDS[change.type], change)

    def _listed(self, source: str, change: Resynced) -> Iterator[o.Observation]:
        if source == "replicasets" and not change.objects:
            yield o.ReplicaSetSeen(change.at, None)
        if source == "services" and not change.objects:
            yield o.ServiceSeen(change.at, None)
        for obj in change.objects:
            yield from self._one(source, obj, "listed", change)
        if source in self._awaited:
            self._awaited.discard(source)
            if not self._awaited:
                yield o.Synced(change.at)

    def _one(
        self, source: str, obj: Object, word: o.PodChange, change: Resynced | Changed
    ) -> Iterator[o.Observation]:
        at = change.at
        match source:
            case "replicasets":
                self.selector = ReplicaSet.from_object(obj).selector or self.selector
                yield o.ReplicaSetSeen.from_object(obj, word, at)
            case "pods":
                self._pods.add(obj["metadata"]["name"])
                relisted = isinstance(change, Changed) and change.relisted
                heard_at = self._heard.get(source) if relisted else None
                yield o.PodSeen.from_object(obj, word, at, relisted=relisted, heard=heard_at)
            case "services":
                yield o.ServiceSeen.from_object(obj, word, at)
            case "endpointslices":
                yield o.SliceSeen.from_object(obj, word, at)
            case "nodes":
                yield o.NodeSeen.from_object(obj, word, at)
            case _ if word != "gone" and self._ours(obj):
                yield o.EventSeen.from_object(obj, word, at)

    def _ours(self, event: Object) -> bool:
        name = (event.get("involvedObject") or {}).get("name", "")
        return (
            name == self.replicaset or name.startswith(f"{self.replicaset}-") or name in self._pods
        )
