"""Validation of namespaces (pkg/apis/core/validation): of what holds one until it is empty."""

from __future__ import annotations

from flashsale.embedded.validation.field_checks import Errors, each
from flashsale.embedded.validation.metadata import validate_finalizer
from flashsale.objects.models import Object


def validate_namespace(namespace: Object) -> Errors:
    for name in (namespace.get("spec") or {}).get("finalizers") or []:
        yield from validate_finalizer(name, "spec.finalizers")


def validate_namespace_finalizers(namespace: Object) -> Errors:
    """Check what `namespaces/NAME/finalize` is sent (ValidateNamespaceFinalizeUpdate)."""
    for at, name in each(namespace.get("spec") or {}, "finalizers", "spec"):
        yield from validate_finalizer(name, at)
