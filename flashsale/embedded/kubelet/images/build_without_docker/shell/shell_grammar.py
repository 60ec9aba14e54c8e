"""A shell's script as a tree, as far as people write it in RUN (POSIX.1-2017, 2.10).

Lists, `&&` and `||`, pipelines, `if`, `for`, `case` and groups. Loops without a list and functions
are for a shell alone: they are a ValueError, as is what no shell would read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_TOKEN = re.compile(
    r"(?P<skipped>[ \t\r]+|(?<![^\s;&|()])\#[^\n]*)|(?P<operator>&&|\|\||;;|[;\n|()]|&(?![>\d]))"
    r"|(?P<word>(?:'[^']*'|\"(?:\\.|[^\"\\])*\"|\\.|\$\((?:[^()]|\([^()]*\))*\)|\$\{[^}]*\}|`[^`]*`"
    r"|[<>]&|&(?=[>\d])|[^\s'\"\\;|&()])+)",
    re.DOTALL,
)
_NOT_READ = ("while", "until", "function", "select")
_ENDS = ("then", "elif", "else", "fi", "do", "done", "esac", "}")


@dataclass(frozen=True, slots=True)
class ShellNode:
    """A part of a script, with its own text."""

    raw: str


Script = tuple[ShellNode, ...]


@dataclass(frozen=True, slots=True)
class Simple(ShellNode):
    """One command with its words, assignments and redirections, not yet taken apart."""


@dataclass(frozen=True, slots=True)
class Pipeline(ShellNode):
    """Commands that hand on their output, or one whose outcome is turned round by `!`."""

    parts: Script
    negated: bool


@dataclass(frozen=True, slots=True)
class AndOr(ShellNode):
    """Commands, each after its operator; the first one's is `&&`."""

    parts: tuple[tuple[str, ShellNode], ...]


@dataclass(frozen=True, slots=True)
class If(ShellNode):
    """Conditions, each with what is done where it holds."""

    arms: tuple[tuple[Script, Script], ...]
    otherwise: Script


@dataclass(frozen=True, slots=True)
class For(ShellNode):
    """A body that is done for each word of a list."""

    name: str
    words: str
    body: Script


@dataclass(frozen=True, slots=True)
class Case(ShellNode):
    """A word, and what is done where it matches one of some patterns."""

    word: str
    arms: tuple[tuple[tuple[str, ...], Script], ...]


@dataclass(frozen=True, slots=True)
class Group(ShellNode):
    """`{ ...; }` or `( ... )`, and where its output goes."""

    body: Script
    is_subshell: bool
    redirection: str


def parse_script(text: str) -> Script:
    """Read a script.

    Raises:
        ValueError: it is more than can be followed, or no script.
    """
    return _Parser(text.replace("\\\n", "")).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.tokens: list[tuple[str, int, int]] = []
        place = 0
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None:
                raise ValueError(f"a quote that never ends: {text[place : place + 40]}")
            if not match["skipped"]:
                self.tokens.append((match[0], match.start(), match.end()))
            place = match.end()

    def peek(self) -> str:
        """Return the token that is next; empty at the end."""
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def next(self, wanted: str = "") -> str:
        token = self.peek()
        if not token or (wanted and token != wanted):
            raise ValueError(f"{wanted or 'a word'} is missing")
        self.at += 1
        return token

    def since(self, first: int) -> str:
        """Return the text from a token up to the one that was read last."""
        return self.text[self.tokens[first][1] : self.tokens[self.at - 1][2]]

    def skip(self, *tokens: str) -> None:
        while self.peek() and self.peek() in tokens:
            self.at += 1

    def whole(self) -> Script:
        script = self.script()
        if self.peek():
            raise ValueError(f"{self.peek()} is not expected")
        return script

    def script(self, *stops: str) -> Script:
        nodes: list[ShellNode] = []
        while True:
            self.skip(";", "\n", "&")
            if not self.peek() or self.peek() in (*stops, ";;", ")", *_ENDS):
                return tuple(nodes)
            nodes.append(self.and_or())

    def and_or(self) -> ShellNode:
        first = self.at
        parts = [("&&", self.pipeline())]
        while self.peek() in ("&&", "||"):
            operator = self.next()
            self.skip("\n")
            parts.append((operator, self.pipeline()))
        return parts[0][1] if len(parts) == 1 else AndOr(self.since(first), tuple(parts))

    def pipeline(self) -> ShellNode:
        first, negated = self.at, self.peek() == "!"
        self.at += negated
        parts = [self.command()]
        while self.peek() == "|":
            self.next()
            self.skip("\n")
            parts.append(self.command())
        if len(parts) == 1 and not negated:
            return parts[0]
        return Pipeline(self.since(first), tuple(parts), negated)

    def command(self) -> ShellNode:
        if self.peek() in _NOT_READ:
            raise ValueError(f"{self.peek()} is for a shell alone")
        readers: dict[str, Callable[[], ShellNode]] = {"if": self.condition, "for": self.loop}
        readers |= {"case": self.choice, "{": self.group, "(": self.group}
        return readers.get(self.peek(), self.simple)()

    def words(self) -> str:
        """Read up to an operator; returns the text, which may be empty."""
        first = self.at
        while self.peek() and self.peek() not in ("&&", "||", ";;", ";", "\n", "|", "&", "(", ")"):
            self.at += 1
        if self.peek() == "(":
            raise ValueError("a function is for a shell alone")
        return self.since(first) if self.at > first else ""

    def simple(self) -> ShellNode:
        if self.peek() == "[[":  # && and || in it are its own
            first = self.at
            while self.next() != "]]":
                pass
            return Simple(self.since(first) + self.words())
        text = self.words()
        if not text:
            raise ValueError(f"{self.peek()} is not expected")
        return Simple(text)

    def condition(self) -> ShellNode:
        first, arms = self.at, list[tuple[Script, Script]]()
        otherwise: Script = ()
        while self.next() != "fi":
            if self.tokens[self.at - 1][0] == "else":
                otherwise = self.script("fi")
                continue
            test = self.script("then")
            self.next("then")
            arms.append((test, self.script("elif", "else", "fi")))
        self.refuse_redirection()
        return If(self.since(first), tuple(arms), otherwise)

    def loop(self) -> ShellNode:
        first = self.at
        self.next()
        name = self.next()
        self.next("in")
        words = self.words()
        self.skip(";", "\n")
        self.next("do")
        body = self.script("done")
        self.next("done")
        self.refuse_redirection()
        return For(self.since(first), name, words, body)

    def choice(self) -> ShellNode:
        first = self.at
        self.next()
        word = self.next()
        self.skip("\n")
        self.next("in")
        arms = []
        self.skip("\n")
        while self.peek() != "esac":
            self.skip("(")
            patterns = [self.next()]
            while self.peek() == "|":
                self.next()
                patterns.append(self.next())
            self.next(")")
            arms.append((tuple(patterns), self.script(";;", "esac")))
            self.skip(";;", "\n")
        self.next("esac")
        self.refuse_redirection()
        return Case(self.since(first), word, tuple(arms))

    def group(self) -> ShellNode:
        first, is_subshell = self.at, self.next() == "("
        body = self.script(")" if is_subshell else "}")
        self.next(")" if is_subshell else "}")
        redirection = self.words()
        return Group(self.since(first), body, is_subshell, redirection)

    def refuse_redirection(self) -> None:
        if self.words():
            raise ValueError("the output of all of it goes elsewhere")
