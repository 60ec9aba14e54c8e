"""JSON as Go's decoder reads it: its errors, its limits, and keys that occur twice.

Python's own reader does the work; only a text that it refuses is scanned once more, for Go's words
(encoding/json/scanner.go).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from flashsale.embedded.types.strict_decoding import sound

DEEPEST = 10_000
SPACE = " \t\r\n"
END = "unexpected end of JSON input"
DIGITS = "0123456789"
STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*')  # without its end
FOUR_HEX = re.compile("u[0-9a-fA-F]{0,4}")
NUMBER = re.compile(
    r"-?(?:(?:0|[1-9][0-9]*)(?:\.(?:[0-9]+(?:[eE][+-]?[0-9]*)?)?|[eE][+-]?[0-9]*)?)?"
)
BACKSLASH = "\\"
NAMED = {
    "\t": r"\t", "\n": r"\n", "\r": r"\r", "\b": r"\b", "\f": r"\f", "\a": r"\a", "\v": r"\v",
}  # fmt: skip
LITERALS = {"t": "true", "f": "false", "n": "null"}


class GoJSONError(ValueError):
    """Not JSON; the message is Go's."""


def decode_json(body: bytes) -> Any:
    """Decode JSON; the last of equal keys counts.

    Raises:
        GoJSONError: it is not JSON.
    """
    return decode_noting_duplicates(body)[0]


def decode_noting_duplicates(body: bytes) -> tuple[Any, list[str]]:
    """Decode JSON; returns the paths of keys that stand twice, too: `spec.replicas`.

    Raises:
        GoJSONError: it is not JSON.
    """
    text = body.decode("utf-8", "replace")
    repeated: dict[int, tuple[Any, list[str]]] = {}

    def made(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        thing = dict(pairs)
        if len(thing) != len(pairs):
            keys = [key for key, _ in pairs]
            doubles = [key for place, key in enumerate(keys) if key in keys[:place]]
            repeated[id(thing)] = (thing, list(dict.fromkeys(doubles)))
        return thing

    try:
        value = json.loads(text, object_pairs_hook=made, parse_constant=_no_constant)
        paths = list(_repeated_paths(value, "", repeated)) if repeated else []
        value = sound(value)
    except (ValueError, RecursionError):
        raise GoJSONError(explain(body)) from None
    return value, paths


def explain(body: bytes) -> str:
    """Say in Go's words why a text is not JSON."""
    text = body.decode("latin-1")  # Go looks at bytes
    scanner = _Scanner(text)
    try:
        scanner.value(0)
        scanner.space()
        if scanner.at < len(scanner.text):
            scanner.refuse("after top-level value")
    except GoJSONError as error:
        return str(error)
    except RecursionError:
        pass
    deepest = "{" if text.count("{") > text.count("[") else "["
    return f"invalid character {_quoted(deepest)} exceeded max depth"  # Python's is below Go's


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _repeated_paths(
    value: Any, path: str, repeated: dict[int, tuple[Any, list[str]]]
) -> Iterator[str]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _repeated_paths(item, f"{path}[{index}]", repeated)
    if isinstance(value, dict):
        above = f"{path}." if path else ""
        for key in repeated.get(id(value), (None, []))[1]:
            yield above + key
        for key, item in value.items():
            yield from _repeated_paths(item, above + key, repeated)


class _Scanner:
    """Reads a text until the first byte that cannot stand where it stands."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def space(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in SPACE:
            self.at += 1

    def peek(self) -> str:
        """Return the next byte.

        Raises:
            GoJSONError: there is none.
        """
        if self.at >= len(self.text):
            raise GoJSONError(END)
        return self.text[self.at]

    def refuse(self, why: str) -> None:
        """Refuse the next byte.

        Raises:
            GoJSONError: always.
        """
        char = self.peek()
        raise GoJSONError(f"invalid character {_quoted(char)} {why}")

    def value(self, depth: int) -> None:
        self.space()
        char = self.peek()
        if char in "{[":
            if depth >= DEEPEST:
                self.refuse("exceeded max depth")
            self.at += 1
            self.inside(depth, "}" if char == "{" else "]")
        elif char == '"':
            self.string()
        elif char in LITERALS:
            self.literal(LITERALS[char])
        elif char == "-" or char in DIGITS:
            self.number()
        else:
            self.refuse("looking for beginning of value")

    def inside(self, depth: int, closing: str) -> None:
        """Step over the rest of an object or a list."""
        self.space()
        if self.peek() == closing:
            self.at += 1
            return
        while True:
            if closing == "}":
                self.key()
            self.value(depth + 1)
            self.space()
            char = self.peek()
            if char not in (",", closing):
                self.refuse(
                    f"after {'object key:value pair' if closing == '}' else 'array element'}"
                )
            self.at += 1
            if char == closing:
                return

    def key(self) -> None:
        self.space()
        if self.peek() != '"':
            self.refuse("looking for beginning of object key string")
        self.string()
        self.space()
        if self.peek() != ":":
            self.refuse("after object key")
        self.at += 1

    def string(self) -> None:
        self.skip(STRING)
        if self.peek() == "\\":
            self.at += 1
            if self.peek() != "u":
                self.refuse("in string escape code")
            self.skip(FOUR_HEX)
            self.refuse("in \\u hexadecimal character escape")
        if self.peek() != '"':
            self.refuse("in string literal")
        self.at += 1

    def skip(self, pattern: re.Pattern[str]) -> None:
        """Step over what a pattern, which may match nothing, matches here."""
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def literal(self, word: str) -> None:
        for char in word:
            if self.peek() != char:
                self.refuse(f"in literal {word} (expecting {_quoted(char)})")
            self.at += 1

    def number(self) -> None:
        """Step over a number, and refuse what follows where it lacks a digit."""
        begin = self.at
        self.skip(NUMBER)
        number = self.text[begin : self.at]
        if number.endswith("."):
            self.refuse("after decimal point in numeric literal")
        if number[-1] not in DIGITS:
            where = "numeric literal" if number == "-" else "exponent of numeric literal"
            self.refuse(f"in {where}")


def _quoted(char: str) -> str:
    """Quote a byte as scanner.go does."""
    if char == "'":
        return r"'\''"
    if char == '"':
        return "'\"'"
    if char < " " or char == "\x7f":
        return f"'{NAMED.get(char) or f'{BACKSLASH}x{ord(char):02x}'}'"
    return f"'{char}'"
