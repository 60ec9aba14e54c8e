"""Waiting for the ReplicaSet to be what was asked for, on watch events, without polling."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from flashsale.base.errors import ClusterUnreachableError, NoSaleError
from flashsale.kube import paths
from flashsale.kube.watch import Change, Changed, Resynced, Stream, changes
from flashsale.objects.models import Object, Pod, ReplicaSet
from flashsale.sale.session import Sale, owned

ATTEMPTS = 5  # failed tries in a row, with growing pauses, before the cluster counts as gone
LOOK = 0.5  # seconds for a look at what is there, when waiting for other things took all the time
CRASHES = 2  # restarts after which a crashing app is not expected to come round
HOPELESS = (
    "ErrImageNeverPull",
    "ImagePullBackOff",
    "InvalidImageName",
    "CreateContainerConfigError",
)


@dataclass(frozen=True, slots=True)
class Deadline:
    """How long to wait in all, however many waits that takes."""

    seconds: float  # as somebody typed it
    ends: float  # on the monotonic clock

    @classmethod
    def after(cls, seconds: float, clock: Callable[[], float] = time.monotonic) -> Deadline:
        """Begin to wait now."""
        return cls(seconds, clock() + seconds)

    def left(self, clock: Callable[[], float] = time.monotonic) -> float:
        """Give the seconds that are left; 0 when the time is up."""
        return max(0.0, self.ends - clock())


@dataclass(slots=True)
class Sight:
    """What is known of the sale now; None and no pods until they have been listed."""

    replicaset: Object | None = None
    pods: dict[str, Object] = field(default_factory=dict)  # by uid; all that the selector finds
    listed: set[str] = field(default_factory=set)  # paths

    @property
    def own(self) -> list[Pod]:
        """The pods of the ReplicaSet."""
        if self.replicaset is None:
            return []
        return [Pod.from_object(pod) for pod in owned(list(self.pods.values()), self.replicaset)]

    @property
    def alive(self) -> list[Pod]:
        """Those of them that are not on their way out."""
        return [pod for pod in self.own if not pod.terminating]


Condition = Callable[[Sight], bool]


def whole(count: int) -> Condition:
    """Ask for exactly ``count`` pods, all ready, and a ReplicaSet that says so."""

    def verdict(sight: Sight) -> bool:
        if sight.replicaset is None:
            return False
        seen = ReplicaSet.from_object(sight.replicaset)
        numbers = {seen.desired, seen.current, seen.ready, len(sight.alive)}
        return seen.observed and numbers == {count} and all(pod.ready for pod in sight.alive)

    return verdict


def rescaled(sight: Sight, count: int) -> int | None:
    """Give the number of pods that is desired now, if that is another."""
    if sight.replicaset is None:
        return None
    desired = ReplicaSet.from_object(sight.replicaset).desired
    return None if desired == count else desired


def hopeless(sight: Sight) -> bool:
    """Whether no unready pod can become ready by itself."""
    return stuck(sight.alive)


def stuck(pods: Sequence[Pod]) -> bool:
    """Whether all unready pods of these are beyond hope: no image, or an app that crashes."""
    unready = [pod for pod in pods if not pod.ready]
    crashing = {pod.name for pod in unready if pod.restarts >= CRASHES}
    return bool(unready) and all(
        pod.status in HOPELESS or (pod.status == "CrashLoopBackOff" and pod.name in crashing)
        for pod in unready
    )


def vacant(uid: str) -> Condition:
    """Ask that no pod of a ReplicaSet, known by its uid, is left."""

    def verdict(sight: Sight) -> bool:
        return not any(Pod.from_object(pod).owner_uid == uid for pod in sight.pods.values())

    return verdict


async def until_gone(sale: Sale, replicaset: Object, *, timeout: float) -> None:
    """Return once all pods of a ReplicaSet are gone, the ReplicaSet itself deleted already.

    Args:
        timeout: patience in seconds, counted from the call.

    Raises:
        TimeoutError, ClusterUnreachableError: as :func:`until` does.
    """
    path = paths.pods(sale.namespace)
    query = _selected(replicaset)
    await _watched(sale, {path: query}, vacant(replicaset["metadata"]["uid"]), timeout, None)


async def until(
    sale: Sale, verdict: Condition, *, timeout: float, tell: Callable[[Sight], None] | None = None
) -> Sight:
    """Watch the sale until a verdict holds, and return what was seen last.

    Args:
        timeout: patience in seconds, counted from the call.
        tell: called with each new sight, for a progress line.

    Raises:
        TimeoutError: the patience is over.
        NoSaleError: the ReplicaSet was deleted meanwhile.
        ClusterUnreachableError: the API server stopped answering.
    """
    queries = {
        paths.replicasets(sale.namespace): {"fieldSelector": f"metadata.name={sale.name}"},
        paths.pods(sale.namespace): _selected(await sale.replicaset()),
    }
    return await _watched(sale, queries, verdict, timeout, tell)


async def _watched(
    sale: Sale,
    queries: Mapping[str, Mapping[str, Any]],
    verdict: Condition,
    timeout: float,
    tell: Callable[[Sight], None] | None,
) -> Sight:
    """Watch all paths until everything was listed and the verdict holds."""
    sight, news = Sight(), asyncio.Event()
    try:
        async with asyncio.timeout(timeout), asyncio.TaskGroup() as group:
            watches = [
                group.create_task(_follow(sale, path, query, sight, news), name=f"watch {path}")
                for path, query in queries.items()
            ]
            while not (len(sight.listed) == len(queries) and verdict(sight)):
                await news.wait()
                news.clear()
                if tell and len(sight.listed) == len(queries):
                    tell(sight)
            for watch in watches:
                watch.cancel()
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return sight


def _selected(replicaset: Object) -> dict[str, str]:
    selector = ReplicaSet.from_object(replicaset).selector
    return {"labelSelector": selector} if selector else {}


async def _follow(
    sale: Sale, path: str, query: Mapping[str, Any], sight: Sight, news: asyncio.Event
) -> None:
    async with aclosing(changes(sale.api, path, query)) as stream:
        async for change in stream:
            _take(sale, sight, path, change)
            news.set()


def _take(sale: Sale, sight: Sight, path: str, change: Change) -> None:
    """Work one piece of news into the sight."""
    match change:
        case Stream():
            still_there(sale, change)
        case Resynced(objects=found):
            sight.listed.add(path)
            for thing in found:
                _put(sight, path, thing)
            if path.endswith("replicasets") and not found:
                raise sale.missing()
        case Changed(type="DELETED", object=thing) if path.endswith("replicasets"):
            raise NoSaleError(f"Somebody deleted the ReplicaSet {sale.name}.", hint="flashsale up")
        case Changed(type="DELETED", object=thing):
            sight.pods.pop(thing["metadata"].get("uid", ""), None)
        case Changed(object=thing):
            _put(sight, path, thing)


def still_there(sale: Sale, news: Stream) -> None:
    """Take what is known of a stream; after some failed tries the cluster counts as gone.

    Raises:
        ClusterUnreachableError: it does.
    """
    if news.state == "reconnecting" and news.attempt >= ATTEMPTS:
        raise ClusterUnreachableError(
            news.why or f"The cluster '{sale.cluster.context}' stopped answering.",
            hint=sale.cluster.start_hint,
        )


def _put(sight: Sight, path: str, thing: Object) -> None:
    if path.endswith("replicasets"):
        sight.replicaset = thing
    else:
        sight.pods[thing["metadata"].get("uid", "")] = thing
