"""Rules for requests and limits (validateResourceRequirements in validation.go)."""

from __future__ import annotations

from decimal import Decimal

from flashsale.embedded.types import quantities, texts
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.validation.field_checks import invalid
from flashsale.objects.models import Object

OF_CONTAINERS = ("cpu", "memory", "ephemeral-storage")
STANDARD = (*OF_CONTAINERS, "storage", "pods", "services", "secrets", "configmaps")
COMPUTE = ("cpu", "memory")
HUGE_PAGES = "hugepages-"
QUOTA = "requests."  # before names of extended resources in quotas
NATIVE = "kubernetes.io/"


def validate_resources(resources: Object, field: str, *, of_pod: bool = False) -> list[FieldError]:
    """Check names and amounts, and that no request exceeds its limit."""
    errors: list[FieldError] = []
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for name, amount in limits.items():
        errors += _amount(name, amount, f"{field}.limits[{name}]", of_pod=of_pod)
    for name, amount in requests.items():
        errors += _amount(name, amount, f"{field}.requests[{name}]", of_pod=of_pod)
        errors += _request(name, amount, limits.get(name), field)
    names = {*limits, *requests}
    if any(name.startswith(HUGE_PAGES) for name in names) and not names & set(COMPUTE):
        errors.append(FieldError.forbidden(field, "HugePages require cpu or memory"))
    return errors + _claims(resources.get("claims") or [], field)


def _claims(claims: list[Object], field: str) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, claim in enumerate(claims):
        at, name = f"{field}.claims[{index}]", claim.get("name") or ""
        if not name:
            errors.append(FieldError.required(at))
            continue
        if name in seen:
            errors.append(FieldError.duplicate(at, name))
        seen.add(name)
        why = "must be one of the names in pod.spec.resourceClaims which is empty"
        errors.append(FieldError.not_found(at, name, why))
    return errors


def is_extended(name: str) -> bool:
    """Whether a resource is not one of Kubernetes' own: a device, for example."""
    return "/" in name and NATIVE not in name


def _request(name: str, amount: str, limit: str | None, field: str) -> list[FieldError]:
    exact = is_extended(name) or name.startswith(
        HUGE_PAGES
    )  # nobody may ask for more than is there
    if limit is None:
        why = "Limit must be set for non overcommitable resources"
        return [FieldError.required(f"{field}.limits", why)] if exact else []
    order = quantities.compare_quantities(amount, limit)
    if order and exact:
        why = f"must be equal to {name} limit of {limit}"
        return [FieldError.invalid(f"{field}.requests", amount, why)]
    why = f"must be less than or equal to {name} limit of {limit}"
    return invalid(f"{field}.requests", amount, [why] if order > 0 else [])


def _amount(name: str, amount: str, field: str, *, of_pod: bool) -> list[FieldError]:
    errors = invalid(field, name, texts.qualified_name(name))
    if of_pod:
        errors += _pod_name(name, field, errors)
    elif "/" not in name and not name.startswith(HUGE_PAGES):
        if name not in STANDARD and not errors:
            why = "must be a standard resource type or fully qualified"
            errors.append(FieldError.invalid(field, name, why))
        if name not in OF_CONTAINERS:
            why = "must be a standard resource for containers"
            errors.append(FieldError.invalid(field, name, why))
    elif name.startswith(QUOTA) and name.count("/") == 1:
        errors.append(
            FieldError.invalid(field, name, "doesn't follow extended resource name standard")
        )
    errors += validate_amount(name, amount, field)
    number = quantities.parse_quantity(amount)
    if name.startswith(HUGE_PAGES) and not _fits_pages(name, number):
        why = f"{amount} is not positive integer multiple of {name}"
        errors.append(FieldError.invalid(field, amount, why))
    return errors


def validate_amount(name: str, amount: str, field: str) -> list[FieldError]:
    """Check an amount of a resource (ValidateResourceQuantityValue)."""
    number = quantities.parse_quantity(amount)
    errors = invalid(field, amount, [texts.NOT_NEGATIVE] if number < 0 else [])
    if is_extended(name) and number != number.to_integral_value():
        errors.append(FieldError.invalid(field, amount, "must be an integer"))
    return errors


def _fits_pages(name: str, number: Decimal) -> bool:
    """Whether an amount is made of whole pages; a size that cannot be read is not judged here."""
    try:
        size = quantities.parse_quantity(name.removeprefix(HUGE_PAGES))
    except ValueError:
        return True
    return number % size == 0 if size > 0 else True


def _pod_name(name: str, field: str, unqualified: list[FieldError]) -> list[FieldError]:
    """Check a resource that a pod asks for as a whole."""
    if name in COMPUTE or name.startswith(HUGE_PAGES):
        return []
    if "/" not in name and name not in STANDARD and not unqualified:
        why = "must be a standard resource type or fully qualified"
        return [FieldError.invalid(field, name, why)]
    return [FieldError.unsupported(field, name, ("cpu", HUGE_PAGES, "memory"))]
