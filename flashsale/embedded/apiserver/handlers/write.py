"""Create, update and delete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from flashsale.embedded.apiserver.handlers import request_body, responses
from flashsale.embedded.apiserver.handlers.paging import Page
from flashsale.embedded.apiserver.handlers.read import list_answer, read_page
from flashsale.embedded.apiserver.handlers.request_body import WriteOptions
from flashsale.embedded.apiserver.registry.registry import Registry, Tracker
from flashsale.embedded.apiserver.request_path import RequestTarget
from flashsale.embedded.types import api_errors, schema
from flashsale.embedded.types.resources import (
    ENDPOINTS,
    EVENTS,
    LEASES,
    NAMESPACES,
    PODS,
    SERVICE_ACCOUNTS,
    SERVICES,
    Resource,
)
from flashsale.embedded.validation.unobeyed import unobeyed_warnings
from flashsale.embedded.validation.warnings import object_warnings
from flashsale.objects.fields import part, with_value
from flashsale.objects.models import Object, namespaced_name

APPLY = "application/apply-patch+yaml"
CREATED_BY_UPDATE = (SERVICES, ENDPOINTS, EVENTS, LEASES)  # AllowCreateOnUpdate of their strategies
# A deletion of others answers with a Status.
ANSWERED_WITH_OBJECT = (PODS, SERVICES, SERVICE_ACCOUNTS, NAMESPACES)


@dataclass(frozen=True, slots=True)
class Write:
    """What every write request carries besides its body."""

    registry: Registry
    request: web.BaseRequest
    target: RequestTarget
    body: bytes
    options: WriteOptions
    form: responses.Wanted

    def track(self, before: Object | None, after: Object) -> Object:
        """Note in managedFields what this writer changed."""
        resource, below = self.target.resource, self.target.subresource
        return self.registry.tracker(resource, self.options.manager, below)(before, after)

    def check_matches_url(self, thing: Object) -> None:
        """Refuse an object that names itself otherwise than the URL: 400."""
        target, meta = self.target, thing.get("metadata") or {}
        request_body.check_matches_url(target.resource, meta, target.name, target.namespace)

    def create(self, thing: Object, track: Tracker | None) -> Object:
        target, dry_run = self.target, self.options.dry_run
        return self.registry.create(
            target.resource, target.namespace, thing, dry_run=dry_run, track=track
        )

    def update(self, thing: Object, track: Tracker | None, *, patches: bool = False) -> Object:
        """Replace the request's object, or its status."""
        target, dry_run = self.target, self.options.dry_run
        return self.registry.update(
            *target.key,
            thing,
            subresource=target.subresource,
            dry_run=dry_run,
            track=track,
            patches=patches,
        )

    def answer(self, thing: Object, status: int, before: Object | None = None) -> web.Response:
        """Answer with the written object, and warn of what is questionable in it."""
        resource = self.target.resource
        if not self.target.subresource:
            self._warn(object_warnings(resource, thing, before))
            if not self.options.dry_run:  # a dry run starts nothing that could behave otherwise
                self._warn(unobeyed_warnings(resource, thing, before))
        return responses.object_answer(self.form, resource, thing, self.registry.clock(), status)

    def warn_of_fields(self, mistakes: list[str]) -> None:
        """Note the fields that are dropped, where that is wanted."""
        if self.options.validation == "Warn":
            self._warn(mistakes)

    def _warn(self, texts: list[str]) -> None:
        for text in texts:
            responses.note_warning(self.request, text)


async def read_write(registry: Registry, request: web.BaseRequest, target: RequestTarget) -> Write:
    """Read the body and the query of a write.

    Raises:
        StatusError: 406, 413, 422 for options that cannot be.
    """
    form = responses.wanted(request)
    applies = request.method == "PATCH" and request_body.media_type(request) == APPLY
    return Write(
        registry=registry,
        request=request,
        target=target,
        body=await request_body.read_body(request),
        options=request_body.write_options(request, applies=applies),
        form=form,
    )


def decoded(write: Write, resource: Resource) -> Object:
    """Read the object of a POST or PUT.

    Raises:
        StatusError: 400, 415.
    """
    sent = request_body.decode_body(write.request, write.body, resource.kind)
    body, mistakes = schema.decode_object(
        resource, sent.content, write.options.validation, sent.duplicates
    )
    write.warn_of_fields(mistakes)
    return keeping_reset(sent.content, body)


def create(write: Write) -> web.Response:
    body = decoded(write, write.target.resource)
    return write.answer(write.create(body, write.track), 201)


def update(write: Write) -> web.Response:
    resource, target = write.target.resource, write.target
    body = decoded(write, resource)
    write.check_matches_url(body)
    before = write.registry.store.get(*target.key)
    if before is None and resource in CREATED_BY_UPDATE and not target.subresource:
        meta = with_value(body["metadata"], "resourceVersion", "")
        return write.answer(write.create(body | {"metadata": meta}, write.track), 201)
    return write.answer(write.update(body, write.track), 200, before)


def update_nothing(write: Write) -> web.Response:
    """PUT what can only be read: answer if that changes nothing.

    Raises:
        StatusError: 404 for a change.
    """
    key = write.target.key
    body = decoded(write, write.target.resource)
    write.check_matches_url(body)
    live = write.registry.get(*key)
    after = write.registry.update(*key, body, dry_run=True, patches=True)
    if after.get("spec") != live.get("spec"):
        raise refused_change(write)
    return write.answer(live, 200, live)


def refused_change(write: Write) -> api_errors.StatusError:
    """404 for a change of what can only be read."""
    return api_errors.not_here(write.target.subresource)


def keeping_reset(sent: Any, body: Object) -> Object:
    """Return a body with what means something although it is empty.

    No managers: nobody owns anything any more. No labels of a template: they are printed so.
    """
    if part(sent, "metadata", "managedFields") == []:
        body = body | {"metadata": (body.get("metadata") or {}) | {"managedFields": [{}]}}
    wanted = part(sent, "spec", "selector", "matchLabels")
    if wanted and part(sent, "spec", "template", "metadata", "labels") == {}:
        template = body["spec"]["template"]
        template["metadata"] = (template.get("metadata") or {}) | {"labels": {}}
    return body


def delete(
    registry: Registry, request: web.BaseRequest, target: RequestTarget, body: bytes
) -> web.Response:
    form = responses.wanted(request)
    options = request_body.delete_options(request, body)
    thing, gone = registry.delete(*target.key, options)
    if target.resource in ANSWERED_WITH_OBJECT or not gone:
        status = 202 if options.cascades and not gone else 200
        return responses.object_answer(form, target.resource, thing, registry.clock(), status)
    return responses.answer(form, _success(target.resource, thing))


def _success(resource: Resource, thing: Object) -> Object:
    meta = thing["metadata"]
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": api_errors.details_of(resource, meta["name"]) | {"uid": meta["uid"]},
    }


async def delete_collection(
    registry: Registry, request: web.BaseRequest, target: RequestTarget, body: bytes
) -> web.Response:
    """DELETE all objects that the selectors match; answers with what it deleted."""
    options = request_body.delete_options(request, body)
    form, page = await read_page(registry, request, target)
    deleted = []
    for thing in page.items:
        after, _ = registry.delete(target.resource, *namespaced_name(thing), options)
        deleted.append(thing if options.dry_run else after)
    metadata = page.metadata | {"resourceVersion": str(registry.store.revision)}
    return list_answer(registry, target.resource, form, Page(deleted, metadata))
