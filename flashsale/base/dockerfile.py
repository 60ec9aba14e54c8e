"""Reading a Dockerfile: text in, instructions and stages out. Nothing is executed here.

What is understood: comments, continued lines, `# escape=`, here-documents, FROM ... AS, ARG before
and after FROM, variables and quotes as BuildKit has them, exec and shell form.
"""

from __future__ import annotations

import difflib
import json
import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from flashsale.base import dockerfile_words as dockerwords
from flashsale.base.errors import BadInputError

KEYWORDS = (
    *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL"),
    *("MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
)
FLAGS = {
    "FROM": ("platform",),
    "COPY": ("from", "chown", "chmod", "link", "parents", "exclude"),
    "ADD": ("chown", "chmod", "link", "checksum", "keep-git-dir", "exclude", "unpack"),
    "RUN": ("mount", "network", "security", "device"),
    "HEALTHCHECK": ("interval", "timeout", "start-period", "start-interval", "retries"),
}
SHELL = ("/bin/sh", "-c")
# Of the images that Python comes in; what `ENV PATH=/opt/bin:$PATH` adds to.
PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*")
_STAGE_NAME = re.compile(r"[a-z][a-z0-9_.-]*")  # frontend/dockerfile/instructions/parse.go
_HEREDOC = re.compile(
    r"(?<![\w$(<])<<(?P<tabs>-?)(?P<quote>['\"]?)(?P<name>[A-Za-z_]\w*)(?P=quote)"
)


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
    escape: str = "\\"

    def wrong(self, why: str, hint: str = "") -> BadInputError:
        """Return the error that names the file and the line."""
        return BadInputError(f"{self.where}:{self.line}: {why}.", hint=hint)

    def exec_form(self) -> tuple[str, ...] | None:
        """Read a JSON list of words; None for shell form, which is also what is no such list."""
        try:
            words = json.loads(self.text) if self.text.startswith("[") else None
        except ValueError:
            return None
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            return None
        return tuple(words)

    def command(self, shell: Sequence[str] = SHELL) -> tuple[str, ...]:
        """Read exec form, or hand shell form to a shell."""
        words = self.exec_form()
        return (*shell, self.text) if words is None else words

    def fill(self, document: HereDocument) -> HereDocument:
        """Replace the variables in a here-document, unless its name has quotes."""
        if not document.filled:
            return document
        try:
            body = dockerwords.expand(document.body, self.variables, self.escape, has_quotes=False)
        except ValueError as error:
            raise self.wrong(f"<<{document.name}: {error}") from error
        return replace(document, body=body)

    def value(self) -> str:
        """Return the whole text, quotes and variables resolved."""
        return self._expanded(self.text)

    def words(self) -> list[str]:
        """Read a list of words, or a JSON list of them, without the leading flags."""
        rest = self.flags()[1]
        if rest.startswith("["):
            try:
                return [*map(self._expanded, map(str, json.loads(rest)))]
            except ValueError as error:
                raise self.wrong(f"{self.keyword} {rest} is not a JSON list") from error
        return [*map(self._expanded, rest.split())]

    def flags(self) -> tuple[dict[str, str], str]:
        """Split the leading --flags, by name, from the rest; one that is repeated has its values
        on lines of their own."""
        flags, rest = dict[str, str](), self.text
        while rest.startswith("--"):
            flag, *after = rest.split(maxsplit=1)
            rest = after[0] if after else ""
            name, _, value = flag.removeprefix("--").partition("=")
            value = value if self.keyword == "RUN" else self._expanded(value)
            flags[name] = f"{flags[name]}\n{value}" if name in flags else value
        return flags, rest

    def assignments(self) -> list[tuple[str, str]]:
        """Read `A=1 B="two words"`, or the old `A 1`."""
        words = dockerwords.split(self.text, self.escape)
        if "=" not in words[0]:
            name, *rest = self.text.split(maxsplit=1)
            if not rest:
                raise self.wrong(f"{self.keyword} {self.text} has no value")
            return [(self._expanded(name), self._expanded(rest[0]))]
        return [*map(self._assignment, words)]

    def arguments(self) -> list[tuple[str, str | None]]:
        """Read `A=1 B`, which is ARG's; B has no value."""
        words = dockerwords.split(self.text, self.escape)
        return [self._assignment(word) if "=" in word else (word, None) for word in words]

    def _assignment(self, word: str) -> tuple[str, str]:
        name, sign, value = word.partition("=")
        if not sign or not name:
            raise self.wrong(f"{self.keyword} has {word}, which is not NAME=VALUE")
        return self._expanded(name), self._expanded(value)

    def _expanded(self, word: str) -> str:
        try:
            return dockerwords.expand(word, self.variables, self.escape)
        except ValueError as error:
            raise self.wrong(f"{self.keyword}: {error}") from error


@dataclass(frozen=True, slots=True)
class Stage:
    """One FROM and what follows it; each instruction knows the values of ARG and ENV."""

    start: Instruction
    base: str  # an image, or the name of an earlier stage
    name: str  # lower case; empty where it has none
    instructions: tuple[Instruction, ...]


def instructions(text: str, where: str = "Dockerfile") -> Iterator[Instruction]:
    """Give the instructions in order, whether Docker knows them or not."""
    lines = [line.removesuffix("\r") for line in text.removeprefix("\ufeff").split("\n")]
    escape = _escape(lines, where)
    numbered = enumerate(lines, start=1)
    for number, line in numbered:
        if _skipped(line):
            continue
        joined, last = _joined(line, number, numbered, escape)
        keyword, *rest = joined.strip().split(maxsplit=1) or [""]
        text = rest[0] if rest else ""
        one = Instruction(number, last, keyword.upper(), text, where, escape=escape)
        yield _with_documents(one, numbered)


def _escape(lines: Sequence[str], where: str) -> str:
    """Read the parser directives, which come before anything else."""
    for number, line in enumerate(lines, start=1):
        directive = _DIRECTIVE.fullmatch(line.strip())
        if directive is None:
            break
        if directive[1].lower() == "escape":
            if directive[2] not in ("\\", "`"):
                raise BadInputError(f"{where}:{number}: escape is \\ or `, not {directive[2]}.")
            return directive[2]
    return "\\"


def stages(
    text: str, where: str = "Dockerfile", arguments: Mapping[str, str] | None = None
) -> list[Stage]:
    """Return the stages in order; each instruction knows the values of ARG and ENV.

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
    known = _platform_arguments()
    list(_filled(listed[: starts[0]], known, given, {}))
    result: list[Stage] = []
    variables: dict[str, dict[str, str]] = {}  # of each stage at its end, by its name and number
    for index, (begin, end) in enumerate(zip(starts, [*starts[1:], len(listed)], strict=True)):
        start = replace(listed[begin], variables=known)
        base, name = _from(start)
        own = dict(variables.get(base.lower()) or ({} if base == "scratch" else {"PATH": PATH}))
        body = tuple(_filled(listed[begin + 1 : end], own, given, known))
        result.append(Stage(start, base, name, body))
        variables[name or str(index)] = variables[str(index)] = own
    return result


def _platform_arguments() -> dict[str, str]:
    """Return the ARGs that BuildKit knows by itself; a stage has them once it repeats the names."""
    machine = platform.machine().lower()
    processor = {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
    parts = {"PLATFORM": f"linux/{processor}", "OS": "linux", "ARCH": processor, "VARIANT": ""}
    return {f"{kind}{name}": part for kind in ("TARGET", "BUILD") for name, part in parts.items()}


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


def _check(one: Instruction) -> None:
    if one.keyword not in KEYWORDS:
        meant = difflib.get_close_matches(one.keyword, KEYWORDS, 1)
        maybe = f"; did you mean {meant[0]}" if meant else ""
        raise one.wrong(f"{one.keyword.capitalize()} is not a Dockerfile instruction{maybe}")
    if not one.text:
        raise one.wrong(f"{one.keyword} needs an argument")
    known = FLAGS.get(one.keyword, ())
    for name in re.findall(r"--([\w-]+)", _flag_text(one)):
        if name not in known:
            raise one.wrong(f"{one.keyword} has no flag --{name}")
    missing = len(_documents_of(one)) - len(one.documents)
    if missing:
        name = _documents_of(one)[-missing]["name"]
        raise one.wrong(f"the here-document never ends: {name} is missing")


def _flag_text(one: Instruction) -> str:
    """Return the leading flags, without their values; empty for what takes none."""
    takes = one.keyword in FLAGS
    leading = re.match(r"(?:--[\w-]+(?:=\S*)?(?:\s+|$))*", one.text) if takes else None
    return re.sub(r"=\S*", "", leading[0]) if leading else ""


def _joined(
    line: str, number: int, following: Iterator[tuple[int, str]], escape: str
) -> tuple[str, int]:
    """Join continued lines; comments and empty lines between them are dropped."""
    joined = ""
    while line.rstrip().endswith(escape):
        joined += line.rstrip()[:-1]
        number, line = next(((n, one) for n, one in following if not _skipped(one)), (number, ""))
    return joined + line.rstrip(), number


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


def _from(one: Instruction) -> tuple[str, str]:
    words = one.words()
    if len(words) not in (1, 3) or (len(words) == 3 and words[1].upper() != "AS"):
        raise one.wrong("FROM takes an image, or an image AS a name")
    name = words[2].lower() if len(words) == 3 else ""
    if name and not _STAGE_NAME.fullmatch(name):
        raise one.wrong(f"{words[2]} cannot name a stage: a letter, then letters, digits, - _ .")
    return words[0], name


def _filled(
    body: Sequence[Instruction],
    known: dict[str, str],
    given: Mapping[str, str],
    outer: Mapping[str, str],
) -> Iterator[Instruction]:
    """Give each instruction the variables that it may use.

    Args:
        known: ARG and ENV so far; grows.
        given: what was typed.
        outer: the ARGs before the first FROM, which a stage has once it repeats their names.
    """
    for one in body:
        filled = replace(one, variables=dict(known))
        if one.keyword != "RUN":
            filled = replace(filled, documents=tuple(map(filled.fill, one.documents)))
        if one.keyword == "ARG":
            for name, default in filled.arguments():
                value = given.get(name, outer.get(name) if default is None else default)
                if value is not None:
                    known[name] = value
        elif one.keyword == "ENV":
            known |= filled.assignments()
        elif one.keyword == "LABEL":
            filled.assignments()  # a mistake in one is a mistake in the file
        yield filled
