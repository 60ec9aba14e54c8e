"""Create, update, patch and delete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from aiohttp import web

from flashsale.embedded.apiserver.handlers import request_body, responses, yaml_body
from flashsale.embedded.apiserver.handlers.read import read_query
from flashsale.embedded.apiserver.registry import Registry
from flashsale.embedded.apiserver.request_path import RequestTarget
from flashsale.embedded.patching import patches
from flashsale.embedded.patching.server_side_apply import configuration
from flashsale.embedded.storage.store import encode
from flashsale.embedded.types import api_errors, schema, strict_decoding
from flashsale.embedded.types.api_errors import FieldError, StatusError
from flashsale.embedded.types.resources import NAMESPACES, PODS, SERVICES, Resource
from flashsale.embedded.types.schema import FieldValidation
from flashsale.objects.models import Object, rfc3339

APPLY = "application/apply-patch+yaml"
ANSWERED_WITH_OBJECT = (PODS, SERVICES, NAMESPACES)  # a deletion of others answers with a Status


@dataclass(frozen=True, slots=True)
class Write:
    """What every write request carries besides its body."""

    registry: Registry
    request: web.BaseRequest
    target: RequestTarget
    body: bytes
    dry_run: bool
    validation: FieldValidation
    manager: str

    def track(self, before: Object | None, after: Object) -> Object:
        """Note in managedFields what this writer changed."""
        return configuration.track_update(
            before,
            after,
            manager=self.manager,
            api_version=self.target.resource.api_version,
            subresource=self.target.subresource,
            now=rfc3339(self.registry.clock()),
        )

    def answer(self, thing: Object, status: int, warnings: list[str]) -> web.Response:
        """Answer with the written object, and warn of fields that were dropped."""
        form = responses.wanted(self.request)
        response = responses.object_answer(
            form, self.target.resource, thing, self.registry.clock(), status
        )
        for text in warnings:
            responses.warn(response, text)
        return response

    def warnings(self, unknown: list[str]) -> list[str]:
        """Word the warnings for dropped fields, where they are wanted."""
        wanted = unknown if self.validation == "Warn" else []
        return [f'unknown field "{path}"' for path in wanted]


async def read_write(registry: Registry, request: web.BaseRequest, target: RequestTarget) -> Write:
    """Read the body and the query of a write.

    Raises:
        ApiError: 413, 422 for unknown values of dryRun and fieldValidation.
    """
    asked = request.query.get("fieldValidation") or "Warn"
    validation = next((known for known in get_args(FieldValidation) if known == asked), None)
    if validation is None:
        error = FieldError.unsupported("fieldValidation", asked, get_args(FieldValidation))
        raise api_errors.invalid("CreateOptions", "meta.k8s.io", "", [error])
    return Write(
        registry=registry,
        request=request,
        target=target,
        body=await request_body.read(request),
        dry_run=request_body.is_dry_run(dict(request.query)),
        validation=validation,
        manager=request_body.manager(request),
    )


def create(write: Write) -> web.Response:
    """POST to a collection."""
    resource = write.target.resource
    body = request_body.decode_object(write.request, write.body, resource.kind)
    body, warnings = schema.decode(resource, body, write.validation)
    made = write.registry.create(
        resource, write.target.namespace, body, dry_run=write.dry_run, track=write.track
    )
    return write.answer(made, 201, warnings)


def update(write: Write) -> web.Response:
    """PUT to an object or its status."""
    resource, target = write.target.resource, write.target
    body = request_body.decode_object(write.request, write.body, resource.kind)
    body, warnings = schema.decode(resource, body, write.validation)
    updated = write.registry.update(
        resource,
        target.namespace,
        target.name,
        body,
        subresource=target.subresource,
        dry_run=write.dry_run,
        track=write.track,
    )
    return write.answer(updated, 200, warnings)


def patch(write: Write) -> web.Response:
    """PATCH an object or its status, in any of the four ways."""
    kind = patch_kind(write)
    if kind == APPLY:
        return _apply(write)
    resource, target = write.target.resource, write.target
    live = write.registry.get(resource, target.namespace, target.name)
    patched = patches.apply_patch(kind, write.body, live)
    patched, warnings = decoded_patch(write, patched)
    updated = write.registry.update(
        resource,
        target.namespace,
        target.name,
        patched,
        subresource=target.subresource,
        dry_run=write.dry_run,
        track=write.track,
        keep_managed_fields=False,  # the patch was laid over the live object, theirs included
    )
    return write.answer(updated, 200, warnings)


def patch_kind(write: Write) -> str:
    """Return the kind of patch; an unknown one is refused before the object is looked for.

    Raises:
        ApiError: 415.
    """
    kind = request_body.media_type(write.request)
    if kind not in (*patches.KINDS, APPLY):
        raise api_errors.unsupported_patch()
    return kind


def _apply(write: Write) -> web.Response:
    """Server-side apply: create or merge, by who owns which field (KEP-555)."""
    resource, target, registry = write.target.resource, write.target, write.registry
    if not write.request.query.get("fieldManager"):
        error = FieldError.required("fieldManager", "is required for apply patch")
        raise api_errors.invalid("PatchOptions", "meta.k8s.io", "", [error])
    applied = yaml_body.decode(write.body)
    if not isinstance(applied, dict):
        raise api_errors.bad_request("error decoding YAML: the applied configuration is no object")
    unknown = strict_decoding.unknown_fields(applied, resource.api_version, resource.kind)
    if unknown and write.validation == "Strict":
        raise _typed_patch_error(write, unknown[0])
    applied, warnings = schema.decode(resource, applied, write.validation)
    live = registry.store.get(resource, target.namespace, target.name)
    merged = configuration.apply(
        live,
        applied,
        manager=write.manager,
        force=write.request.query.get("force", "") in ("true", "1"),
        api_version=resource.api_version,
        subresource=target.subresource,
        now=rfc3339(registry.clock()),
    )
    if live is None:
        meta = (merged.get("metadata") or {}) | {"name": target.name}
        made = registry.create(
            resource, target.namespace, merged | {"metadata": meta}, dry_run=write.dry_run
        )
        return write.answer(made, 201, warnings)
    updated = registry.update(
        resource,
        target.namespace,
        target.name,
        merged,
        subresource=target.subresource,
        dry_run=write.dry_run,
        keep_managed_fields=False,
    )
    return write.answer(updated, 200, warnings)


def _typed_patch_error(write: Write, path: str) -> StatusError:
    target, resource = write.target, write.target.resource
    where = f"{target.namespace}/{target.name}" if resource.namespaced else f"/{target.name}"
    message = (
        f"failed to create typed patch object ({where}; {resource.api_version}, "
        f"Kind={resource.kind}): .{path}: field not declared in schema"
    )
    return StatusError(500, "", message)


def decoded_patch(write: Write, patched: Object) -> tuple[Object, list[str]]:
    """Check the outcome of a patch, where mistakes are 422 of a nameless kind.

    Raises:
        ApiError: 422.
    """
    resource = write.target.resource
    version, kind = resource.api_version, resource.kind
    wrong = strict_decoding.type_error(patched, version, kind)
    if wrong:
        raise schema.patch_error(encode(patched).decode(), wrong)
    unknown = strict_decoding.unknown_fields(patched, version, kind)
    if unknown and write.validation == "Strict":
        shown = schema.go_printed(request_body.decode_json(write.body))
        raise schema.patch_error(shown, schema.strict_error(unknown))
    return schema.prune(patched, version, kind), write.warnings(unknown)


async def delete(
    registry: Registry, request: web.BaseRequest, target: RequestTarget, body: bytes
) -> web.Response:
    """DELETE an object."""
    options = request_body.delete_options(request, body)
    thing, gone = registry.delete(target.resource, target.namespace, target.name, options)
    if target.resource in ANSWERED_WITH_OBJECT or not gone:
        form = responses.wanted(request)
        return responses.object_answer(form, target.resource, thing, registry.clock())
    return responses.json_answer(_success(target.resource, thing))


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


async def delete_collection(
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
    return responses.json_answer(
        {
            "kind": f"{resource.kind}List",
            "apiVersion": resource.api_version,
            "metadata": {"resourceVersion": str(registry.store.revision)},
            "items": deleted,
        }
    )
