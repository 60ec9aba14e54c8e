"""The scale subresource of a ReplicaSet (pkg/registry/apps/replicaset/storage)."""

from __future__ import annotations

from aiohttp import web

from flashsale.embedded.apiserver.handlers import request_body, responses
from flashsale.embedded.apiserver.handlers.write import Write, patch_kind
from flashsale.embedded.apiserver.registry import Registry
from flashsale.embedded.apiserver.request_path import RequestTarget
from flashsale.embedded.patching import patches
from flashsale.embedded.selectors.label_selectors import format_label_selector
from flashsale.embedded.storage.store import encode
from flashsale.embedded.types import api_errors as apierrors
from flashsale.embedded.types import schema
from flashsale.embedded.types.strict_decoding import type_error
from flashsale.embedded.validation import validate_scale
from flashsale.objects.models import Object

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


def get(registry: Registry, target: RequestTarget) -> web.Response:
    """GET."""
    return responses.json_answer(scale_of(_replicaset(registry, target)))


def update(write: Write) -> web.Response:
    """PUT."""
    body = request_body.decode_object(write.request, write.body, KIND)
    schema.check_types(body, API_VERSION, KIND)
    return _set(write, schema.prune(body, API_VERSION, KIND))


def patch(write: Write) -> web.Response:
    """PATCH, in three ways."""
    kind = patch_kind(write)
    live = scale_of(_replicaset(write.registry, write.target))
    scale = patches.apply_patch(kind, write.body, live)
    wrong = type_error(scale, API_VERSION, KIND)
    if wrong:
        raise schema.patch_error(encode(scale).decode(), wrong)
    return _set(write, schema.prune(scale, API_VERSION, KIND))


def _replicaset(registry: Registry, target: RequestTarget) -> Object:
    return registry.get(target.resource, target.namespace, target.name)


def _set(write: Write, scale: Object) -> web.Response:
    target, registry = write.target, write.registry
    replicaset = _replicaset(registry, target)
    errors = validate_scale(scale)
    if errors:
        raise apierrors.invalid(KIND, "autoscaling", target.name, errors)
    meta = scale.get("metadata") or {}
    wanted = {key: meta[key] for key in ("uid", "resourceVersion") if meta.get(key)}
    body = replicaset | {
        "metadata": replicaset["metadata"] | {"resourceVersion": ""} | wanted,
        "spec": replicaset["spec"] | {"replicas": (scale.get("spec") or {}).get("replicas", 0)},
    }
    updated = registry.update(
        target.resource,
        target.namespace,
        target.name,
        body,
        dry_run=write.dry_run,
        track=write.track,
    )
    return responses.json_answer(scale_of(updated))
