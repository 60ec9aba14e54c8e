"""What makes the cluster be as its objects say: one controller a subject, its plan pure.

``run`` of each works until it is cancelled.
"""

from __future__ import annotations

from flashsale.embedded.types.resources import Resource
from flashsale.objects.models import Object

MANAGER = "kube-controller-manager"  # in managedFields: the real controllers are one program


def owner_reference(resource: Resource, owner: Object) -> Object:
    """Return the reference that makes an object the controller of another."""
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
