"""Get and list, and what a client wants to see of a collection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from flashsale.embedded.apiserver.handlers import responses
from flashsale.embedded.apiserver.handlers.request_body import queried_number
from flashsale.embedded.apiserver.handlers.responses import Wanted
from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.apiserver.request_path import RequestTarget
from flashsale.embedded.printers import tables
from flashsale.embedded.selectors.label_selectors import parse_field_selector, parse_label_selector
from flashsale.embedded.storage.store import StoreEvent, encode_object
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

    return Query(target, matches, responses.wanted(request, streams=not target.name))


def get(registry: Registry, request: web.BaseRequest, target: RequestTarget) -> web.Response:
    """Answer with one object."""
    form = responses.wanted(request)
    revision(request, of_watch=True)
    thing = registry.get(target.resource, target.namespace, target.name)
    return responses.object_answer(form, target.resource, thing, registry.clock())


async def list_(
    registry: Registry, request: web.BaseRequest, target: RequestTarget
) -> web.Response:
    """Answer with a collection: all of it, there is no paging."""
    query = read_query(request, target)
    queried_number(request, "limit")
    _check_options(request)
    await _reach(registry, request)
    store, form, resource = registry.store, query.form, target.resource
    found = [t for t in store.all(resource, target.namespace) if query.matches(t)]
    form.check_list(resource)
    if form.table:
        table = tables.print_table(
            resource,
            found,
            now=registry.clock(),
            revision=str(store.revision),
            include=form.include,
        )
        return responses.answer(form, table | {"apiVersion": f"meta.k8s.io/{form.version}"})
    if form.metadata_only:
        version = f"meta.k8s.io/{form.version}"
        items = [responses.partial(thing, form.version) for thing in found]
        body = _list("PartialObjectMetadata", version, registry) | {"items": items}
        return responses.answer(form, body)
    head = encode_object(_list(resource.kind, resource.api_version, registry))
    bodies = b",".join(_item(resource, store.encoded(resource, thing)) for thing in found)
    return responses.answer(form, head[:-1] + b',"items":[' + bodies + b"]}")


def _item(resource: Resource, body: bytes) -> bytes:
    """Leave kind and apiVersion out of a list's item, which its list says for all."""
    head = encode_object({"kind": resource.kind, "apiVersion": resource.api_version})[:-1] + b","
    return b"{" + body.removeprefix(head) if body.startswith(head) else body


def _list(kind: str, api_version: str, registry: Registry) -> Object:
    return {
        "kind": f"{kind}List",
        "apiVersion": api_version,
        "metadata": {"resourceVersion": str(registry.store.revision)},
    }


def warn_if_deprecated(request: web.BaseRequest, resource: Resource) -> None:
    """Note that there is something newer, whatever becomes of the request."""
    if resource is ENDPOINTS:
        responses.note_warning(request, ENDPOINTS_WARNING)


def _check_options(request: web.BaseRequest) -> None:
    """Refuse options of a list that make no sense together.

    Raises:
        StatusError: 422.
    """
    query, errors = request.query, []
    match = query.get("resourceVersionMatch", "")
    if query.get("sendInitialEvents"):
        why = "sendInitialEvents is forbidden for list"
        errors.append(FieldError.forbidden("sendInitialEvents", why))
    if match and not query.get("resourceVersion"):
        why = "resourceVersionMatch is forbidden unless resourceVersion is provided"
        errors.append(FieldError.forbidden("resourceVersionMatch", why))
    if match not in ("", "Exact", "NotOlderThan"):
        known = ("Exact", "NotOlderThan", "")
        errors.append(FieldError.unsupported("resourceVersionMatch", match, known))
    if match == "Exact" and query.get("resourceVersion") == "0":
        why = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        errors.append(FieldError.forbidden("resourceVersionMatch", why))
    if errors:
        raise api_errors.invalid_object("ListOptions", "meta.k8s.io", "", errors)


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


def revision(request: web.BaseRequest, *, of_watch: bool = False) -> int:
    """Read resourceVersion; 0 if it is absent.

    Raises:
        StatusError: 400 for one that is no number, 500 for that of a watch or of one object, as in
            Kubernetes.
    """
    text = request.query.get("resourceVersion", "")
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()):
        why = (
            f'resourceVersion: Invalid value: "{text}": '
            f'strconv.ParseUint: parsing "{text}": invalid syntax'
        )
        if of_watch:
            raise StatusError(500, "", why)
        raise api_errors.bad_request(f"invalid resource version: {why}")
    return int(text[:19])
