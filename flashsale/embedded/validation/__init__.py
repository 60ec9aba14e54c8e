"""Whether an object may be stored: the rules behind a 422.

Objects must have been decoded and defaulted before (``schema``, ``defaults``). The order of errors
is the API server's, because kubectl prints them in that order.
"""

from __future__ import annotations

from collections.abc import Callable

from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.types.resources import (
    ENDPOINT_SLICES,
    LEASES,
    PODS,
    PRIORITY_CLASSES,
    REPLICA_SETS,
    SERVICES,
    Resource,
)
from flashsale.embedded.validation.field_checks import Errors
from flashsale.embedded.validation.metadata import (
    LOOSE_FINALIZERS,
    LOOSELY_NAMED,
    validate_common,
    validate_core_metadata_update,
    validate_metadata,
    validate_metadata_update,
)
from flashsale.embedded.validation.other_kinds import (
    validate_changed_slice,
    validate_rest,
    validate_rest_update,
)
from flashsale.embedded.validation.pod.spec import validate_pod
from flashsale.embedded.validation.pod.update import validate_pod_update
from flashsale.embedded.validation.replicasets import (
    validate_replica_counts,
    validate_replicaset,
    validate_replicaset_update,
    validate_scale,
)
from flashsale.embedded.validation.services import (
    validate_load_balancer,
    validate_service,
    validate_service_update,
)
from flashsale.objects.models import Object

__all__ = ["validate_create", "validate_scale", "validate_status", "validate_update"]

CREATE: dict[Resource, Callable[[Object], Errors]] = {
    PODS: validate_pod,
    REPLICA_SETS: validate_replicaset,
    SERVICES: validate_service,
}
UPDATE: dict[Resource, Callable[[Object, Object], Errors]] = {
    PODS: validate_pod_update,
    REPLICA_SETS: validate_replicaset_update,
    SERVICES: validate_service_update,
}
STATUS: dict[Resource, Callable[[Object], Errors]] = {
    REPLICA_SETS: validate_replica_counts,
    SERVICES: validate_load_balancer,
}


def validate_create(resource: Resource, obj: Object) -> list[FieldError]:
    """Say what is wrong with a new object; nothing if it may be stored."""
    if resource in CREATE:
        return list(CREATE[resource](obj))
    rest, metadata = list(validate_rest(resource, obj)), validate_metadata(resource, obj)
    if resource in LOOSELY_NAMED:  # whose metadata is only looked at if all else is well
        return rest or list(metadata)
    return [*metadata, *rest]


def validate_status(resource: Resource, new: Object) -> list[FieldError]:
    """Say what is wrong with an object whose status was written."""
    return list(STATUS[resource](new)) if resource in STATUS else []


def validate_update(resource: Resource, new: Object, old: Object) -> list[FieldError]:
    """Say what is wrong with an object that is to replace another.

    Metadata are judged several times, as in Kubernetes: each time leaves a cause in the Status.
    """
    errors = [*validate_common(new.get("metadata") or {})]  # before the kind's own checks
    errors += validate_metadata_update(new, old)
    if resource in UPDATE:
        return [*errors, *UPDATE[resource](new, old)]
    if resource is LEASES:
        errors += validate_metadata_update(new, old)
    elif resource not in (ENDPOINT_SLICES, *LOOSELY_NAMED):
        errors += validate_core_metadata_update(new, old)
    if resource not in LOOSE_FINALIZERS:
        errors += validate_metadata(resource, new)
    if resource is ENDPOINT_SLICES:  # as far as they are new
        return [*errors, *validate_changed_slice(new, old)]
    errors += validate_rest_update(resource, new, old)
    return errors if resource is PRIORITY_CLASSES else [*errors, *validate_rest(resource, new)]
