"""Rules for label selectors (apimachinery/pkg/apis/meta/v1/validation)."""

from __future__ import annotations

from flashsale.embedded.types import texts
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.validation.field_checks import invalid
from flashsale.embedded.validation.metadata import validate_labels
from flashsale.objects.models import Object

WITH_VALUES, WITHOUT_VALUES = ("In", "NotIn"), ("Exists", "DoesNotExist")


def validate_selector(selector: Object, field: str) -> list[FieldError]:
    """Check labels and expressions of a selector."""
    errors = validate_labels(selector.get("matchLabels"), f"{field}.matchLabels")
    for index, expression in enumerate(selector.get("matchExpressions") or []):
        at = f"{field}.matchExpressions[{index}]"
        operator, values = expression.get("operator") or "", expression.get("values") or []
        key = expression.get("key") or ""
        if operator in WITH_VALUES and not values:
            why = "must be specified when `operator` is 'In' or 'NotIn'"
            errors.append(FieldError.required(f"{at}.values", why))
        elif operator in WITHOUT_VALUES and values:
            why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            errors.append(FieldError.forbidden(f"{at}.values", why))
        elif operator not in WITH_VALUES + WITHOUT_VALUES:
            why = "not a valid selector operator"
            errors.append(FieldError.invalid(f"{at}.operator", operator, why))
        errors += invalid(f"{at}.key", key, texts.qualified_name(key))
        for place, value in enumerate(values):
            errors += invalid(f"{at}.values[{place}]", value, texts.label_value(value))
    return errors
