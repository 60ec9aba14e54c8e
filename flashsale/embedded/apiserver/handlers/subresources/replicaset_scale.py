"""The scale subresource of a ReplicaSet (pkg/registry/apps/replicaset/storage)."""

from __future__ import annotations

from aiohttp import web

from flashsale.embedded.apiserver.handlers import request_body, responses
from flashsale.embedded.apiserver.handlers.patch import (
    applied_configuration,
    decoded_patch,
    patch_kind,
)
from flashsale.embedded.apiserver.handlers.responses import Wanted
from flashsale.embedded.apiserver.handlers.write import APPLY, Write
from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.apiserver.request_path import RequestTarget
from flashsale.embedded.patching import patches
from flashsale.embedded.patching.server_side_apply import configuration, typed_errors
from flashsale.embedded.printers import tables
from flashsale.embedded.selectors.label_selectors import format_label_selector
from flashsale.embedded.types import api_errors, schema, strict_decoding
from flashsale.embedded.types.resources import REPLICA_SETS
from flashsale.embedded.validation import validate_scale
from flashsale.objects.models import Object, rfc3339

API_VERSION, KIND = "autoscaling/v1", "Scale"
COPIED = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def scale_of(replicaset: Object) -> Object:
    """Return the Scale of a ReplicaSet; zero replicas are left out, as in Kubernetes' JSON."""
    meta, spec = replicaset["metadata"], replicaset["spec"]
    replicas = spec.get("replicas", 1)
    return {
        "kind": KIND,
        "apiVersion": API_VERSION,
        "metadata": {key: meta[key] for key in COPIED},
        "spec": {"replicas": replicas} if replicas else {},
        "status": {
            "replicas": (replicaset.get("status") or {}).get("replicas", 0),
            "selector": format_label_selector(spec["selector"]),
        },
    }


def get_scale(registry: Registry, request: web.BaseRequest, target: RequestTarget) -> web.Response:
    """GET."""
    form = responses.wanted(request)
    return _answer(form, registry, scale_of(_replicaset(registry, target)))


def update_scale(write: Write) -> web.Response:
    """PUT."""
    sent = request_body.decode_body(write.request, write.body, KIND)
    body = sent.content
    schema.check_kind("autoscaling", API_VERSION, KIND, body)
    schema.check_types(body, API_VERSION, KIND)
    unknown = strict_decoding.unknown_fields(body, API_VERSION, KIND)
    if (unknown or sent.duplicates) and write.options.validation == "Strict":
        prefix = f'{KIND} in version "v1" cannot be handled as a {KIND}: '
        raise api_errors.bad_request(prefix + schema.strict_error(unknown, sent.duplicates))
    write.warn_of_fields(unknown, sent.duplicates)
    return _set(write, schema.prune(body, API_VERSION, KIND))


def patch_scale(write: Write) -> web.Response:
    """PATCH, in any of the four ways."""
    kind = patch_kind(write)
    replicaset = _replicaset(write.registry, write.target)
    live = scale_of(replicaset)
    if kind == APPLY:
        return _apply(write, replicaset, live)
    owned = _with_owners(live, replicaset)
    scale = patches.apply_patch(kind, write.body, owned)
    return _set(
        write, decoded_patch(write, kind, scale, owned, api_version=API_VERSION, whole=KIND)
    )


def _with_owners(scale: Object, replicaset: Object) -> Object:
    """Return a Scale that says who owns its replicas."""
    entries = configuration.scale_entries(replicaset, API_VERSION)
    meta = scale["metadata"] | ({"managedFields": entries} if entries else {})
    return scale | {"metadata": meta}


def _apply(write: Write, replicaset: Object, live: Object) -> web.Response:
    """Server-side apply: who owns the replicas of the ReplicaSet owns those of its Scale."""
    applied = applied_configuration(write, API_VERSION, KIND)
    wrong = typed_errors.first_type_error(applied, API_VERSION, KIND)
    if wrong:
        raise configuration.untyped(applied, API_VERSION, wrong)
    merged = configuration.apply_configuration(
        _with_owners(live, replicaset),
        schema.prune(applied, API_VERSION, KIND),
        manager=write.options.manager,
        force=write.options.force,
        api_version=API_VERSION,
        subresource="scale",
        now=rfc3339(write.registry.clock()),
    )
    return _set(write, merged)


def _replicaset(registry: Registry, target: RequestTarget) -> Object:
    return registry.get(target.resource, target.namespace, target.name)


def _set(write: Write, scale: Object) -> web.Response:
    target, registry = write.target, write.registry
    replicaset = _replicaset(registry, target)
    errors = validate_scale(scale)
    if errors:
        raise api_errors.invalid_object(KIND, "autoscaling", target.name, errors)
    meta = scale.get("metadata") or {}
    write.check_matches_url(scale)
    wanted = {key: meta[key] for key in ("uid", "resourceVersion") if meta.get(key)}

    def track(before: Object | None, after: Object) -> Object:
        if not configuration.scale_entries(replicaset, API_VERSION):
            return configuration.without_replicas(after)  # a Scale gives no owner to what has none
        return configuration.after_scale(write.track(before, after), API_VERSION)

    body = replicaset | {
        "metadata": replicaset["metadata"] | {"resourceVersion": ""} | wanted,
        "spec": replicaset["spec"] | {"replicas": (scale.get("spec") or {}).get("replicas", 0)},
    }
    updated = registry.update(
        target.resource,
        target.namespace,
        target.name,
        body,
        dry_run=write.options.dry_run,
        track=track,
    )
    return _answer(write.form, registry, scale_of(updated))


def _answer(form: Wanted, registry: Registry, scale: Object) -> web.Response:
    if not form.table:
        return responses.answer(form, scale)
    revision = scale["metadata"]["resourceVersion"]
    below = next(sub for sub in REPLICA_SETS.subresources if sub.kind == KIND)
    table = tables.print_table(
        below, [scale], now=registry.clock(), revision=revision, include=form.include
    )
    return responses.answer(form, table | {"apiVersion": f"meta.k8s.io/{form.version}"})
