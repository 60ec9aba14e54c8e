"""YAML files that people wrote: read with care, refused with the line that is wrong."""

from __future__ import annotations

import json
import re
import stat
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flashsale.base.addresses import typed_url
from flashsale.base.errors import BadInputError, Hint
from flashsale.base.text import quoted
from flashsale.objects.models import Object

if TYPE_CHECKING:
    import yaml

BIGGEST = 1_000_000  # bytes; the API server refuses more than 3 MB
MOST_NODES = 100_000  # a few lines of aliases can stand for billions of values
DEEPEST = 50  # levels; an alias may stand within what it stands for
HINT = Hint("flashsale manifest", "prints one that works")
PIPE = "flashsale manifest | flashsale up --manifest -"
TEMPLATE = re.compile(r"\{[{%].*?[%}]\}")  # Helm's, or Jinja's
STDIN = Path("-")  # as kubectl has it


def read_source(file: Path) -> tuple[str, str]:
    """Return the text of a file, and its name for messages; `-` is standard input.

    Raises:
        BadInputError: it is missing, no regular file, too big, binary, or not ours to read.
    """
    if file == STDIN:
        return _standard_input(), "stdin"
    try:
        about = file.stat()
        if stat.S_ISDIR(about.st_mode):
            hint = f"flashsale up {quoted(file)}"
            raise BadInputError(f"{file} is a folder, not a file.", hint=hint)
        if not stat.S_ISREG(about.st_mode):  # a device or a pipe may never end
            raise BadInputError(f"{file} is not a regular file.", hint=PIPE)
        if about.st_size > BIGGEST:
            raise BadInputError(f"{file} is too big to be a manifest.", hint=HINT)
        content = file.read_bytes()
    except FileNotFoundError:
        if url := typed_url(file):
            fetch = f"curl -fsSL {quoted(url)} | flashsale up --manifest -"
            why = f"{url} is an address, not a file of this machine."
            raise BadInputError(why, hint=fetch) from None
        raise BadInputError(f"There is no file {file}.", hint="flashsale init") from None
    except OSError as error:
        raise BadInputError(f"{file} cannot be read: {error.strerror}.", hint=HINT) from error
    return _decoded(content, str(file)), str(file)


def _standard_input() -> str:
    if sys.stdin.isatty():
        raise BadInputError("stdin is a terminal, not a manifest.", hint=PIPE)
    try:
        content = sys.stdin.buffer.read(BIGGEST + 1)
    except OSError as error:
        raise BadInputError(f"stdin cannot be read: {error.strerror}.", hint=PIPE) from error
    if len(content) > BIGGEST:
        raise BadInputError("stdin is too big to be a manifest.", hint=HINT)
    return _decoded(content, "stdin")


def _decoded(content: bytes, name: str) -> str:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise BadInputError(f"{name} is not a text file.", hint=HINT) from None
    if "\0" in text:
        raise BadInputError(f"{name} is not a text file.", hint=HINT)
    return text


def yaml_documents(text: str, source: str) -> Iterator[tuple[int, Object]]:
    """Yield the documents of a YAML text that are not empty, each with its number from 1.

    Raises:
        BadInputError: with the line, where it is the YAML that is wrong.
    """
    import yaml

    try:
        loaded = _json_documents(text) or list(yaml.load_all(text, Loader=_loader()))
    except yaml.MarkedYAMLError as error:
        if template := TEMPLATE.search(text):
            line = text.count("\n", 0, template.start()) + 1
            raise template_error(source, f"line {line} has {template[0][:40]}") from error
        raise BadInputError(f"{source} is not YAML: {_where(error, text)}.", hint=HINT) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadInputError(f"{source} is not YAML: {_first_line(error)}.", hint=HINT) from error
    documents = [
        (number, document) for number, document in enumerate(loaded, 1) if document is not None
    ]
    if not documents:
        raise BadInputError(f"{source} is empty.", hint=HINT)
    budget = [MOST_NODES]
    for number, document in documents:
        if not isinstance(document, dict):
            what = "a list" if isinstance(document, list) else f"just {str(document)[:40]!r}"
            raise BadInputError(
                f"{source} holds {what} where an object is due (document {number}).", hint=HINT
            )
        _plain(document, source, (), budget)
        yield number, document


def template_error(source: str, where: str) -> BadInputError:
    """Return the error of a file that makes a manifest, and is none itself."""
    return BadInputError(
        f"{source} is a template, not YAML: {where}.",
        hint=Hint(words="give --manifest what it makes, as `helm template` prints it"),
    )


def _json_documents(text: str) -> list[Any]:
    """Return JSON values that stand one after another, as kubectl takes them; else nothing."""
    decoder, documents = json.JSONDecoder(object_pairs_hook=_unique), list[Any]()
    rest = text.lstrip("\ufeff").strip() if text.lstrip("\ufeff \t\r\n").startswith("{") else ""
    while rest:
        try:
            value, end = decoder.raw_decode(rest)
        except (ValueError, RecursionError):
            return []
        documents, rest = [*documents, value], rest[end:].lstrip()
    return documents


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that is there twice; the reader of YAML says it with its line."""
    if len(unique := dict(pairs)) < len(pairs):
        raise ValueError
    return unique


@cache
def _loader() -> Any:
    """Make a loader that refuses a key that is there twice: of the two only one would count."""
    from flashsale.base.yaml_loader import SafeLoader

    class UniqueKeyLoader(SafeLoader):
        def flatten_mapping(self, node: yaml.MappingNode) -> None:
            """Look before `<<` is resolved: what that adds may well be there already."""
            _check_keys(node)
            super().flatten_mapping(node)

    return UniqueKeyLoader


def _check_keys(node: yaml.MappingNode) -> None:
    import yaml

    seen = set[tuple[str, str]]()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode):
            if (key.tag, key.value) in seen:
                problem = f"the key {key.value!r} is there twice"
                if key.value == "apiVersion" and not key.start_mark.column:
                    problem += ": a line --- divides two objects"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            seen.add((key.tag, key.value))


def _plain(value: Any, source: str, path: tuple[str | int, ...], budget: list[int]) -> None:
    """Refuse what JSON cannot say: infinity, keys that are no text, values without an end."""
    budget[0] -= 1
    if budget[0] < 0 or len(path) > DEEPEST:
        raise BadInputError(f"{source} holds more values than any manifest needs.", hint=HINT)
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                where = f" under {_field_path(path)}" if path else ""
                raise BadInputError(
                    f"{source} has the key {key!r}{where}, which is not text: quote it.", hint=HINT
                )
            _plain(inner, source, (*path, key), budget)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _plain(inner, source, (*path, index), budget)
    elif not (value is None or isinstance(value, str | bool | int) or _finite(value)):
        raise BadInputError(
            f"{source} has the value {value!r} at {_field_path(path)}, which no manifest can say:"
            " quote it.",
            hint=HINT,
        )


def _field_path(path: tuple[str | int, ...]) -> str:
    """Write a path as Kubernetes does: `spec.containers[0].image`."""
    words = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(words).removeprefix(".")


def _finite(value: Any) -> bool:
    return isinstance(value, float) and value - value == 0


def _where(error: Any, text: str) -> str:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return f"{error.problem or error.context}"
    lines = text.splitlines()
    for number in (mark.line, mark.line - 1):  # what is wrong may show one line later
        line = lines[number] if 0 <= number < len(lines) else ""
        for char, name in {"\t": "a tab", "\u00a0": "a no-break space"}.items():
            if char in line[: len(line) - len(line.lstrip())]:
                return f"line {number + 1} begins with {name}, where YAML takes blanks alone"
    return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem or error.context}"


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
