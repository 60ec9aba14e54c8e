"""POST to a pod's `binding`, or to `bindings`: gives a pod to a node, as a scheduler does.

After pkg/registry/core/pod/storage/storage.go (BindingREST).
"""

from __future__ import annotations

from aiohttp import web

from flashsale.embedded.apiserver.handlers import request_body, responses
from flashsale.embedded.apiserver.handlers.subresources.eviction import SUCCESS
from flashsale.embedded.apiserver.handlers.write import Write, decoded
from flashsale.embedded.apiserver.registry import incoming
from flashsale.embedded.types import api_errors
from flashsale.embedded.types.api_errors import FieldError, StatusError
from flashsale.embedded.types.resources import BINDINGS, PODS, Resource
from flashsale.objects.models import Object

CONFLICTS = Resource("", "v1", "pods/binding", "binding", "Binding")  # as conflicts name them
KINDS = ("Node", "<empty>")


def create_binding(write: Write) -> web.Response:
    """Bind a pod.

    Raises:
        StatusError: 400 for another name, 404, 409 for a pod that cannot be bound, 500 (as in
            Kubernetes) for a target that is no node.
    """
    binding, target = decoded(write, BINDINGS), write.target
    meta = binding.get("metadata") or {}
    name = target.name or meta.get("name") or ""
    if not name:
        raise api_errors.bad_request("Name parameter required.")
    if not target.name:
        request_body.check_matches_url(BINDINGS, meta, name, target.namespace)
    elif meta.get("name") != name:
        raise api_errors.bad_request("name in URL does not match name in Binding object")
    _check_target(binding.get("target") or {})
    pod = write.registry.get(PODS, target.namespace, name)
    incoming.check_uid(PODS, pod, meta.get("uid") or "")
    _check_unbound(pod)
    if not write.options.dry_run:
        _bind(write, pod, binding)
    return responses.json_answer(SUCCESS, 201)


def _check_target(target: Object) -> None:
    errors = []
    if target.get("kind") not in (None, "", "Node"):
        errors.append(FieldError.unsupported("target.kind", target["kind"], KINDS))
    if not target.get("name"):
        errors.append(FieldError.required("target.name"))
    if errors:
        texts = [f"{error.field}: {error.body}" for error in errors]
        raise StatusError(500, "", api_errors.aggregate(texts))


def _check_unbound(pod: Object) -> None:
    meta, spec = pod["metadata"], pod["spec"]
    name = meta["name"]
    why = ""
    if "deletionTimestamp" in meta:
        why = f"pod {name} is being deleted, cannot be assigned to a host"
    elif spec.get("nodeName"):
        why = f'pod {name} is already assigned to node "{spec["nodeName"]}"'
    elif spec.get("schedulingGates"):
        why = f"pod {name} has non-empty .spec.schedulingGates"
    if why:
        raise api_errors.conflict(CONFLICTS, name, why)


def _bind(write: Write, pod: Object, binding: Object) -> None:
    """Set the node, with the labels and annotations that the binding brings."""
    meta = dict(pod["metadata"])
    for key in ("labels", "annotations"):
        if brought := (binding.get("metadata") or {}).get(key):
            meta[key] = (meta.get(key) or {}) | brought
    write.registry.bind(pod | {"metadata": meta}, binding["target"]["name"])
