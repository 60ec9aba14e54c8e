"""Rules for requests and limits (validateResourceRequirements in validation.go)."""

from __future__ import annotations

from decimal import Decimal

from flashsale.embedded.types import quantities, texts
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.validation.field_checks import Errors, each, invalid, once
from flashsale.objects.models import Object

OF_CONTAINERS = ("cpu", "memory", "ephemeral-storage")
STANDARD = (*OF_CONTAINERS, "storage", "pods", "services", "secrets", "configmaps")
COMPUTE = ("cpu", "memory")
HUGE_PAGES = "hugepages-"
QUOTA = "requests."  # before names of extended resources in quotas
NATIVE = "kubernetes.io/"


def validate_resources(resources: Object, field: str, *, of_pod: bool = False) -> Errors:
    """Check names and amounts, and that no request exceeds its limit."""
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for name, amount in limits.items():
        yield from _amount(name, amount, f"{field}.limits[{name}]", of_pod=of_pod)
    for name, amount in requests.items():
        yield from _amount(name, amount, f"{field}.requests[{name}]", of_pod=of_pod)
        yield from _request(name, amount, limits.get(name), field)
    names = {*limits, *requests}
    if any(name.startswith(HUGE_PAGES) for name in names) and not names & set(COMPUTE):
        yield FieldError.forbidden(field, "HugePages require cpu or memory")
    yield from _claims(resources, field)


def _claims(resources: Object, field: str) -> Errors:
    seen: set[str] = set()
    for at, claim in each(resources, "claims", field):
        if not (name := claim.get("name")):
            yield FieldError.required(at)
            continue
        yield from once(name, at, seen)
        why = "must be one of the names in pod.spec.resourceClaims which is empty"
        yield FieldError.not_found(at, name, why)


def is_extended(name: str) -> bool:
    """Whether a resource is not one of Kubernetes' own: a device, for example."""
    return "/" in name and NATIVE not in name


def _request(name: str, amount: str, limit: str | None, field: str) -> Errors:
    exact = is_extended(name) or name.startswith(
        HUGE_PAGES
    )  # nobody may ask for more than is there
    if limit is None:
        if exact:
            why = "Limit must be set for non overcommitable resources"
            yield FieldError.required(f"{field}.limits", why)
        return
    order = quantities.compare_quantities(amount, limit)
    if order > 0 or (order and exact):
        how = "equal to" if exact else "less than or equal to"
        yield FieldError.invalid(
            f"{field}.requests", amount, f"must be {how} {name} limit of {limit}"
        )


def _amount(name: str, amount: str, field: str, *, of_pod: bool) -> Errors:
    unqualified = texts.qualified_name(name)
    yield from invalid(field, name, unqualified)
    plain, huge = "/" not in name, name.startswith(HUGE_PAGES)
    if plain and not huge and name not in STANDARD and not unqualified:
        yield FieldError.invalid(field, name, "must be a standard resource type or fully qualified")
    elif of_pod and not huge and name not in COMPUTE:
        yield FieldError.unsupported(field, name, ("cpu", HUGE_PAGES, "memory"))
    if not of_pod and plain and not huge and name not in OF_CONTAINERS:
        yield FieldError.invalid(field, name, "must be a standard resource for containers")
    if not of_pod and name.startswith(QUOTA) and name.count("/") == 1:
        yield FieldError.invalid(field, name, "doesn't follow extended resource name standard")
    yield from validate_amount(name, amount, field)
    if huge and not _fits_pages(name, quantities.parse_quantity(amount)):
        why = f"{amount} is not positive integer multiple of {name}"
        yield FieldError.invalid(field, amount, why)


def validate_amount(name: str, amount: str, field: str) -> Errors:
    """Check an amount of a resource (ValidateResourceQuantityValue)."""
    number = quantities.parse_quantity(amount)
    if number < 0:
        yield FieldError.invalid(field, amount, texts.NOT_NEGATIVE)
    if is_extended(name) and number != number.to_integral_value():
        yield FieldError.invalid(field, amount, "must be an integer")


def _fits_pages(name: str, number: Decimal) -> bool:
    """Whether an amount is made of whole pages; a size that cannot be read is not judged here."""
    try:
        size = quantities.parse_quantity(name.removeprefix(HUGE_PAGES))
    except ValueError:
        return True
    return size <= 0 or number % size == 0
