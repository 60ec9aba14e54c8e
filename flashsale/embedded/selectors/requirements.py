"""One condition of a label selector: what it says, when it holds, when it cannot be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flashsale.embedded.types import texts
from flashsale.embedded.types.api_errors import FieldError, aggregate, bad_request

WRITTEN = {"gt": ">", "lt": "<", "in": " in ", "notin": " notin "}
INTEGER = re.compile(r"[+-]?[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition; the operator is one of `=` `==` `!=` in notin gt lt exists `!`."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether it holds; `!=` and notin also hold for labels without the key."""
        value = labels.get(self.key)
        if self.operator in ("exists", "!"):
            return (value is not None) == (self.operator == "exists")
        if self.operator in ("!=", "notin"):
            return value not in self.values
        if self.operator in ("gt", "lt"):
            return _compares(value, self.values[0], greater=self.operator == "gt")
        return value in self.values

    def __str__(self) -> str:
        """Write it as Kubernetes normalizes it."""
        if self.operator in ("exists", "!"):
            return ("!" if self.operator == "!" else "") + self.key
        values = ",".join(sorted(self.values))
        values = f"({values})" if self.operator in ("in", "notin") else values
        return self.key + WRITTEN.get(self.operator, self.operator) + values


def _compares(value: str | None, limit: str, *, greater: bool) -> bool:
    if value is None or not (INTEGER.fullmatch(value) and INTEGER.fullmatch(limit)):
        return False
    return int(value) > int(limit) if greater else int(value) < int(limit)


def checked(key: str, operator: str, values: tuple[str, ...]) -> Requirement:
    """Build a requirement as ``NewRequirement`` does.

    Raises:
        StatusError: 400 with all that is wrong with it in one text.
    """
    errors = key_texts("key", key)
    if operator in ("in", "notin") and not values:
        why = "for 'in', 'notin' operators, values set can't be empty"
        errors.append(_invalid("values", [], why))
    if operator in ("exists", "!") and values:
        why = "values set must be empty for exists and does not exist"
        errors.append(_invalid("values", list(values), why))
    if operator in ("gt", "lt") and not INTEGER.fullmatch(values[0]):
        why = "for 'Gt', 'Lt' operators, the value must be an integer"
        errors.append(_invalid("values[0]", values[0], why))
    for index, value in enumerate(values):
        if wrong := texts.label_value(value):
            errors.append(_invalid(f"values[{index}][{key}]", value, "; ".join(wrong)))
    if errors:
        raise bad_request(aggregate(errors))
    return Requirement(key, operator, values)


def key_texts(path: str, key: str) -> list[str]:
    """Say what is wrong with a key, if anything, in the words of a field error."""
    wrong = texts.qualified_name(key)
    return [_invalid(path, key, "; ".join(wrong))] if wrong else []


def _invalid(path: str, value: Any, why: str) -> str:
    return f"{path}: {FieldError.invalid(path, value, why).body}"
