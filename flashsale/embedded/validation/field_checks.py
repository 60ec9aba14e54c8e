"""Checks of single fields: each returns what is wrong, nothing where the field is fine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flashsale.embedded.types import texts
from flashsale.embedded.types.api_errors import FieldError
from flashsale.objects.models import Object

TextRule = Callable[[str], list[str]]  # one of types/texts


def invalid(field: str, value: Any, wrong: list[str]) -> list[FieldError]:
    """Make one error of each thing that is wrong with a value."""
    return [FieldError.invalid(field, value, why) for why in wrong]


def required(thing: Object, key: str, at: str) -> list[FieldError]:
    """Check that a field is set."""
    return [] if thing.get(key) else [FieldError.required(f"{at}.{key}")]


def required_text(value: str | None, field: str, rule: TextRule) -> list[FieldError]:
    """Check a text that must be set."""
    return invalid(field, value, rule(value)) if value else [FieldError.required(field)]


def optional_text(value: str | None, field: str, rule: TextRule) -> list[FieldError]:
    """Check a text where it is set."""
    return invalid(field, value, rule(value)) if value else []


def choice(value: str | None, field: str, supported: tuple[str, ...]) -> list[FieldError]:
    """Check one of a fixed set of words that must be set."""
    return optional_choice(value, field, supported) if value else [FieldError.required(field)]


def optional_choice(value: str | None, field: str, supported: tuple[str, ...]) -> list[FieldError]:
    """Check one of a fixed set of words where it is set."""
    known = value is None or value in supported
    return [] if known else [FieldError.unsupported(field, value, supported)]


def not_negative(thing: Object, key: str, field: str) -> list[FieldError]:
    """Check a number that may be missing."""
    value = thing.get(key) or 0
    return invalid(f"{field}.{key}", value, [texts.NOT_NEGATIVE] if value < 0 else [])
