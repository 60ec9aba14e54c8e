"""Lists and watches that survive whatever the network and the API server do, and never go stale
in silence.

One :func:`changes` is one list, then one watch from its resourceVersion, for as long as anybody
reads it. What can happen to a watch, and what is done about it:

- it ends in order (`timeoutSeconds`): the next one begins where it left off
- its resourceVersion is too old (410, as a status or as an ERROR event): list again
- it breaks, or the server says something else: pause, list again
- it is silent for longer than bookmarks allow, so the connection is half-open: the same
- this machine slept, and nobody knows what it missed: the same at once

After listing again the differences to what was known come out as changes, deletions included. The
official client's own `Watch` and `SharedInformer` do not do these things: they have no read
timeout, and give up on, or loop over, a 410.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from typing import Any

from flashsale.base.errors import ClusterUnreachableError
from flashsale.kube.api import Api
from flashsale.kube.response_errors import ApiError, ForbiddenError, GoneError, UnauthorizedError
from flashsale.kube.watch_types import Change, Changed, Clock, Resynced, Stream, WatchTimeouts
from flashsale.objects.models import Object

LOG = logging.getLogger(__name__)


class _BrokenStreamError(Exception):
    """The server, or the network, did not keep to the protocol."""


class _SilentError(_BrokenStreamError):
    """Nothing came for longer than bookmarks allow."""


class _SleptError(Exception):
    """This machine was suspended while it watched."""


PATIENCE = WatchTimeouts()
HOPELESS = (UnauthorizedError, ForbiddenError)
FAILURES = (ClusterUnreachableError, ApiError, _BrokenStreamError, _SleptError)


async def changes(
    api: Api,
    path: str,
    query: Mapping[str, Any] | None = None,
    *,
    patience: WatchTimeouts = PATIENCE,
    clock: Clock = time.monotonic,
    wall: Clock = time.time,
    rng: random.Random | None = None,
) -> AsyncGenerator[Change, None]:
    """Tell everything there is at a path, then each change to it; end only when cancelled.

    Wrap it in ``aclosing``. :class:`Resynced` comes first and once; before it there may be
    :class:`Stream` with `reconnecting`, for as long as the cluster does not answer.

    Args:
        wall: a clock that goes on while the machine is suspended.

    Raises:
        UnauthorizedError, ForbiddenError: trying again would not help.
        BadInputError: the server refuses the query.
    """
    follower = _Follower(api, path, query or {}, patience, clock, wall)
    rng, attempt = rng or random.Random(), 0
    while True:
        why = ""
        try:
            async with aclosing(follower.run()) as changes_seen:
                async for change in changes_seen:
                    yield change
        except HOPELESS:
            raise
        except GoneError as error:
            follower.forget()
            why = str(error) if attempt else ""  # once is nothing that anybody need know
        except FAILURES as error:
            if follower.worked and not isinstance(error, _SilentError | _SleptError):
                follower.heard = clock()  # an open connection that breaks was good until then
            follower.forget()
            why = str(error)
        attempt = 1 if follower.worked else attempt + 1
        LOG.log(
            logging.INFO if why else logging.DEBUG,
            "watch of %s ended (%s); try %s follows",
            path,
            why or "as it does from time to time",
            attempt,
        )
        if why:
            yield Stream(clock(), "reconnecting", attempt, follower.heard, why)
        await asyncio.sleep(pause(attempt, patience, rng))


def pause(attempt: int, patience: WatchTimeouts, rng: random.Random) -> float:
    """Return the seconds to wait before the next try: doubling, capped, half of it by chance."""
    full = min(patience.longest, patience.first * 2.0 ** min(attempt - 1, 20))
    return full * rng.uniform(0.5, 1.0)


class _Follower:
    """What is known at one path, and one try after the other at knowing more."""

    def __init__(
        self,
        api: Api,
        path: str,
        query: Mapping[str, Any],
        patience: WatchTimeouts,
        clock: Clock,
        wall: Clock,
    ) -> None:
        self.api, self.path, self.query = api, path, query
        self.patience, self.clock, self.wall = patience, clock, wall
        self.heard = clock()  # when the server last said anything
        self.worked = False  # the last try got as far as watching
        self._known: dict[str, Object] | None = None  # by uid
        self._version = ""  # to watch from; empty: list first
        self._ahead = 0.0  # seconds of the wall clock before the monotonic one

    def forget(self) -> None:
        """Do not trust the version any more: list next time."""
        self._version = ""

    async def run(self) -> AsyncGenerator[Change, None]:
        """List if that is due, and watch until the watch ends."""
        self.worked, self._ahead = False, self.wall() - self.clock()
        if not self._version:
            for change in await self._list():
                yield change
        began = self.clock()
        query = {
            **self.query,
            "watch": True,
            "resourceVersion": self._version,
            "allowWatchBookmarks": True,
            "timeoutSeconds": self.patience.lease,
        }
        try:
            async with aclosing(self._lines(query)) as lines:
                async for line in lines:
                    self.heard, self.worked = self.clock(), True
                    if learnt := self._learn(line):
                        yield learnt
        finally:
            self.worked = self.worked or self.clock() - began >= self.patience.brief
        if not self.worked:
            raise _BrokenStreamError("the server ends every watch at once")

    async def _list(self) -> list[Change]:
        page = await self.api.list_to_watch(self.path, self.query)
        self.heard = at = self.clock()
        version = (page.get("metadata") or {}).get("resourceVersion")
        if not version or "items" not in page:
            raise _BrokenStreamError(_odd(page))
        before, self._known = self._known, {_key(obj): obj for obj in page["items"] or []}
        self._version = str(version)
        if before is None:
            return [Resynced(at, tuple(self._known.values())), Stream(at, "live", heard=at)]
        return [*_differences(before, self._known, at), Stream(at, "resynced", heard=at)]

    def _learn(self, line: Object) -> Changed | None:
        """Take in one line of the watch; nothing for bookmarks and for what is known already."""
        kind, obj = line.get("type"), line.get("object")
        if kind == "ERROR":
            self._refused(obj if isinstance(obj, dict) else {})
        if kind not in ("ADDED", "MODIFIED", "DELETED", "BOOKMARK") or not isinstance(obj, dict):
            raise _BrokenStreamError(_odd(line))
        meta = obj.get("metadata") or {}
        if kind != "BOOKMARK" and "name" not in meta:
            raise _BrokenStreamError(_odd(obj))
        self._version = str(meta.get("resourceVersion") or self._version)
        return None if kind == "BOOKMARK" else self._changed(kind, obj)

    def _changed(self, kind: str, obj: Object) -> Changed | None:
        assert self._known is not None
        before = self._known.get(_key(obj))
        if kind == "DELETED":
            self._known.pop(_key(obj), None)
            return Changed(self.heard, "DELETED", obj) if before else None
        self._known[_key(obj)] = obj
        if before and _version(before) == _version(obj):
            return None
        return Changed(self.heard, "MODIFIED" if before else "ADDED", obj)

    def _refused(self, status: Object) -> None:
        message = str(status.get("message") or "the server ended the watch with an error")
        if status.get("code") == GoneError.status:
            raise GoneError(message)
        raise _BrokenStreamError(message)

    async def _lines(self, query: Mapping[str, Any]) -> AsyncGenerator[Object, None]:
        stream = self.api.stream(self.path, query)
        async with aclosing(stream):
            while True:
                line = await self._next(stream)
                if line is None:
                    return
                yield line

    async def _next(self, stream: AsyncIterator[Object]) -> Object | None:
        """Wait for a line, None at the end; now and then look whether that still makes sense."""
        pending: asyncio.Future[Object | None] = asyncio.ensure_future(anext(stream, None))
        began = self.clock()
        try:
            while not pending.done():
                await asyncio.wait({pending}, timeout=self.patience.look)
                if pending.done():
                    break
                if self.wall() - self.clock() - self._ahead > self.patience.slept:
                    raise _SleptError("this machine slept")
                if self.clock() - began > self.patience.silence:
                    raise _SilentError(f"silent for {self.patience.silence:.0f} s")
            return pending.result()
        except ValueError as error:  # what a torn line leaves of its JSON
            raise _BrokenStreamError("the connection broke within a line") from error
        finally:
            if not pending.done():
                pending.cancel()
                await asyncio.wait({pending})
            if not pending.cancelled():
                pending.exception()  # heard, also where something else ended this


def _key(obj: Object) -> str:
    meta = obj["metadata"]
    return str(meta.get("uid") or f"{meta.get('namespace', '')}/{meta['name']}")


def _version(obj: Object) -> str:
    return str(obj["metadata"].get("resourceVersion", ""))


def _odd(obj: Object) -> str:
    """Describe an answer that is not what was asked for; a Status says why itself."""
    return str(obj.get("message") or f"an answer that is no {obj.get('kind', 'list')}")


def _differences(
    before: Mapping[str, Object], now: Mapping[str, Object], at: float
) -> Iterator[Changed]:
    """Tell what happened between two lists: who left, who changed, who came, in this order.

    A replacement comes after the one whose place it takes.
    """
    for key in before.keys() - now.keys():
        yield Changed(at, "DELETED", before[key], relisted=True)
    for key in before.keys() & now.keys():
        if _version(before[key]) != _version(now[key]):
            yield Changed(at, "MODIFIED", now[key], relisted=True)
    for key in now.keys() - before.keys():
        yield Changed(at, "ADDED", now[key], relisted=True)
