"""The scale subresource of a ReplicaSet (pkg/registry/apps/replicaset/storage)."""

from __future__ import annotations

from aiohttp import web

from flashsale.embedded.apiserver.handlers import responses
from flashsale.embedded.apiserver.handlers.patch import (
    applied_configuration,
    decoded_patch,
    patch_kind,
)
from flashsale.embedded.apiserver.handlers.write import APPLY, Write, decoded
from flashsale.embedded.apiserver.registry import incoming
from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.apiserver.request_path import RequestTarget
from flashsale.embedded.patching import patches
from flashsale.embedded.patching.server_side_apply import configuration
from flashsale.embedded.selectors.label_selectors import format_label_selector
from flashsale.embedded.types import schema
from flashsale.embedded.types.resources import Resource
from flashsale.embedded.validation import validate_scale
from flashsale.objects.models import Object, rfc3339

SCALE = Resource("autoscaling", "v1", "scales", "scale", "Scale")
COPIED = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def scale_of(replicaset: Object) -> Object:
    """Return the Scale of a ReplicaSet; zero replicas are left out, as in Kubernetes' JSON."""
    meta, spec = replicaset["metadata"], replicaset["spec"]
    replicas = spec.get("replicas", 1)
    return {
        "kind": SCALE.kind,
        "apiVersion": SCALE.api_version,
        "metadata": {key: meta[key] for key in COPIED},
        "spec": {"replicas": replicas} if replicas else {},
        "status": {
            "replicas": (replicaset.get("status") or {}).get("replicas", 0),
            "selector": format_label_selector(spec["selector"]),
        },
    }


def get_scale(registry: Registry, request: web.BaseRequest, target: RequestTarget) -> web.Response:
    form = responses.wanted(request)
    scale = scale_of(registry.get(*target.key))
    return responses.object_answer(form, SCALE, scale, registry.clock())


def update_scale(write: Write) -> web.Response:
    return _set(write, decoded(write, SCALE))


def patch_scale(write: Write) -> web.Response:
    kind = patch_kind(write)
    replicaset = write.registry.get(*write.target.key)
    live = scale_of(replicaset)
    if kind == APPLY:
        return _apply(write, replicaset, live)
    owned = _with_owners(live, replicaset)
    scale = patches.apply_patch(kind, write.body, owned)
    return _set(write, decoded_patch(write, kind, scale, owned, SCALE))


def _with_owners(scale: Object, replicaset: Object) -> Object:
    """Return a Scale that says who owns its replicas."""
    entries = configuration.scale_entries(replicaset, SCALE.api_version)
    meta = scale["metadata"] | ({"managedFields": entries} if entries else {})
    return scale | {"metadata": meta}


def _apply(write: Write, replicaset: Object, live: Object) -> web.Response:
    """Server-side apply: who owns the replicas of the ReplicaSet owns those of its Scale."""
    applied = applied_configuration(write, SCALE)
    merged = configuration.apply_configuration(
        _with_owners(live, replicaset),
        schema.prune(applied, SCALE.api_version, SCALE.kind),
        manager=write.options.manager,
        force=write.options.force,
        api_version=SCALE.api_version,
        subresource="scale",
        now=rfc3339(write.registry.clock()),
    )
    return _set(write, merged)


def _set(write: Write, scale: Object) -> web.Response:
    target, registry = write.target, write.registry
    replicaset = registry.get(*target.key)
    incoming.refuse(SCALE, target.name, validate_scale(scale))
    meta = scale.get("metadata") or {}
    write.check_matches_url(scale)
    wanted = {key: meta[key] for key in ("uid", "resourceVersion") if meta.get(key)}

    def track(before: Object | None, after: Object) -> Object:
        if not configuration.scale_entries(replicaset, SCALE.api_version):
            return configuration.without_replicas(after)  # a Scale gives no owner to what has none
        return configuration.after_scale(write.track(before, after), SCALE.api_version)

    body = replicaset | {
        "metadata": replicaset["metadata"] | {"resourceVersion": ""} | wanted,
        "spec": replicaset["spec"] | {"replicas": (scale.get("spec") or {}).get("replicas", 0)},
    }
    updated = registry.update(*target.key, body, dry_run=write.options.dry_run, track=track)
    return responses.object_answer(write.form, SCALE, scale_of(updated), registry.clock())
