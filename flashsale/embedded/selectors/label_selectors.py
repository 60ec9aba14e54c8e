"""Label selectors: `app=flashsale,tier in (web,api),!debug` (apimachinery/pkg/labels/selector.go).

Grammar and error texts are Kubernetes'. Field selectors are in ``field_selectors``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flashsale.embedded.selectors.requirements import Requirement, checked, key_texts
from flashsale.embedded.types.api_errors import StatusError, bad_request

TOKENS = re.compile(r"[ \t\r\n]+|(!=|==|[=!(),<>]|[^=!(),<> \t\r\n]+)")
BINARY = ("in", "notin", "=", "==", "!=", "gt", "lt")
OPERATORS = {"in": "in", "notin": "notin", "=": "=", "==": "==", "!=": "!=", ">": "gt", "<": "lt"}
EXPRESSIONS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}
END = ""  # the token after the last one


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """All of its requirements must hold; without any it matches everything."""

    requirements: tuple[Requirement, ...] = ()
    nothing: bool = False  # the selector of an object that has none: it matches no labels at all

    def matches(self, labels: Mapping[str, str]) -> bool:
        return not self.nothing and all(
            requirement.matches(labels) for requirement in self.requirements
        )

    def __str__(self) -> str:
        """Write it sorted by key: `app=flashsale,tier in (api,web)`."""
        return ",".join(map(str, self.requirements))


def parse_label_selector(text: str) -> LabelSelector:
    """Read the `labelSelector` of a request; an empty text selects everything.

    Raises:
        StatusError: 400 with Kubernetes' own text.
    """
    return _sorted(_Parser(text).requirements())


def from_label_selector(selector: Any) -> LabelSelector:
    """Read a LabelSelector object (matchLabels, matchExpressions); none at all selects nothing.

    Raises:
        StatusError: 400 for an operator, key or value that cannot be.
    """
    if selector is None:
        return LabelSelector(nothing=True)
    labels, expressions = _parts(selector)
    requirements = [checked(key, "=", (_text(value),)) for key, value in labels.items()]
    for expression in expressions:
        operator = expression.get("operator")
        if not isinstance(operator, str) or operator not in EXPRESSIONS:
            shown = json.dumps(_text(operator), ensure_ascii=False)
            raise bad_request(f"{shown} is not a valid label selector operator")
        values = expression.get("values")
        values = values if isinstance(values, list) else []
        key = _text(expression.get("key"))
        requirements.append(checked(key, EXPRESSIONS[operator], tuple(map(_text, values))))
    return _sorted(requirements)


def format_label_selector(selector: Any) -> str:
    """Write a LabelSelector object as the SELECTOR column and as a Scale's `status.selector`.

    `<none>` for an empty one, `<error>` for one that cannot be.
    """
    try:
        return str(from_label_selector(selector)) or "<none>"
    except StatusError:
        return "<error>"


def _sorted(requirements: Iterable[Requirement]) -> LabelSelector:
    return LabelSelector(tuple(sorted(requirements, key=lambda requirement: requirement.key)))


def _parts(selector: Any) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    if not isinstance(selector, Mapping):
        raise bad_request("a label selector must be an object")
    labels, expressions = selector.get("matchLabels"), selector.get("matchExpressions")
    listed = expressions if isinstance(expressions, list) else []
    return (
        labels if isinstance(labels, Mapping) else {},
        [expression for expression in listed if isinstance(expression, Mapping)],
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


class _Parser:
    """The recursive descent of selector.go; ``in`` and ``notin`` are words where a value may be."""

    def __init__(self, text: str) -> None:
        self._tokens = [token[1] for token in TOKENS.finditer(text) if token[1]]
        self._place = 0

    def requirements(self) -> list[Requirement]:
        listed: list[Requirement] = []
        while self._next() != END:
            if not self._at_word() and self._next() != "!":
                raise _unexpected(self._next(), "!, identifier, or 'end of string'")
            try:
                listed.append(self._requirement())
            except StatusError as error:
                raise bad_request(f"unable to parse requirement: {error.message}") from error
            separator = self._take()
            if separator == END:
                break
            if separator != ",":
                raise _unexpected(separator, "',' or 'end of string'")
            if not self._at_word() and self._next() != "!":
                raise _unexpected(self._next(), "identifier after ','")
        return listed

    def _requirement(self) -> Requirement:
        absent = self._next() == "!"
        if absent:
            self._take()
        key = self._word("identifier")
        if wrong := key_texts("<nil>", key):
            raise bad_request(wrong[0])
        if absent or self._next() in (END, ","):
            return Requirement(key, "!" if absent else "exists")
        token = self._take()
        if token not in OPERATORS:
            raise _unexpected(token, ", ".join(BINARY))
        operator = OPERATORS[token]
        values = self._values() if operator in ("in", "notin") else {self._exact_value()}
        return checked(key, operator, tuple(sorted(values)))

    def _values(self) -> set[str]:
        opening = self._take()
        if opening != "(":
            raise bad_request(f"found '{opening}' expected: '('")
        if not self._at_word() and self._next() not in (",", ")"):
            raise _unexpected(self._next(), "',', ')' or identifier")
        values: set[str] = set()
        empty = True  # an empty value stands between two commas, or before or after one
        while True:
            token = self._take()
            if token == ")":
                return values | {""} if empty else values
            if token == ",":
                values |= {""} if empty else set()
                empty = True
            elif not _is_word(token):
                raise _unexpected(token, "',', or identifier")
            else:
                values.add(token)
                empty = False
                if self._next() not in (",", ")"):
                    raise _unexpected(self._next(), "',' or ')'")

    def _exact_value(self) -> str:
        return "" if self._next() in (END, ",") else self._word("identifier")

    def _word(self, expected: str) -> str:
        token = self._take()
        if not _is_word(token):
            raise _unexpected(token, expected)
        return token

    def _at_word(self) -> bool:
        return _is_word(self._next())

    def _next(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else END

    def _take(self) -> str:
        token = self._next()
        self._place += 1
        return token


def _is_word(token: str) -> bool:
    return token != END and token[0] not in "=!(),<>"


def _unexpected(token: str, expected: str) -> StatusError:
    return bad_request(f"found '{token}', expected: {expected}")
