"""A real HTTP server that keeps one collection as an API server does, and lies when told to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from flashsale.objects.models import Object

Lie = Callable[[web.Request], Awaitable[web.StreamResponse]]
PATH = "/api/v1/namespaces/default/pods"


class Cluster:
    """Pods by name, a history to watch, and ``lies``: one for each next request of their kind."""

    def __init__(self) -> None:
        self.port = 0
        self.version = 100
        self.forgotten = 0  # versions up to here are too old to watch from
        self.pods: dict[str, Object] = {}
        self.others: dict[str, list[Object]] = {}  # by path: collections in which nothing happens
        self.history: list[tuple[int, Object]] = []
        self.lies: dict[str, list[Lie]] = {"list": [], "watch": []}
        self.awake = asyncio.Event()  # else it takes requests, and answers none but lists of pods
        self.awake.set()
        self.asked: list[str] = []  # list or watch, one for each request
        self.watches: set[asyncio.Task[Any]] = set()
        self.watched = asyncio.Event()
        self._news = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen, on the same port as before if there was one."""
        app = web.Application()
        app.router.add_get(PATH, self._get)
        app.router.add_get("/{path:.*}", self._other)
        self._runner = web.AppRunner(app, shutdown_timeout=0.01)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Die: all connections break in the middle of whatever they are at."""
        assert self._runner is not None
        for task in list(self.watches):
            task.cancel()
        await self._runner.cleanup()

    def put(self, name: str, **status: Any) -> None:
        """Create or change a pod."""
        self.put_whole({"kind": "Pod", "metadata": {"name": name}, "status": status})

    def put_whole(self, pod: Object) -> None:
        """Create or change a pod that somebody made with care."""
        self.version += 1
        name = pod["metadata"]["name"]
        before = self.pods.get(name)
        uid = before["metadata"]["uid"] if before else f"uid-{name}-{self.version}"
        meta = {**pod["metadata"], "uid": uid, "resourceVersion": str(self.version)}
        self.pods[name] = {**pod, "metadata": meta}
        self._tell("MODIFIED" if before else "ADDED", self.pods[name])

    def drop(self, name: str) -> None:
        """Delete a pod."""
        self.version += 1
        pod = self.pods.pop(name)
        meta = {**pod["metadata"], "resourceVersion": str(self.version)}
        self._tell("DELETED", {**pod, "metadata": meta})

    def bookmark(self) -> None:
        """Tell watchers how far they are."""
        found = {"kind": "Pod", "metadata": {"resourceVersion": str(self.version)}}
        self._tell("BOOKMARK", found)

    def compact(self) -> None:
        """Forget the history, as etcd does every five minutes."""
        self.forgotten = self.version

    def _tell(self, kind: str, found: Object) -> None:
        self.history.append((self.version, {"type": kind, "object": found}))
        self._news.set()
        self._news = asyncio.Event()

    async def _get(self, request: web.Request) -> web.StreamResponse:
        kind = "watch" if request.query.get("watch") == "true" else "list"
        self.asked.append(kind)
        if self.lies[kind]:
            return await self.lies[kind].pop(0)(request)
        return await (self._watch(request) if kind == "watch" else self._list())

    async def _list(self) -> web.Response:
        return self._page(list(self.pods.values()))

    def _page(self, items: list[Object]) -> web.Response:
        meta = {"resourceVersion": str(self.version)}
        return web.json_response({"kind": "List", "metadata": meta, "items": items})

    async def _other(self, request: web.Request) -> web.StreamResponse:
        await self.awake.wait()
        if request.query.get("watch") == "true":
            return await mute(request)
        return self._page(self.others.get(request.path, []))

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        since, place = int(request.query["resourceVersion"]), 0
        response = await opened(request)
        if since < self.forgotten:
            await say(response, too_old(since))
            return response
        task = asyncio.current_task()
        assert task is not None
        self.watches.add(task)
        self.watched.set()
        try:
            while True:
                news = self._news
                for version, line in self.history[place:]:
                    if version > since or (version == since and line["type"] == "BOOKMARK"):
                        await say(response, line)
                place = len(self.history)
                await news.wait()
        finally:
            self.watches.discard(task)


async def opened(request: web.Request) -> web.StreamResponse:
    """Begin a stream."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    return response


async def say(response: web.StreamResponse, line: Object) -> None:
    """Send one line of a watch."""
    await response.write(json.dumps(line).encode() + b"\n")


def too_old(since: int) -> Object:
    """The ERROR event of a watch from a forgotten version."""
    message = f"too old resource version: {since}"
    return {"type": "ERROR", "object": status(410, "Expired", message)}


def status(code: int, reason: str, message: str) -> Object:
    """A Status object, as the API server sends it for failures."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }


def refusing(code: int, reason: str = "") -> Lie:
    """Answer with an HTTP status and its Status object."""

    async def lie(request: web.Request) -> web.StreamResponse:
        return web.json_response(status(code, reason, reason), status=code)

    return lie


async def silent(request: web.Request) -> web.StreamResponse:
    """Accept, and never answer: a half-open connection."""
    await asyncio.Event().wait()
    raise AssertionError


async def mute(request: web.Request) -> web.StreamResponse:
    """Open the stream, and never say anything on it."""
    await opened(request)
    return await silent(request)


async def torn(request: web.Request) -> web.StreamResponse:
    """Break the connection within a line."""
    response = await opened(request)
    await response.write(b'{"type":"ADDED","object":{"kind":"Pod","meta')
    assert request.transport is not None
    request.transport.abort()
    return response


async def torn_gently(request: web.Request) -> web.StreamResponse:
    """End the stream in order, but within a line."""
    response = await opened(request)
    await response.write(b'{"type":"ADDED","object":{"kind":"Pod","meta')
    return response


async def ended(request: web.Request) -> web.StreamResponse:
    """End the stream at once, in order."""
    return await opened(request)


def sending(*lines: Object) -> Lie:
    """Say these lines and end the stream."""

    async def lie(request: web.Request) -> web.StreamResponse:
        response = await opened(request)
        for line in lines:
            await say(response, line)
        return response

    return lie
