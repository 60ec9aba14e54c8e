"""Whether an object may be stored: the rules behind a 422.

Objects must have been decoded and defaulted before (``schema``, ``defaults``). The order of errors
is the API server's, because kubectl prints them in that order.
"""

from __future__ import annotations

from collections.abc import Callable

from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.types.resources import CONFIG_MAPS, PODS, REPLICA_SETS, SERVICES, Resource
from flashsale.embedded.validation import texts
from flashsale.embedded.validation.metadata import (
    invalid,
    validate_metadata,
    validate_metadata_update,
)
from flashsale.embedded.validation.pods import validate_pod, validate_pod_update
from flashsale.embedded.validation.replicasets import (
    validate_replicaset,
    validate_replicaset_update,
    validate_scale,
)
from flashsale.embedded.validation.services import validate_service, validate_service_update
from flashsale.objects.models import Object

__all__ = ["validate_create", "validate_scale", "validate_update"]

CREATE: dict[Resource, Callable[[Object], list[FieldError]]] = {
    PODS: validate_pod,
    REPLICA_SETS: validate_replicaset,
    SERVICES: validate_service,
}
UPDATE: dict[Resource, Callable[[Object, Object], list[FieldError]]] = {
    PODS: validate_pod_update,
    REPLICA_SETS: validate_replicaset_update,
    SERVICES: validate_service_update,
}


def validate_create(resource: Resource, obj: Object) -> list[FieldError]:
    """Say what is wrong with a new object; nothing if it may be stored."""
    if resource in CREATE:
        return CREATE[resource](obj)
    return validate_metadata(resource, obj) + _rest(resource, obj)


def validate_update(resource: Resource, new: Object, old: Object) -> list[FieldError]:
    """Say what is wrong with an object that is to replace another."""
    if resource in UPDATE:
        return UPDATE[resource](new, old)
    return validate_metadata_update(new, old) + _rest(resource, new)


def _rest(resource: Resource, obj: Object) -> list[FieldError]:
    """Kinds that users hardly write by hand are checked for little."""
    errors = []
    if resource is CONFIG_MAPS:
        for part in ("data", "binaryData"):
            for key in obj.get(part) or {}:
                errors += invalid(f"{part}[{key}]", key, texts.config_key(key))
    return errors
