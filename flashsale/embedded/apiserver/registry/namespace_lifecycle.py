"""What namespaces forbid (plugin/pkg/admission/namespace/lifecycle)."""

from __future__ import annotations

from flashsale.embedded.storage.store import Store
from flashsale.embedded.types import api_errors
from flashsale.embedded.types.resources import NAMESPACES, Resource
from flashsale.objects.models import Object

PERMANENT_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")


def check_create(store: Store, resource: Resource, namespace: str) -> None:
    """Refuse a new object in a namespace that is not there, or on its way out.

    Raises:
        StatusError: 404, 403.
    """
    if not resource.namespaced:
        return
    if "deletionTimestamp" in _namespace(store, namespace)["metadata"]:
        raise api_errors.StatusError(
            403,
            "Forbidden",
            f"{resource.qualified} is forbidden: unable to create new content in namespace "
            f"{namespace} because it is being terminated",
            {"kind": resource.plural},
        )


def check_update(store: Store, resource: Resource, namespace: str) -> None:
    """Refuse to change what a namespace left behind that was finalized by hand.

    Raises:
        StatusError: 404.
    """
    if resource.namespaced:
        _namespace(store, namespace)


def _namespace(store: Store, name: str) -> Object:
    namespace = store.get(NAMESPACES, "", name)
    if namespace is None:
        raise api_errors.not_found(NAMESPACES, name)
    return namespace


def check_delete(resource: Resource, name: str) -> None:
    """Refuse to delete a namespace that every cluster has.

    Raises:
        StatusError: 403.
    """
    if resource is NAMESPACES and name in PERMANENT_NAMESPACES:
        raise api_errors.forbidden(NAMESPACES, name, "this namespace may not be deleted")
