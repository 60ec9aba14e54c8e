"""Rules for label selectors (apimachinery/pkg/apis/meta/v1/validation)."""

from __future__ import annotations

from flashsale.embedded.types import texts
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.validation.field_checks import Errors, each, invalid
from flashsale.embedded.validation.metadata import validate_labels
from flashsale.objects.models import Object

WITH_VALUES, WITHOUT_VALUES = ("In", "NotIn"), ("Exists", "DoesNotExist")
BAD_OPERATOR = "not a valid selector operator"
COMPARING = ("Gt", "Lt")  # of nodes' labels alone


def validate_selector(selector: Object, field: str) -> Errors:
    yield from validate_labels(selector.get("matchLabels"), f"{field}.matchLabels")
    for at, expression in each(selector, "matchExpressions", field):
        yield from validate_requirement(expression, at)


def validate_requirement(
    wanted: Object, at: str, *, of_node: bool = False, judges_values: bool = True
) -> Errors:
    """Check one expression of a label selector, or of a node selector."""
    operator, values = wanted.get("operator") or "", wanted.get("values") or []
    if operator in WITH_VALUES and not values:
        why = "must be specified when `operator` is 'In' or 'NotIn'"
        yield FieldError.required(f"{at}.values", why)
    elif operator in WITHOUT_VALUES and values:
        why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        yield FieldError.forbidden(f"{at}.values", why)
    elif of_node and operator in COMPARING and len(values) != 1:
        why = "must be specified single value when `operator` is 'Lt' or 'Gt'"
        yield FieldError.required(f"{at}.values", why)
    elif operator not in WITH_VALUES + WITHOUT_VALUES + (COMPARING if of_node else ()):
        yield FieldError.invalid(f"{at}.operator", operator, BAD_OPERATOR)
    key = wanted.get("key") or ""
    yield from invalid(f"{at}.key", key, texts.qualified_name(key))
    if judges_values:
        for place, value in each(wanted, "values", at):
            yield from invalid(place, value, texts.label_value(value))
