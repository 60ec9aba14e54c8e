"""Watches: changes as they happen, one JSON document a line."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiohttp import web

from flashsale.embedded.apiserver.handlers import request_body, responses
from flashsale.embedded.apiserver.handlers.read import Query, read_query, revision
from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.apiserver.request_path import RequestTarget
from flashsale.embedded.storage.store import StoreEvent, encode_object
from flashsale.embedded.types import api_errors
from flashsale.embedded.types.api_errors import FieldError, StatusError
from flashsale.objects.models import Object

BOOKMARK_SECONDS = 60.0
LAST_BOOKMARK_SECONDS = 2.0  # before a watch ends
DEFAULT_TIMEOUT = 2400.0  # seconds; real servers pick one between 30 and 60 minutes
MATCH = "resourceVersionMatch"
INITIAL_END = "k8s.io/initial-events-end"


def wants_watch(request: web.BaseRequest) -> bool:
    """Whether a list request is a watch."""
    return request_body.is_true(request.query.get("watch", "false"))


async def serve_watch(
    registry: Registry, request: web.BaseRequest, target: RequestTarget
) -> web.StreamResponse:
    """Stream changes, one JSON document a line, until the client's timeout or until it leaves."""
    query = read_query(request, target)
    _check_form(query)
    since = revision(request, of_watch=True)
    initial = _initial_events(request)
    request_body.queried_number(request, "limit")
    timeout = request_body.queried_number(request, "timeoutSeconds")
    bookmarks = request.query.get("allowWatchBookmarks", "").lower() in ("true", "1")
    response = web.StreamResponse(headers={"Content-Type": responses.JSON})
    response.enable_chunked_encoding()
    responses.add_warnings(request, response)
    await response.prepare(request)
    stream = _Stream(registry, query, response, bookmarks=bookmarks)
    if timeout is not None and timeout < 0:
        late = StatusError(500, "InternalError", "context deadline exceeded")
        await response.write(_error_line(late))
        return response
    if initial or (initial is None and since == 0):
        position = await stream.begin(mark_end=bool(initial) and bookmarks)
    elif since == 0:  # from now on
        position = registry.store.end()
    else:
        start = registry.store.position(since)
        if start is None:
            gone = api_errors.expired(since, registry.store.revision)
            await response.write(_error_line(gone))
            return response
        position = start
    await stream.follow(position, float(timeout or DEFAULT_TIMEOUT))
    return response


def _check_form(query: Query) -> None:
    """Refuse a form in which nothing can be streamed.

    Raises:
        StatusError: 406.
    """
    if query.form.yaml:
        known = ", ".join(responses.STREAMS)
        raise responses.not_acceptable(f"only the following media types are accepted: {known}")


def _initial_events(request: web.BaseRequest) -> bool | None:
    """Read sendInitialEvents, None if it is absent (KEP-3157).

    A watch that gives neither that nor a revision to begin at wants the initial state.
    """
    text = request.query.get("sendInitialEvents", "").lower()
    match = request.query.get(MATCH, "")
    if not text and not match and request.query.get("resourceVersion", "") in ("", "0"):
        text, match = "true", "NotOlderThan"
    errors = []
    if text and match != "NotOlderThan":
        why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        errors.append(FieldError.forbidden(MATCH, why))
    elif match and not text:
        why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        errors.append(FieldError.forbidden(MATCH, why))
    if match not in ("", "NotOlderThan"):
        errors.append(FieldError.unsupported(MATCH, match, ["NotOlderThan"]))
    if match and request.query.get("continue"):
        why = "resourceVersionMatch is forbidden when continue is provided"
        errors.append(FieldError.forbidden(MATCH, why))
    if errors:
        raise api_errors.invalid_object("ListOptions", "meta.k8s.io", "", errors)
    return text in ("true", "1") if text else None


class _Stream:
    """One watch: where it stands, and how it writes."""

    def __init__(
        self, registry: Registry, query: Query, response: web.StreamResponse, *, bookmarks: bool
    ) -> None:
        self._registry = registry
        self._query = query
        self._response = response
        self._bookmarks = bookmarks
        self._last_bookmark = bookmarks
        self._headers = True  # of a table: only the first event carries its columns

    async def begin(self, *, mark_end: bool) -> int:
        """Write all current objects as ADDED; returns the position from which to go on."""
        store, target = self._registry.store, self._query.target
        position, at = store.end(), store.revision
        lines = [
            self._encode("ADDED", thing, None)
            for thing in store.all(target.resource, target.namespace)
            if self._query.matches(thing)
        ]
        if mark_end:
            lines.append(self._bookmark(at, {INITIAL_END: "true"}))
            self._last_bookmark = False  # the end of the state was one
        await self._write(lines)
        return position

    async def follow(self, position: int, timeout: float) -> None:
        """Write what happens from a position on, with bookmarks where they are wanted."""
        loop, store = asyncio.get_running_loop(), self._registry.store
        end = loop.time() + timeout
        bookmark = loop.time() + BOOKMARK_SECONDS
        if self._last_bookmark:
            bookmark = min(bookmark, end - LAST_BOOKMARK_SECONDS)
        while True:
            waker = store.wait()
            events = store.events(position)
            if events is None:
                await self._write([_error_line(api_errors.expired(position, store.revision))])
                return
            position += len(events)
            await self._write(self._lines(events))
            now = loop.time()
            if now >= end:
                return
            if self._bookmarks and now >= bookmark and not events:
                await self._write([self._bookmark(store.revision, {})])
                bookmark = min(now + BOOKMARK_SECONDS, end - LAST_BOOKMARK_SECONDS)
                if bookmark <= now:
                    bookmark = end
            if not events:
                due = min(end, bookmark) if self._bookmarks else end
                await asyncio.wait([waker], timeout=max(0.0, due - now))
            waker.cancel()

    def _lines(self, events: Sequence[StoreEvent]) -> list[bytes]:
        shown = [(self._query.shows(event), event) for event in events]
        return [self._encode(kind, event.object, event) for kind, event in shown if kind]

    def _encode(self, kind: str, thing: Object, event: StoreEvent | None) -> bytes:
        form, resource = self._query.form, self._query.target.resource
        if form.table:
            now, revision = self._registry.clock(), thing["metadata"]["resourceVersion"]
            headers, self._headers = self._headers, False
            table = form.print(resource, [thing], now=now, revision=revision, headers=headers)
            return _line(kind, encode_object(table))
        if form.metadata_only:
            return _line(kind, encode_object(responses.partial(thing, form.version)))
        if event is not None:
            return _line(kind, event.encoded_object())
        return _line(kind, self._registry.store.encoded(resource, thing))

    def _bookmark(self, at: int, annotations: dict[str, str]) -> bytes:
        resource = self._query.target.resource
        meta: Object = {"resourceVersion": str(at)}
        if annotations:
            meta["annotations"] = annotations
        thing = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta}
        if self._query.form.metadata_only:
            return self._encode("BOOKMARK", thing, None)
        if self._query.form.table:
            dummy = thing | {"metadata": meta | {"name": "", "creationTimestamp": None}}
            return self._encode("BOOKMARK", dummy, None)
        return _line("BOOKMARK", encode_object(thing))

    async def _write(self, lines: list[bytes]) -> None:
        if lines:
            await self._response.write(b"".join(lines))


def _error_line(error: StatusError) -> bytes:
    return _line("ERROR", encode_object(error.status()))


def _line(kind: str, thing: bytes) -> bytes:
    return b'{"type":"' + kind.encode() + b'","object":' + thing + b"}\n"
