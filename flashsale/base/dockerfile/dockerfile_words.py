"""Words of a Dockerfile: quotes, escapes and variables, as BuildKit's frontend/dockerfile/shell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_NAME = re.compile(r"[A-Za-z_]\w*|\d+|[@*#?$!-]", re.ASCII)


def split(text: str, escape: str = "\\") -> list[str]:
    """Split at blanks outside of quotes; quotes and escapes stay for :func:`expand`."""
    e = re.escape(escape)
    word = re.compile(
        rf"(?:{e}.|{e}$|\"(?:{e}.|[^\"{e}])*(?:\"|$)|'[^']*(?:'|$)|[^\s'\"{e}])+", re.DOTALL
    )
    return word.findall(text)


def expand(
    text: str,
    known: Mapping[str, str],
    escape: str = "\\",
    *,
    has_quotes: bool = True,
    keeps_escapes: bool = False,
) -> str:
    """Take quotes and escapes away and replace variables: `$A`, `${A:-other}`, `${A%.*}`.

    Args:
        has_quotes: whether quotes mean anything; they do not in here-documents.
        keeps_escapes: leave them to a shell that reads the text next.

    Raises:
        ValueError: a quote or a brace never ends, or a variable is missing that has to be there.
    """
    return _Reader(text, known, escape, has_quotes).until("", raw=keeps_escapes)


@dataclass(slots=True)
class _Reader:
    text: str
    known: Mapping[str, str]
    escape: str
    has_quotes: bool
    at: int = 0

    def next(self) -> str:
        """Take a character; empty at the end."""
        char = self.peek()
        self.at += 1
        return char

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def until(self, stop: str, *, raw: bool) -> str:
        """Read to a character that ends it, or to the end; ``raw`` keeps the escapes."""
        out = ""
        while char := self.next():
            if char == stop:
                return out
            if char == "$":
                out += self._variable()
            elif char == "'" and self.has_quotes:
                out += self._single_quoted()
            elif char == '"' and self.has_quotes:
                out += self._double_quoted(raw=raw)
            elif char == self.escape:
                out += (char if raw else "") + self.next()
            else:
                out += char
        if stop:
            raise ValueError(f"{stop} is missing in {self.text}")
        return out

    def _single_quoted(self) -> str:
        inside, quote, rest = self.text[self.at :].partition("'")
        if not quote:
            raise ValueError(f"{self.text} has a quote that never ends")
        self.at = len(self.text) - len(rest)
        return inside

    def _double_quoted(self, *, raw: bool) -> str:
        out = ""
        while char := self.next():
            if char == '"':
                return out
            if char == "$":
                out += self._variable()
            elif char == self.escape and self.peek() in ('"', "$", self.escape):
                out += (char if raw else "") + self.next()
            else:
                out += char
        raise ValueError(f"{self.text} has a quote that never ends")

    def _name(self) -> str:
        match = _NAME.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return match[0] if match else ""

    def _variable(self) -> str:
        if self.peek() != "{":
            name = self._name()
            return self.known.get(name, "") if name else "$"
        self.next()
        name = self._name()
        value = self.known.get(name)
        kind = self.next()
        if not name or not kind:
            raise ValueError(f"{self.text} has a ${{ that is not a variable")
        if kind == "}":
            return value or ""
        if kind == "/":
            return self._replaced(value or "")
        if kind in "#%":
            return self._cut(kind, value or "")
        empty_is_unset = kind == ":"
        kind = self.next() if empty_is_unset else kind
        if kind not in ("-", "+", "?"):
            raise ValueError(f"{self.text} has a ${{ that is not a variable")
        other = self.until("}", raw=False)
        is_set = bool(value) if empty_is_unset else value is not None
        if kind == "+":
            return other if is_set else ""
        if kind == "?" and not is_set:
            raise ValueError(f"{name}: {other or 'is not allowed to be unset'}")
        return (value or "") if is_set else other

    def _cut(self, kind: str, value: str) -> str:
        """Cut what a pattern matches off the begin (#) or the end (%), the shortest or longest."""
        pattern = self.until("}", raw=True)
        longest = pattern.startswith(kind)
        compiled = _pattern(pattern.removeprefix(kind), self.escape)
        places = range(len(value) + 1)
        if (kind == "#") == longest:
            places = places[::-1]
        for place in places:
            part = value[:place] if kind == "#" else value[place:]
            if compiled.fullmatch(part):
                return value[place:] if kind == "#" else value[:place]
        return value

    def _replaced(self, value: str) -> str:
        everywhere = self.peek() == "/"
        self.at += everywhere
        pattern = _pattern(self.until("/", raw=True), self.escape)
        other = self.until("}", raw=True)
        return pattern.sub(lambda match: other, value, count=0 if everywhere else 1)


def _pattern(text: str, escape: str) -> re.Pattern[str]:
    """Compile a shell's pattern, of which BuildKit knows `*`, `?` and the escape."""
    parts = {"*": ".*", "?": "."}
    pieces = re.findall(rf"{re.escape(escape)}.|.", text, re.DOTALL)
    return re.compile(
        "".join(parts.get(piece) or re.escape(piece[-1]) for piece in pieces), re.DOTALL
    )
