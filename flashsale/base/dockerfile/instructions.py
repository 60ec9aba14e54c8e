"""The instructions of a Dockerfile: text in, instructions out.

What is understood: comments, continued lines, `# escape=`, here-documents, variables and quotes as
BuildKit has them, exec and shell form.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from flashsale.base.dockerfile import dockerfile_words as dockerwords
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
_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*")
_DURATION = re.compile(r"--(interval|timeout|start-period|start-interval)=([1-9][\d.]*)(?=\s)")
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
        """Return the words of a JSON list; None for any other text, which is shell form.

        Raises:
            BadInputError: something in the list is not text.
        """
        try:
            words = json.loads(self.text) if self.text.startswith("[") else None
        except ValueError:
            return None
        if not isinstance(words, list):
            return None
        if not all(isinstance(word, str) for word in words):
            raise self.wrong(f"{self.keyword} {self.text} lists what is no text: quote it")
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
                if re.match(r"\[\s*[\"'“]", rest):  # else it is a pattern: [ab].txt
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


def parse_instructions(text: str, where: str = "Dockerfile") -> Iterator[Instruction]:
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
        instruction = Instruction(number, last, keyword.upper(), text, where, escape=escape)
        yield _with_documents(instruction, numbered)


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


def check_instruction(instruction: Instruction) -> None:
    """Raise BadInputError for what Docker would not understand."""
    if instruction.keyword not in KEYWORDS:
        meant = difflib.get_close_matches(instruction.keyword, KEYWORDS, 1)
        maybe = f"; did you mean {meant[0]}" if meant else ""
        raise instruction.wrong(
            f"{instruction.keyword.capitalize()} is not a Dockerfile instruction{maybe}"
        )
    if not instruction.text:
        raise instruction.wrong(f"{instruction.keyword} needs an argument")
    known = FLAGS.get(instruction.keyword, ())
    flags = _flag_text(instruction)
    for name in re.findall(r"(?<!\S)--([\w-]+)", flags):
        if name not in known:
            raise instruction.wrong(f"{instruction.keyword} has no flag --{name}")
    for name, value in _DURATION.findall(flags):
        raise instruction.wrong(f"--{name}={value} has no unit: write {value}s")
    missing = len(_documents_of(instruction)) - len(instruction.documents)
    if missing:
        name = _documents_of(instruction)[-missing]["name"]
        raise instruction.wrong(f"the here-document never ends: {name} is missing")


def _flag_text(instruction: Instruction) -> str:
    """Return the leading flags with their values; empty for what takes none."""
    takes = instruction.keyword in FLAGS
    leading = re.match(r"(?:--[\w-]+(?:=\S*)?(?:\s+|$))*", instruction.text) if takes else None
    return leading[0] if leading else ""


def _joined(
    line: str, number: int, following: Iterator[tuple[int, str]], escape: str
) -> tuple[str, int]:
    """Join continued lines; comments and empty lines between them are dropped."""
    joined = ""
    while line.rstrip().endswith(escape):
        joined += line.rstrip()[:-1]
        number, line = next(
            ((n, text) for n, text in following if not _skipped(text)), (number, "")
        )
    return joined + line.rstrip(), number


def _skipped(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _documents_of(instruction: Instruction) -> list[re.Match[str]]:
    if instruction.keyword not in ("RUN", "COPY", "ADD"):
        return []
    outside = re.sub(r"\"(?:\\.|[^\"])*\"|'[^']*'", _blank_unless_delimiter, instruction.text)
    return list(_HEREDOC.finditer(outside))


def _blank_unless_delimiter(match: re.Match[str]) -> str:
    """Blank what is quoted, so that no `<<` in it counts; `<<'EOF'` stays."""
    before = match.string[: match.start()]
    return match[0] if re.search(r"<<-?$", before) else " " * len(match[0])


def _with_documents(instruction: Instruction, following: Iterator[tuple[int, str]]) -> Instruction:
    documents, last = [], instruction.last
    for match in _documents_of(instruction):
        body: list[str] = []
        for number, line in following:
            last, line = number, line.lstrip("\t") if match["tabs"] else line
            if line == match["name"]:
                text = "".join(f"{each}\n" for each in body)
                documents.append(HereDocument(match["name"], text, filled=not match["quote"]))
                break
            body.append(line)
    return replace(instruction, documents=tuple(documents), last=last)
