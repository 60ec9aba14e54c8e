"""Get and list, and what a client wants to see of a collection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from flashsale.embedded.apiserver.handlers import responses
from flashsale.embedded.apiserver.handlers.responses import Wanted
from flashsale.embedded.apiserver.registry import Registry
from flashsale.embedded.apiserver.request_path import RequestTarget
from flashsale.embedded.printers import tables
from flashsale.embedded.selectors.label_selectors import parse_field_selector, parse_label_selector
from flashsale.embedded.storage.store import StoreEvent, encode
from flashsale.embedded.types import api_errors
from flashsale.embedded.types.api_errors import FieldError, StatusError
from flashsale.embedded.types.resources import ENDPOINTS, Resource
from flashsale.objects.models import Object

FUTURE_WAIT = 3.0  # seconds a list waits for a revision that is not there yet
ENDPOINTS_WARNING = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"


@dataclass(frozen=True, slots=True)
class Query:
    """What of a collection a client wants to see."""

    target: RequestTarget
    matches: Callable[[Object], bool]
    form: Wanted

    def shows(self, event: StoreEvent) -> str:
        """Return the event type as this client sees it, empty if it sees none.

        Selectors apply to the old and the new state: entering is ADDED, leaving is DELETED.
        """
        if event.resource is not self.target.resource:
            return ""
        if self.target.namespace not in ("", event.object["metadata"].get("namespace", "")):
            return ""
        now = event.type != "DELETED" and self.matches(event.object)
        before = event.previous is not None and self.matches(event.previous)
        if now:
            return "MODIFIED" if before else "ADDED"
        return "DELETED" if before else ""


def read_query(request: web.BaseRequest, target: RequestTarget) -> Query:
    """Read the selectors.

    Raises:
        ApiError: 400 for selectors that do not parse, 406.
    """
    labels = parse_label_selector(request.query.get("labelSelector", ""))
    fields = parse_field_selector(request.query.get("fieldSelector", ""), target.resource)

    def matches(thing: Object) -> bool:
        if target.name and thing["metadata"]["name"] != target.name:
            return False
        return labels.matches(thing["metadata"].get("labels") or {}) and fields.matches(thing)

    return Query(target, matches, responses.wanted(request))


def get(registry: Registry, request: web.BaseRequest, target: RequestTarget) -> web.Response:
    """Answer with one object."""
    thing = registry.get(target.resource, target.namespace, target.name)
    form = responses.wanted(request)
    response = responses.object_answer(form, target.resource, thing, registry.clock())
    _deprecate(response, target.resource)
    return response


async def list_(
    registry: Registry, request: web.BaseRequest, target: RequestTarget
) -> web.Response:
    """Answer with a collection: all of it, there is no paging."""
    query = read_query(request, target)
    number(request, "limit")
    if request.query.get("sendInitialEvents"):
        error = FieldError.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list")
        raise api_errors.invalid("ListOptions", "meta.k8s.io", "", [error])
    await _reach(registry, request)
    store = registry.store
    found = [t for t in store.all(target.resource, target.namespace) if query.matches(t)]
    if query.form.table:
        revision = str(store.revision)
        body: Object | bytes = tables.table(
            target.resource,
            found,
            now=registry.clock(),
            revision=revision,
            include=query.form.include,
        )
    elif query.form.metadata_only:
        body = _list("PartialObjectMetadata", "meta.k8s.io/v1", registry) | {
            "items": [responses.partial(thing) for thing in found]
        }
    else:
        head = encode(_list(target.resource.kind, target.resource.api_version, registry))
        items = b",".join(store.encoded(target.resource, thing) for thing in found)
        body = head[:-1] + b',"items":[' + items + b"]}"
    response = responses.json_answer(body)
    _deprecate(response, target.resource)
    return response


def _list(kind: str, api_version: str, registry: Registry) -> Object:
    return {
        "kind": f"{kind}List",
        "apiVersion": api_version,
        "metadata": {"resourceVersion": str(registry.store.revision)},
    }


def _deprecate(response: web.StreamResponse, resource: Resource) -> None:
    if resource is ENDPOINTS:
        responses.warn(response, ENDPOINTS_WARNING)


async def _reach(registry: Registry, request: web.BaseRequest) -> None:
    """Wait a little for a revision of the future; refuse an exact one of the past."""
    since = revision(request)
    store = registry.store
    if request.query.get("resourceVersionMatch") == "Exact" and 0 < since < store.revision:
        message = "The resourceVersion for the provided list is too old."
        raise StatusError(410, "Expired", message)
    deadline = asyncio.get_running_loop().time() + FUTURE_WAIT
    while since > store.revision:
        left = deadline - asyncio.get_running_loop().time()
        done, _ = await asyncio.wait([store.wait()], timeout=max(0.0, left))
        if not done:
            text = f"Too large resource version: {since}, current: {store.revision}"
            cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
            details = {"causes": [cause], "retryAfterSeconds": 1}
            raise StatusError(504, "Timeout", f"Timeout: {text}", details)


def revision(request: web.BaseRequest) -> int:
    """Read resourceVersion; 0 if it is absent.

    Raises:
        ApiError: 400 for one that is no number.
    """
    text = request.query.get("resourceVersion", "")
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()):
        raise api_errors.bad_request(
            f'invalid resource version: resourceVersion: Invalid value: "{text}": '
            f'strconv.ParseUint: parsing "{text}": invalid syntax'
        )
    return int(text[:19])


def number(request: web.BaseRequest, name: str) -> int | None:
    text = request.query.get(name, "")
    if not text:
        return None
    try:
        return int(text[:19])
    except ValueError as error:
        message = f'strconv.ParseInt: parsing "{text}": invalid syntax'
        raise api_errors.bad_request(message) from error
