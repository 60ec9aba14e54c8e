"""Reading a Dockerfile: text in, the last stage's instructions out. Nothing is executed here.

What is understood: comments, continued lines, `# escape=`, here-documents of RUN (skipped), ARG
with defaults, $NAME, ${NAME}, ${NAME:-default}, ${NAME:+other}, exec and shell form, FROM ... AS.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flashsale.base.errors import BadInputError

KEYWORDS = (
    *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL"),
    *("MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
)
_DIRECTIVE = re.compile(r"#\s*escape\s*=\s*([`\\])\s*", re.IGNORECASE)
_HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1")
_VARIABLE = re.compile(
    r"\\(?P<escaped>\$)|\$(?P<plain>[A-Za-z_]\w*)"
    r"|\$\{(?P<name>[A-Za-z_]\w*)(?::(?P<kind>[-+])(?P<other>[^}]*))?\}"
)
_ASSIGNMENT = re.compile(r"(?P<key>[^\s=]+)=(?P<value>(?:\"(?:\\.|[^\"])*\"|'[^']*'|\\.|\S)*)")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, its arguments as they are written."""

    line: int  # where it begins, from 1
    keyword: str  # upper case
    text: str
    where: str  # the file's name, for messages

    def wrong(self, why: str, hint: str = "") -> BadInputError:
        """Return the error that names the file and the line."""
        return BadInputError(f"{self.where}:{self.line}: {why}.", hint=hint)

    def command(self) -> tuple[str, ...]:
        """Read exec form, or wrap shell form in /bin/sh -c."""
        if self.text.startswith("["):
            try:
                words = json.loads(self.text)
            except ValueError:
                words = None  # not JSON: Docker, too, takes it as shell form
            if isinstance(words, list) and all(isinstance(word, str) for word in words):
                return tuple(words)
        return ("/bin/sh", "-c", self.text)

    def words(self) -> list[str]:
        """Read a list of words, or a JSON list of them; flags stay in front."""
        flags, rest = self.flags()
        if rest.startswith("["):
            try:
                return [*flags, *map(str, json.loads(rest))]
            except ValueError as error:
                raise self.wrong(f"{self.keyword} {rest} is not a JSON list") from error
        return [*flags, *rest.split()]

    def flags(self) -> tuple[list[str], str]:
        """Split the leading --flags from the rest."""
        flags, rest = [], self.text
        while rest.startswith("--"):
            flag, _, rest = rest.partition(" ")
            flags.append(flag)
            rest = rest.lstrip()
        return flags, rest

    def assignments(self) -> list[tuple[str, str]]:
        """Read `A=1 B="two words"`, or the old `A 1`."""
        pairs = [
            (match["key"], _unquote(match["value"])) for match in _ASSIGNMENT.finditer(self.text)
        ]
        first = self.text.split(maxsplit=1)
        if first and "=" not in first[0]:
            if len(first) < 2:
                raise self.wrong(f"{self.keyword} {self.text} has no value")
            return [(first[0], first[1])]
        return pairs


def parse(text: str, where: str, arguments: Mapping[str, str] | None = None) -> list[Instruction]:
    """Return the last stage's instructions, FROM first, with the values of ARG and ENV filled in.

    Args:
        where: the file's name, for messages.
        arguments: values for ARG (`--build-arg`).

    Raises:
        BadInputError: it is not a Dockerfile; file and line are named.
    """
    instructions = list(_instructions(text, where))
    starts = [index for index, one in enumerate(instructions) if one.keyword == "FROM"]
    if not starts:
        raise BadInputError(f"{where}: there is no FROM, so this is not a Dockerfile.")
    if any(one.keyword != "ARG" for one in instructions[: starts[0]]):
        raise instructions[0].wrong(f"{instructions[0].keyword} stands before the first FROM")
    return list(_filled(instructions[starts[-1] :], arguments or {}))


def _instructions(text: str, where: str) -> Iterator[Instruction]:
    lines = text.removeprefix("\ufeff").splitlines()
    directive = _DIRECTIVE.fullmatch(lines[0].strip()) if lines else None
    escape = directive[1] if directive else "\\"
    numbered = enumerate(lines, start=1)
    for number, line in numbered:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        joined = _joined(line, numbered, escape)
        keyword, _, rest = joined.strip().partition(" ")
        instruction = Instruction(number, keyword.upper(), rest.strip(), where)
        if instruction.keyword not in KEYWORDS:
            raise instruction.wrong(f"{keyword} is not a Dockerfile instruction")
        if not instruction.text:
            raise instruction.wrong(f"{instruction.keyword} needs an argument")
        _skip_heredocs(instruction, numbered)
        yield instruction


def _joined(line: str, following: Iterator[tuple[int, str]], escape: str) -> str:
    """Join continued lines; comments and empty lines between them are dropped."""
    joined = ""
    while line.rstrip().endswith(escape):
        joined += line.rstrip()[:-1].replace("\t", " ")
        line = next((one for _, one in following if not _skipped(one)), "")
    return joined + line.rstrip().replace("\t", " ")


def _skipped(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _skip_heredocs(instruction: Instruction, following: Iterator[tuple[int, str]]) -> None:
    if instruction.keyword not in ("RUN", "COPY", "ADD"):
        return
    for match in _HEREDOC.finditer(instruction.text):
        if instruction.keyword != "RUN":
            raise instruction.wrong("here-documents are not supported on the embedded cluster")
        if not any(line.strip() == match[2] for _, line in following):
            raise instruction.wrong(f"the here-document never ends: {match[2]} is missing")


def _filled(stage: list[Instruction], given: Mapping[str, str]) -> Iterator[Instruction]:
    """Replace variables where Docker does, which is not in RUN, CMD and ENTRYPOINT."""
    known: dict[str, str] = {}
    for one in stage:
        if one.keyword in ("RUN", "CMD", "ENTRYPOINT", "FROM", "HEALTHCHECK", "SHELL", "ONBUILD"):
            yield one
            continue
        filled = Instruction(one.line, one.keyword, substitute(one.text, known), one.where)
        if one.keyword == "ARG":
            for word in shlex.split(filled.text):
                name, _, default = word.partition("=")
                known[name] = given.get(name, default)
        elif one.keyword == "ENV":
            known |= filled.assignments()
        yield filled


def substitute(text: str, known: Mapping[str, str]) -> str:
    """Replace $NAME and ${NAME}; an unknown name is empty, `\\$` is a dollar."""

    def value(match: re.Match[str]) -> str:
        if match["escaped"]:
            return "$"
        found = known.get(match["plain"] or match["name"], "")
        if match["kind"] == "-":
            return found or str(match["other"])
        if match["kind"] == "+":
            return str(match["other"]) if found else ""
        return found

    return _VARIABLE.sub(value, text)


def _unquote(text: str) -> str:
    try:
        return "".join(shlex.split(text)) if text else ""
    except ValueError:
        return text  # an odd quote is part of the value
