"""Reading a Dockerfile: text in, instructions and stages out. Nothing is executed here.

What is understood: comments, continued lines, `# escape=`, here-documents, FROM ... AS, ARG before
and after FROM, $NAME, ${NAME}, ${NAME:-default}, ${NAME:+other}, exec and shell form.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from flashsale.base.errors import BadInputError

KEYWORDS = (
    *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL"),
    *("MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
)
# Where Docker leaves variables to the shell, or to whoever reads the image.
UNFILLED = ("RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK", "SHELL", "ONBUILD")
_DIRECTIVE = re.compile(r"#\s*escape\s*=\s*([`\\])\s*", re.IGNORECASE)
_HEREDOC = re.compile(
    r"(?<![\w$(<])<<(?P<tabs>-?)(?P<quote>['\"]?)(?P<name>[A-Za-z_]\w*)(?P=quote)"
)
_VARIABLE = re.compile(
    r"\\(?P<escaped>\$)|\$(?P<plain>[A-Za-z_]\w*)"
    r"|\$\{(?P<name>[A-Za-z_]\w*)(?::?(?P<kind>[-+?])(?P<other>[^}]*))?\}"
)
_ASSIGNMENT = re.compile(r"(?P<key>[^\s=]+)=(?P<value>(?:\"(?:\\.|[^\"])*\"|'[^']*'|\\.|\S)*)")


@dataclass(frozen=True, slots=True)
class HereDocument:
    """Text that follows an instruction, under the name that ends it."""

    name: str
    body: str
    filled: bool  # its variables are replaced, for the name has no quotes


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, its arguments as they are written. Lines count from 1."""

    line: int  # where it begins
    last: int  # where it ends, here-documents included
    keyword: str  # upper case
    text: str
    where: str = "Dockerfile"  # the file's name, for messages
    documents: tuple[HereDocument, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)  # ARG and ENV where it stands

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
        """Read a list of words, or a JSON list of them, without the leading flags."""
        rest = self.flags()[1]
        if rest.startswith("["):
            try:
                return [*map(str, json.loads(rest))]
            except ValueError as error:
                raise self.wrong(f"{self.keyword} {rest} is not a JSON list") from error
        return rest.split()

    def flags(self) -> tuple[dict[str, str], str]:
        """Split the leading --flags, by name, from the rest."""
        flags, rest = {}, self.text
        while rest.startswith("--"):
            flag, _, rest = rest.partition(" ")
            name, _, value = flag.removeprefix("--").partition("=")
            flags[name] = value
            rest = rest.lstrip()
        return flags, rest

    def assignments(self) -> list[tuple[str, str]]:
        """Read `A=1 B="two words"`, or the old `A 1`."""
        first = self.text.split(maxsplit=1)
        if first and "=" not in first[0]:
            if len(first) < 2:
                raise self.wrong(f"{self.keyword} {self.text} has no value")
            return [(first[0], first[1])]
        found = _ASSIGNMENT.finditer(self.text)
        return [(match["key"], _unquote(match["value"])) for match in found]


@dataclass(frozen=True, slots=True)
class Stage:
    """One FROM and what follows it, the values of ARG and ENV filled in."""

    start: Instruction
    base: str  # an image, or the name of an earlier stage
    name: str  # lower case; empty where it has none
    instructions: tuple[Instruction, ...]


def instructions(text: str, where: str = "Dockerfile") -> Iterator[Instruction]:
    """Give the instructions in order, whether Docker knows them or not."""
    lines = text.removeprefix("\ufeff").splitlines()
    directive = _DIRECTIVE.fullmatch(lines[0].strip()) if lines else None
    numbered = enumerate(lines, start=1)
    for number, line in numbered:
        if _skipped(line):
            continue
        joined, last = _joined(line, number, numbered, directive[1] if directive else "\\")
        keyword, _, rest = joined.strip().partition(" ")
        one = Instruction(number, last, keyword.upper(), rest.strip(), where)
        yield _with_documents(one, numbered)


def stages(
    text: str, where: str = "Dockerfile", arguments: Mapping[str, str] | None = None
) -> list[Stage]:
    """Return the stages in order, with the values of ARG and ENV filled in.

    Args:
        where: the file's name, for messages.
        arguments: values for ARG (`--build-arg`).

    Raises:
        BadInputError: it is not a Dockerfile; file and line are named.
    """
    listed = list(instructions(text, where))
    for one in listed:
        _check(one)
    starts = [index for index, one in enumerate(listed) if one.keyword == "FROM"]
    if not starts:
        raise BadInputError(f"{where}: there is no FROM, so this is not a Dockerfile.")
    for one in listed[: starts[0]]:
        if one.keyword != "ARG":
            raise one.wrong(f"{one.keyword} stands before the first FROM")
    given = arguments or {}
    known: dict[str, str] = {}
    list(_filled(listed[: starts[0]], known, given, {}))
    result: list[Stage] = []
    env: dict[str, dict[str, str]] = {}  # what each stage's ENV says, by its name and number
    for index, (begin, end) in enumerate(zip(starts, [*starts[1:], len(listed)], strict=True)):
        base, name = _from(listed[begin], known)
        own = dict(env.get(base.lower(), {}))
        body = tuple(_filled(listed[begin + 1 : end], dict(own), given, known, own))
        result.append(Stage(listed[begin], base, name, body))
        env[name or str(index)] = env[str(index)] = own
    return result


def lineage(all_stages: Sequence[Stage], index: int = -1) -> list[Stage]:
    """Return a stage, the last one by default, after those that it is based on."""
    position = index % len(all_stages)
    line = [all_stages[position]]
    while (found := find_stage(all_stages[:position], line[0].base)) is not None:
        position = found
        line.insert(0, all_stages[position])
    return line


def find_stage(earlier: Sequence[Stage], name: str) -> int | None:
    """Return which of some stages a name or a number means; the newest of a name."""
    if name.isdecimal():
        return int(name) if int(name) < len(earlier) else None
    named = [index for index, stage in enumerate(earlier) if stage.name == name.lower()]
    return named[-1] if named and name else None


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


def _check(one: Instruction) -> None:
    if one.keyword not in KEYWORDS:
        raise one.wrong(f"{one.keyword.capitalize()} is not a Dockerfile instruction")
    if not one.text:
        raise one.wrong(f"{one.keyword} needs an argument")
    missing = len(_documents_of(one)) - len(one.documents)
    if missing:
        name = _documents_of(one)[-missing]["name"]
        raise one.wrong(f"the here-document never ends: {name} is missing")


def _joined(
    line: str, number: int, following: Iterator[tuple[int, str]], escape: str
) -> tuple[str, int]:
    """Join continued lines; comments and empty lines between them are dropped."""
    joined = ""
    while line.rstrip().endswith(escape):
        joined += line.rstrip()[:-1].replace("\t", " ")
        number, line = next(((n, one) for n, one in following if not _skipped(one)), (number, ""))
    return joined + line.rstrip().replace("\t", " "), number


def _skipped(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _documents_of(one: Instruction) -> list[re.Match[str]]:
    if one.keyword not in ("RUN", "COPY", "ADD"):
        return []
    outside = re.sub(r"\"(?:\\.|[^\"])*\"|'[^']*'", _blank_unless_delimiter, one.text)
    return list(_HEREDOC.finditer(outside))


def _blank_unless_delimiter(match: re.Match[str]) -> str:
    """Blank what is quoted, so that no `<<` in it counts; `<<'EOF'` stays."""
    before = match.string[: match.start()]
    return match[0] if re.search(r"<<-?$", before) else " " * len(match[0])


def _with_documents(one: Instruction, following: Iterator[tuple[int, str]]) -> Instruction:
    documents, last = [], one.last
    for match in _documents_of(one):
        body: list[str] = []
        for number, line in following:
            last, line = number, line.lstrip("\t") if match["tabs"] else line
            if line == match["name"]:
                text = "".join(f"{each}\n" for each in body)
                documents.append(HereDocument(match["name"], text, filled=not match["quote"]))
                break
            body.append(line)
    return replace(one, documents=tuple(documents), last=last)


def _from(one: Instruction, known: Mapping[str, str]) -> tuple[str, str]:
    words = [word for word in substitute(one.text, known).split() if not word.startswith("--")]
    if len(words) not in (1, 3) or (len(words) == 3 and words[1].upper() != "AS"):
        raise one.wrong("FROM takes an image, or an image AS a name")
    return words[0], words[2].lower() if len(words) == 3 else ""


def _filled(
    body: Sequence[Instruction],
    known: dict[str, str],
    given: Mapping[str, str],
    outer: Mapping[str, str],
    env: dict[str, str] | None = None,
) -> Iterator[Instruction]:
    """Replace variables where Docker does.

    Args:
        known: ARG and ENV so far; grows.
        given: what was typed.
        outer: the ARGs before the first FROM, which a stage has once it repeats their names.
        env: ENV so far; grows. What it says wins over ARG.
    """
    for one in body:
        text = one.text if one.keyword in UNFILLED else substitute(one.text, known)
        documents = tuple(
            replace(each, body=substitute(each.body, known))
            if each.filled and one.keyword != "RUN"
            else each
            for each in one.documents
        )
        filled = replace(one, text=text, documents=documents, variables=dict(known))
        if one.keyword == "ARG":
            for word in _split(filled):
                name, typed, default = word.partition("=")
                if name not in (env or ()):
                    known[name] = given.get(name, default if typed else outer.get(name, ""))
        elif one.keyword == "ENV":
            pairs = dict(filled.assignments())
            known |= pairs
            if env is not None:
                env |= pairs
        yield filled


def _split(one: Instruction) -> list[str]:
    try:
        return shlex.split(one.text)
    except ValueError as error:
        raise one.wrong(f"{one.keyword} {one.text} has a quote that never ends") from error


def _unquote(text: str) -> str:
    try:
        return "".join(shlex.split(text)) if text else ""
    except ValueError:
        return text  # an odd quote is part of the value
