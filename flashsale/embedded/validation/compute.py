"""Rules for requests and limits (validateResourceRequirements in validation.go)."""

from __future__ import annotations

from flashsale.embedded.types import quantities
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.validation import texts
from flashsale.embedded.validation.metadata import invalid
from flashsale.objects.models import Object

OF_CONTAINERS = ("cpu", "memory", "ephemeral-storage")
STANDARD = (*OF_CONTAINERS, "storage", "pods", "services", "secrets", "configmaps")
HUGE_PAGES = "hugepages-"


def validate_resources(resources: Object, field: str) -> list[FieldError]:
    """Check names and amounts, and that no request exceeds its limit."""
    errors, limits = [], resources.get("limits") or {}
    for name, amount in limits.items():
        errors += _amount(name, amount, f"{field}.limits[{name}]")
    for name, amount in (resources.get("requests") or {}).items():
        errors += _amount(name, amount, f"{field}.requests[{name}]")
        limit = limits.get(name)
        if limit is not None and quantities.compare(amount, limit) > 0:
            why = f"must be less than or equal to {name} limit of {limit}"
            errors.append(FieldError.invalid(f"{field}.requests", amount, why))
    return errors


def _amount(name: str, amount: str, field: str) -> list[FieldError]:
    errors = invalid(field, name, texts.qualified_name(name))
    if "/" not in name and not name.startswith(HUGE_PAGES):
        if name not in STANDARD:
            why = "must be a standard resource type or fully qualified"
            errors.append(FieldError.invalid(field, name, why))
        if name not in OF_CONTAINERS:
            why = "must be a standard resource for containers"
            errors.append(FieldError.invalid(field, name, why))
    negative = quantities.parse_quantity(amount) < 0
    return errors + invalid(field, amount, [texts.NOT_NEGATIVE] if negative else [])
