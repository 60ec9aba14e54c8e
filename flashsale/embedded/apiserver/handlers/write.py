"""Create, update, patch and delete."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import web

from flashsale.embedded.apiserver.handlers import request_body, responses, yaml_body
from flashsale.embedded.apiserver.handlers.read import read_query
from flashsale.embedded.apiserver.handlers.request_body import WriteOptions
from flashsale.embedded.apiserver.registry import Registry
from flashsale.embedded.apiserver.request_path import RequestTarget
from flashsale.embedded.patching import patches
from flashsale.embedded.patching.server_side_apply import configuration, typed_errors
from flashsale.embedded.patching.strategic import left_over
from flashsale.embedded.storage.store import encode
from flashsale.embedded.types import api_errors, go_json, schema, strict_decoding
from flashsale.embedded.types.resources import (
    ENDPOINTS,
    EVENTS,
    LEASES,
    NAMESPACES,
    PODS,
    SERVICES,
    Resource,
)
from flashsale.embedded.validation.unobeyed import unobeyed_warnings
from flashsale.embedded.validation.warnings import object_warnings
from flashsale.objects.models import Object, rfc3339

APPLY = "application/apply-patch+yaml"
CREATED_BY_UPDATE = (SERVICES, ENDPOINTS, EVENTS, LEASES)  # AllowCreateOnUpdate of their strategies
ANSWERED_WITH_OBJECT = (PODS, SERVICES, NAMESPACES)  # a deletion of others answers with a Status


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
        return configuration.track_update(
            before,
            after,
            manager=self.options.manager,
            api_version=self.target.resource.api_version,
            subresource=self.target.subresource,
            now=rfc3339(self.registry.clock()),
        )

    def answer(self, thing: Object, status: int, before: Object | None = None) -> web.Response:
        """Answer with the written object, and warn of what is questionable in it."""
        resource = self.target.resource
        if not self.target.subresource:
            self._warn(object_warnings(resource, thing, before))
            if not self.options.dry_run:  # a dry run starts nothing that could behave otherwise
                self._warn(unobeyed_warnings(resource, thing, before))
        return responses.object_answer(self.form, resource, thing, self.registry.clock(), status)

    def warn_of_fields(self, unknown: list[str], duplicates: list[str]) -> None:
        """Note the fields that are dropped, where that is wanted."""
        if self.options.validation == "Warn":
            self._warn([f'unknown field "{path}"' for path in unknown])
            self._warn([f'duplicate field "{path}"' for path in duplicates])

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
        body=await request_body.read(request),
        options=request_body.write_options(request, applies=applies),
        form=form,
    )


def decoded(write: Write, resource: Resource) -> Object:
    """Read the object of a POST or PUT.

    Raises:
        StatusError: 400, 415.
    """
    sent = request_body.decode_object(write.request, write.body, resource.kind)
    body, unknown = schema.decode(resource, sent.content, write.options.validation, sent.duplicates)
    write.warn_of_fields(unknown, sent.duplicates)
    return _keeping_reset(sent.content, body)


def create(write: Write) -> web.Response:
    """POST to a collection."""
    resource = write.target.resource
    body = decoded(write, resource)
    made = write.registry.create(
        resource,
        write.target.namespace,
        body,
        dry_run=write.options.dry_run,
        track=write.track,
    )
    return write.answer(made, 201)


def update(write: Write) -> web.Response:
    """PUT to an object or its status."""
    resource, target = write.target.resource, write.target
    body = decoded(write, resource)
    request_body.check_name(resource, body.get("metadata") or {}, target.name, target.namespace)
    before = write.registry.store.get(resource, target.namespace, target.name)
    if before is None and resource in CREATED_BY_UPDATE and not target.subresource:
        meta = {key: item for key, item in body["metadata"].items() if key != "resourceVersion"}
        made = write.registry.create(
            resource,
            target.namespace,
            body | {"metadata": meta},
            dry_run=write.options.dry_run,
            track=write.track,
        )
        return write.answer(made, 201)
    updated = write.registry.update(
        resource,
        target.namespace,
        target.name,
        body,
        subresource=target.subresource,
        dry_run=write.options.dry_run,
        track=write.track,
    )
    return write.answer(updated, 200, before)


def patch(write: Write) -> web.Response:
    """PATCH an object or its status, in any of the four ways."""
    kind = patch_kind(write)
    if kind == APPLY:
        return _apply(write)
    resource, target = write.target.resource, write.target
    live = write.registry.get(resource, target.namespace, target.name)
    patched = patches.apply_patch(kind, write.body, live)
    patched = _decoded_patch(write, kind, patched, live)
    request_body.check_name(resource, patched.get("metadata") or {}, target.name, target.namespace)
    updated = write.registry.update(
        resource,
        target.namespace,
        target.name,
        patched,
        subresource=target.subresource,
        dry_run=write.options.dry_run,
        track=write.track,
        patches=True,
    )
    return write.answer(updated, 200, live)


def patch_nothing(write: Write) -> web.Response:
    """PATCH what can only be read: answer if that changes nothing.

    Raises:
        StatusError: 404 for a change.
    """
    target = write.target
    kind = patch_kind(write)
    live = write.registry.get(target.resource, target.namespace, target.name)
    if kind == APPLY or patches.apply_patch(kind, write.body, live) != live:
        raise api_errors.not_here(target.subresource)
    return write.answer(live, 200, live)


def patch_kind(write: Write) -> str:
    """Return the kind of patch; an unknown one is refused before the object is looked for.

    Raises:
        StatusError: 415.
    """
    kind = request_body.media_type(write.request)
    if kind not in (*patches.KINDS, APPLY):
        raise api_errors.unsupported_patch()
    return kind


def applied_configuration(write: Write, api_version: str, kind: str) -> Object:
    """Read what a server-side apply sends.

    Raises:
        StatusError: 400 for what is none, or is of another kind.
    """
    try:
        applied = yaml_body.load(write.body)
    except yaml_body.YAMLBodyError as error:
        why = f"error decoding YAML: error converting YAML to JSON: {error}"
        raise api_errors.bad_request(why) from error
    if applied is None:
        applied = {}
    if not isinstance(applied, dict):
        word = strict_decoding.word(applied)
        raise api_errors.bad_request(
            "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot "
            f"unmarshal {word} into Go value of type map[string]interface {{}}"
        )
    sent, sent_kind = applied.get("apiVersion") or "", applied.get("kind") or ""
    if (sent, sent_kind) != (api_version, kind):
        group_version = sent if "/" in str(sent) else f"/{sent}"
        raise api_errors.bad_request(f"invalid object type: {group_version}, Kind={sent_kind}")
    configuration_sent: Object = applied
    return configuration_sent


def _apply(write: Write) -> web.Response:
    """Server-side apply: create or merge, by who owns which field (KEP-555)."""
    resource, target, registry = write.target.resource, write.target, write.registry
    applied = applied_configuration(write, resource.api_version, resource.kind)
    live = registry.store.get(resource, target.namespace, target.name)
    wrong = typed_errors.first_error(applied, resource.api_version, resource.kind)
    if wrong:
        raise configuration.untyped(applied, resource.api_version, wrong)
    name = (applied.get("metadata") or {}).get("name")
    if name not in (None, "", target.name):
        request_body.check_name(resource, applied["metadata"], target.name, target.namespace)
    if (applied.get("metadata") or {}).get("managedFields") is not None:
        raise api_errors.bad_request("metadata.managedFields must be nil")
    applied = schema.prune(applied, resource.api_version, resource.kind)
    merged = configuration.apply(
        live,
        applied,
        manager=write.options.manager,
        force=write.options.force,
        api_version=resource.api_version,
        subresource=target.subresource,
        now=rfc3339(registry.clock()),
    )
    if live is None:
        meta = (merged.get("metadata") or {}) | {"name": target.name}
        made = registry.create(
            resource,
            target.namespace,
            merged | {"metadata": meta},
            dry_run=write.options.dry_run,
        )
        return write.answer(made, 201)
    request_body.check_name(resource, merged["metadata"], target.name, target.namespace)
    updated = registry.update(
        resource,
        target.namespace,
        target.name,
        merged,
        subresource=target.subresource,
        dry_run=write.options.dry_run,
        patches=True,
    )
    return write.answer(updated, 200, live)


def _decoded_patch(write: Write, patch: str, patched: Any, live: Object) -> Object:
    """Check the outcome of a patch, where mistakes are 422 of a nameless kind.

    Raises:
        StatusError: 422.
    """
    resource = write.target.resource
    version, kind = resource.api_version, resource.kind
    ordered = partial(schema.prune, api_version=version, kind=kind)
    strategic = patch == patches.STRATEGIC_MERGE_PATCH
    if strategic:
        sent = _shown(write, patch)
        patched, misfit = schema.convert(patched, version, kind)
        if misfit:
            raise schema.patch_error(sent, misfit)
    wrong = strict_decoding.type_error(patched, version, kind)
    if not strategic:
        wrong = wrong or schema.unregistered(version, kind, patched)
    if wrong:
        shown = patched if strategic else patches.apply_patch(patch, write.body, ordered(live))
        raise schema.patch_error(encode(shown).decode(), wrong)
    unknown = strict_decoding.unknown_fields(patched, version, kind)
    repeated = (
        [] if patch == patches.JSON_PATCH else go_json.decode_noting_duplicates(write.body)[1]
    )
    if (unknown or repeated) and write.options.validation == "Strict":
        shown = _shown(write, patch)
        raise schema.patch_error(shown, schema.strict_error(unknown, repeated))
    write.warn_of_fields(unknown, repeated)
    return _keeping_reset(patched, schema.prune(patched, version, kind))


def _keeping_reset(sent: Any, body: Object) -> Object:
    """Return a body with what means something although it is empty.

    No managers: nobody owns anything any more. No labels of a template: they are printed so.
    """
    if _at(sent, "metadata", "managedFields") == []:
        body = body | {"metadata": (body.get("metadata") or {}) | {"managedFields": [{}]}}
    wanted = _at(sent, "spec", "selector", "matchLabels")
    if wanted and _at(sent, "spec", "template", "metadata", "labels") == {}:
        template = body["spec"]["template"]
        template["metadata"] = (template.get("metadata") or {}) | {"labels": {}}
    return body


def _at(thing: Any, *path: str) -> Any:
    for name in path:
        thing = thing.get(name) if isinstance(thing, dict) else None
    return thing


def _shown(write: Write, patch: str) -> str:
    """Print a patch as errors do, which is after it was merged."""
    sent = go_json.decode(write.body)
    return schema.go_printed(left_over(sent) if patch == patches.STRATEGIC_MERGE_PATCH else sent)


def delete(
    registry: Registry, request: web.BaseRequest, target: RequestTarget, body: bytes
) -> web.Response:
    """DELETE an object."""
    form = responses.wanted(request)
    options = request_body.delete_options(request, body)
    thing, gone = registry.delete(target.resource, target.namespace, target.name, options)
    if target.resource in ANSWERED_WITH_OBJECT or not gone:
        return responses.object_answer(form, target.resource, thing, registry.clock())
    return responses.answer(form, _success(target.resource, thing))


def _success(resource: Resource, thing: Object) -> Object:
    meta = thing["metadata"]
    details = {"name": meta["name"]}
    if resource.group:
        details["group"] = resource.group
    details |= {"kind": resource.plural, "uid": meta["uid"]}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": details,
    }


def delete_collection(
    registry: Registry, request: web.BaseRequest, target: RequestTarget, body: bytes
) -> web.Response:
    """DELETE all objects that the selectors match; answers with what it deleted."""
    options = request_body.delete_options(request, body)
    query = read_query(request, target)
    resource = target.resource
    deleted = []
    for thing in registry.store.all(resource, target.namespace):
        if query.matches(thing):
            meta = thing["metadata"]
            namespace = meta.get("namespace", "")
            deleted.append(registry.delete(resource, namespace, meta["name"], options)[0])
    typed = ("kind", "apiVersion")
    return responses.answer(
        query.form,
        {
            "kind": f"{resource.kind}List",
            "apiVersion": resource.api_version,
            "metadata": {"resourceVersion": str(registry.store.revision)},
            "items": [
                {key: value for key, value in thing.items() if key not in typed}
                for thing in deleted
            ],
        },
    )
