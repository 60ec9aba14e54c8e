"""JSON as Go's decoder reads it: its errors, its limits, and keys that occur twice.

Python's own reader does the work; only a text that it refuses is scanned once more, for Go's words
(encoding/json/scanner.go).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flashsale.embedded.types.strict_decoding import sound

DEEPEST = 10_000
SPACE = " \t\r\n"
END = "unexpected end of JSON input"
HEX = "0123456789abcdefABCDEF"
BACKSLASH = "\\"
NAMED = {
    "\t": r"\t",
    "\n": r"\n",
    "\r": r"\r",
    "\b": r"\b",
    "\f": r"\f",
    "\a": r"\a",
    "\v": r"\v",
}
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
            self.inside_object(depth) if char == "{" else self.inside_array(depth)
        elif char == '"':
            self.string()
        elif char in LITERALS:
            self.literal(LITERALS[char])
        elif char == "-" or char.isdigit():
            self.number()
        else:
            self.refuse("looking for beginning of value")

    def inside_object(self, depth: int) -> None:
        self.space()
        if self.peek() == "}":
            self.at += 1
            return
        while True:
            self.space()
            if self.peek() != '"':
                self.refuse("looking for beginning of object key string")
            self.string()
            self.space()
            if self.peek() != ":":
                self.refuse("after object key")
            self.at += 1
            self.value(depth + 1)
            self.space()
            if self.ends("}", "after object key:value pair"):
                return

    def inside_array(self, depth: int) -> None:
        self.space()
        if self.peek() == "]":
            self.at += 1
            return
        while True:
            self.value(depth + 1)
            self.space()
            if self.ends("]", "after array element"):
                return

    def ends(self, closing: str, where: str) -> bool:
        """Step over a comma or the end; returns whether it was the end."""
        char = self.peek()
        if char not in (",", closing):
            self.refuse(where)
        self.at += 1
        return char == closing

    def string(self) -> None:
        self.at += 1
        while self.peek() != '"':
            if self.peek() < " ":
                self.refuse("in string literal")
            if self.peek() == "\\":
                self.escape()
            else:
                self.at += 1
        self.at += 1

    def escape(self) -> None:
        self.at += 1
        if self.peek() == "u":
            for _ in range(4):
                self.at += 1
                if self.peek() not in HEX:
                    self.refuse("in \\u hexadecimal character escape")
        elif self.peek() not in '"\\/bfnrt':
            self.refuse("in string escape code")
        self.at += 1

    def literal(self, word: str) -> None:
        for char in word:
            if self.peek() != char:
                self.refuse(f"in literal {word} (expecting {_quoted(char)})")
            self.at += 1

    def number(self) -> None:
        if self.peek() == "-":
            self.at += 1
            if not self.peek().isdigit():
                self.refuse("in numeric literal")
        if self.peek() == "0":
            self.at += 1
        else:
            self.digits()
        if self.text[self.at : self.at + 1] == ".":
            self.at += 1
            if not self.peek().isdigit():
                self.refuse("after decimal point in numeric literal")
            self.digits()
        if self.text[self.at : self.at + 1] in ("e", "E"):
            self.at += 1
            if self.peek() in "+-":
                self.at += 1
            if not self.peek().isdigit():
                self.refuse("in exponent of numeric literal")
            self.digits()

    def digits(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isdigit():
            self.at += 1


def _quoted(char: str) -> str:
    """Quote a byte as scanner.go does."""
    if char == "'":
        return r"'\''"
    if char == '"':
        return "'\"'"
    if char < " " or char == "\x7f":
        return f"'{NAMED.get(char) or f'{BACKSLASH}x{ord(char):02x}'}'"
    return f"'{char}'"
