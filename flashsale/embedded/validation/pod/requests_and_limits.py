"""Rules for requests and limits (validateResourceRequirements in validation.go)."""

from __future__ import annotations

from flashsale.embedded.types import quantities
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.validation import texts
from flashsale.embedded.validation.metadata import invalid
from flashsale.objects.models import Object

OF_CONTAINERS = ("cpu", "memory", "ephemeral-storage")
STANDARD = (*OF_CONTAINERS, "storage", "pods", "services", "secrets", "configmaps")
COMPUTE = ("cpu", "memory")
HUGE_PAGES = "hugepages-"
NATIVE = "kubernetes.io/"


def validate_resources(resources: Object, field: str) -> list[FieldError]:
    """Check names and amounts, and that no request exceeds its limit."""
    errors: list[FieldError] = []
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for name, amount in limits.items():
        errors += _amount(name, amount, f"{field}.limits[{name}]")
    for name, amount in requests.items():
        errors += _amount(name, amount, f"{field}.requests[{name}]")
        errors += _request(name, amount, limits.get(name), field)
    names = {*limits, *requests}
    if any(name.startswith(HUGE_PAGES) for name in names) and not names & set(COMPUTE):
        errors.append(FieldError.forbidden(field, "HugePages require cpu or memory"))
    for index, claim in enumerate(resources.get("claims") or []):
        at, name = f"{field}.claims[{index}]", claim.get("name") or ""
        if not name:
            errors.append(FieldError.required(f"{at}.name"))
        else:
            why = "must be one of the names in pod.spec.resourceClaims which is empty"
            errors.append(FieldError.not_found(at, name, why))
    return errors


def is_extended(name: str) -> bool:
    """Whether a resource is none of Kubernetes' own, a device for example."""
    return "/" in name and NATIVE not in name


def _request(name: str, amount: str, limit: str | None, field: str) -> list[FieldError]:
    exact = is_extended(name) or name.startswith(
        HUGE_PAGES
    )  # nobody may ask for more than is there
    if limit is None:
        why = "Limit must be set for non overcommitable resources"
        return [FieldError.required(f"{field}.limits", why)] if exact else []
    order = quantities.compare(amount, limit)
    if order and exact:
        why = f"must be equal to {name} limit of {limit}"
        return [FieldError.invalid(f"{field}.requests", amount, why)]
    why = f"must be less than or equal to {name} limit of {limit}"
    return invalid(f"{field}.requests", amount, [why] if order > 0 else [])


def _amount(name: str, amount: str, field: str) -> list[FieldError]:
    errors = invalid(field, name, texts.qualified_name(name))
    if "/" not in name and not name.startswith(HUGE_PAGES):
        if name not in STANDARD and not errors:
            why = "must be a standard resource type or fully qualified"
            errors.append(FieldError.invalid(field, name, why))
        if name not in OF_CONTAINERS:
            why = "must be a standard resource for containers"
            errors.append(FieldError.invalid(field, name, why))
    number = quantities.parse_quantity(amount)
    errors += invalid(field, amount, [texts.NOT_NEGATIVE] if number < 0 else [])
    if is_extended(name) and number != number.to_integral_value():
        errors.append(FieldError.invalid(field, amount, "must be an integer"))
    return errors
