"""Get and list, and what a client wants to see of a collection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from flashsale.embedded.apiserver.handlers import paging, responses
from flashsale.embedded.apiserver.handlers.paging import Page
from flashsale.embedded.apiserver.handlers.request_body import is_true, queried_number
from flashsale.embedded.apiserver.handlers.responses import Wanted
from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.apiserver.request_path import RequestTarget
from flashsale.embedded.selectors.field_selectors import parse_field_selector
from flashsale.embedded.selectors.label_selectors import parse_label_selector
from flashsale.embedded.storage.store import StoreEvent, encode_object
from flashsale.embedded.types import api_errors
from flashsale.embedded.types.api_errors import FieldError, StatusError
from flashsale.embedded.types.resources import ENDPOINTS, Resource
from flashsale.objects.models import Object, labels_of

FUTURE_WAIT = 3.0  # seconds a list waits for a revision that is not there yet
ENDPOINTS_WARNING = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"


@dataclass(frozen=True, slots=True)
class Query:
    """What of a collection a client wants to see."""

    target: RequestTarget
    matches: Callable[[Object], bool]
    form: Wanted
    selects: bool = False  # whether selectors leave something out

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


def read_query(request: web.BaseRequest, target: RequestTarget, *, streams: bool = True) -> Query:
    """Read the selectors.

    Args:
        streams: whether a watch would be possible, too.

    Raises:
        StatusError: 400 for selectors that do not parse, 406.
    """
    wanted = [request.query.get(name, "") for name in ("labelSelector", "fieldSelector")]
    labels = parse_label_selector(wanted[0])
    fields = parse_field_selector(wanted[1], target.resource)

    def matches(thing: Object) -> bool:
        if target.name and thing["metadata"]["name"] != target.name:
            return False
        return labels.matches(labels_of(thing)) and fields.matches(thing)

    form = responses.wanted(request, streams=streams and not target.name)
    return Query(target, matches, form, selects=any(wanted))


async def get(registry: Registry, request: web.BaseRequest, target: RequestTarget) -> web.Response:
    form = responses.wanted(request)
    if is_true(request.query.get("export", "false")):
        why = "the export parameter, deprecated since v1.14, is no longer supported"
        raise api_errors.bad_request(why)
    await _reach(registry, revision(request, of_watch=True))
    thing = registry.get(*target.key)
    return responses.object_answer(form, target.resource, thing, registry.clock())


async def read_page(
    registry: Registry, request: web.BaseRequest, target: RequestTarget
) -> tuple[Wanted, Page]:
    """Read what a client wants to see of a collection, and in which form, and find it.

    Raises:
        StatusError: 400, 406, 410, 422 or 504.
    """
    query = read_query(request, target, streams=request.method == "GET")
    limit = queried_number(request, "limit") or 0
    queried_number(request, "timeoutSeconds")
    _check_options(request)
    query.form.check(target.resource, is_list=True)
    since = revision(request)
    wanted = paging.read_paging(request, limit, since)
    await _reach(registry, max(since, wanted.revision))
    page = paging.collection_page(
        registry.store,
        target.resource,
        target.namespace,
        wanted,
        matches=query.matches,
        selects=query.selects,
    )
    return query.form, page


def list_answer(registry: Registry, resource: Resource, form: Wanted, page: Page) -> web.Response:
    """Send a list in the form that was asked for."""
    objects, metadata = page.items, page.metadata
    if form.table:
        revision = metadata["resourceVersion"]
        table = form.print(resource, objects, now=registry.clock(), revision=revision)
        return responses.answer(form, table | {"metadata": metadata})
    if form.metadata_only:
        version = f"meta.k8s.io/{form.version}"
        items = [responses.partial(thing, form.version) for thing in objects]
        body = _list("PartialObjectMetadata", version, metadata) | {"items": items}
        return responses.answer(form, body)
    head = encode_object(_list(resource.kind, resource.api_version, metadata))
    bodies = b",".join(_item(resource, registry.store.encoded(resource, obj)) for obj in objects)
    return responses.answer(form, head[:-1] + b',"items":[' + bodies + b"]}")


def _item(resource: Resource, body: bytes) -> bytes:
    """Leave kind and apiVersion out of a list's item, which its list says for all."""
    head = encode_object({"kind": resource.kind, "apiVersion": resource.api_version})[:-1] + b","
    return b"{" + body.removeprefix(head) if body.startswith(head) else body


def _list(kind: str, api_version: str, metadata: Object) -> Object:
    return {"kind": f"{kind}List", "apiVersion": api_version, "metadata": metadata}


def warn_if_deprecated(request: web.BaseRequest, resource: Resource) -> None:
    """Warn of a deprecated kind, whatever the answer will be."""
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
    if match and query.get("continue"):
        why = "resourceVersionMatch is forbidden when continue is provided"
        errors.append(FieldError.forbidden("resourceVersionMatch", why))
    if match not in ("", "Exact", "NotOlderThan"):
        known = ("Exact", "NotOlderThan", "")
        errors.append(FieldError.unsupported("resourceVersionMatch", match, known))
    if match == "Exact" and query.get("resourceVersion") == "0":
        why = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        errors.append(FieldError.forbidden("resourceVersionMatch", why))
    if errors:
        raise api_errors.invalid_object("ListOptions", "meta.k8s.io", "", errors)


async def _reach(registry: Registry, since: int) -> None:
    """Wait a little for a revision of the future.

    Raises:
        StatusError: 504 where it does not come.
    """
    store = registry.store
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
