"""Checks of single fields: each yields what is wrong, nothing where the field is fine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flashsale.embedded.types import texts
from flashsale.embedded.types.api_errors import FieldError
from flashsale.objects.models import Object

Errors = Iterator[FieldError]
TextRule = Callable[[str], list[str]]  # one of types/texts


def each(thing: Object, key: str, at: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the elements of a list, each after its place: `spec.ports[0]`."""
    for index, item in enumerate(thing.get(key) or []):
        yield f"{at}.{key}[{index}]".lstrip("."), item


def invalid(field: str, value: Any, wrong: Iterable[str]) -> Errors:
    """Make one error of each thing that is wrong with a value."""
    for why in wrong:
        yield FieldError.invalid(field, value, why)


def required(thing: Object, key: str, at: str) -> Errors:
    if not thing.get(key):
        yield FieldError.required(f"{at}.{key}")


def required_text(value: str | None, field: str, rule: TextRule) -> Errors:
    if not value:
        yield FieldError.required(field)
    yield from optional_text(value, field, rule)


def optional_text(value: str | None, field: str, rule: TextRule) -> Errors:
    return invalid(field, value, rule(value) if value else ())


def choice(value: str | None, field: str, supported: tuple[str, ...]) -> Errors:
    if not value:
        yield FieldError.required(field)
    elif value not in supported:
        yield FieldError.unsupported(field, value, supported)


def optional_choice(value: str | None, field: str, supported: tuple[str, ...]) -> Errors:
    if value is not None and value not in supported:
        yield FieldError.unsupported(field, value, supported)


def not_negative(thing: Object, key: str, field: str) -> Errors:
    value = thing.get(key) or 0
    if value < 0:
        yield FieldError.invalid(f"{field}.{key}", value, texts.NOT_NEGATIVE)


def once(value: str, field: str, seen: set[str]) -> Errors:
    """Check that a text stands for the first time, and note it."""
    if value in seen:
        yield FieldError.duplicate(field, value)
    seen.add(value)


def validate_app_protocol(port: Object, at: str) -> Errors:
    """Check the `appProtocol` of a port; an empty one is judged too."""
    if (word := port.get("appProtocol")) is not None:
        yield from invalid(f"{at}.appProtocol", word, texts.qualified_name(word))
