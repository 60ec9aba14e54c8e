"""Validation of namespaces (pkg/apis/core/validation): of what holds one until it is empty."""

from __future__ import annotations

from flashsale.embedded.types import texts
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.validation.field_checks import invalid
from flashsale.embedded.validation.metadata import NOT_STANDARD, STANDARD_FINALIZERS
from flashsale.objects.models import Object


def validate_namespace(namespace: Object) -> list[FieldError]:
    """Check the spec of a new namespace."""
    names = (namespace.get("spec") or {}).get("finalizers") or []
    return [error for name in names for error in _finalizer(name, "spec.finalizers")]


def validate_namespace_finalizers(namespace: Object) -> list[FieldError]:
    """Check what `namespaces/NAME/finalize` is sent (ValidateNamespaceFinalizeUpdate)."""
    names = enumerate((namespace.get("spec") or {}).get("finalizers") or [])
    return [error for at, name in names for error in _finalizer(name, f"spec.finalizers[{at}]")]


def _finalizer(name: str, field: str) -> list[FieldError]:
    errors = invalid(field, name, texts.qualified_name(name))
    if "/" not in name and name not in STANDARD_FINALIZERS:
        errors += invalid(field, name, [NOT_STANDARD])
    return errors
