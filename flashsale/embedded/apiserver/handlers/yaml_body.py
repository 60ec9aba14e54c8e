"""YAML that a client sent: one document, read quickly and within limits."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from flashsale.base.yaml_loader import SafeLoader
from flashsale.embedded.types.golang import go_json
from flashsale.embedded.types.strict_decoding import sound

DEEPEST = 100  # levels of nesting; libyaml's composer recurses in C, where too deep is a crash
LARGEST = 1_000_000  # values after all aliases are followed
TIMESTAMP = "tag:yaml.org,2002:timestamp"
TEXT = "tag:yaml.org,2002:str"

NO_TEXT = re.compile(  # what Go's YAML reads otherwise, with the truth values of YAML 1.1
    r"|~|null|Null|NULL|<<|[yYnN]|yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON"
    r"|off|Off|OFF|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)|[-+]?0b[01_]+|[-+]?0o?[0-7_]+"
    r"|[-+]?0x[0-9a-fA-F_]+|[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?"
    r"|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?"
)


class _Loader(SafeLoader):
    """Leaves times as the text that they are, as JSON would have them."""

    yaml_implicit_resolvers = {  # noqa: RUF012  # PyYAML's own way
        first: [(tag, pattern) for tag, pattern in resolvers if tag != TIMESTAMP]
        for first, resolvers in SafeLoader.yaml_implicit_resolvers.items()
    }

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.repeated: list[tuple[int, str]] = []  # with their lines

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Note which keys stand twice; the last one counts."""
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    line = key.start_mark.line + 1
                    shown = json.dumps(key.value) if key.tag == TEXT else key.value
                    words = f"line {line}: key {shown} already set in map"
                    self.repeated.append((line, words))
                seen.add(key.value)
        made: dict[Any, Any] = super().construct_mapping(node, deep)
        return made


class _Dumper(yaml.SafeDumper):
    """Indents and quotes as Go's YAML does: texts that look like times or numbers are quoted."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write shared values again each time."""
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """Write lines as lines, and quote what would be read as something else."""
        style = "|" if "\n" in text else '"' if NO_TEXT.fullmatch(text) else None
        return self.represent_scalar(TEXT, text, style=style)


_Dumper.add_representer(str, _Dumper.represent_text)


class _RefusedError(ValueError):
    """YAML that would take too much."""


class YAMLBodyError(ValueError):
    """Not YAML; the message is that of Go's parser: `yaml: line 3: ...`."""


def load_yaml(body: bytes) -> Any:
    """Decode one YAML document to what JSON can say.

    Raises:
        YAMLBodyError: it is not YAML.
    """
    return load_noting_duplicates(body)[0]


def load_noting_duplicates(body: bytes) -> tuple[Any, list[str]]:
    """Decode one YAML document; returns in Go's words which keys stand twice, too.

    Raises:
        YAMLBodyError: it is not YAML.
    """
    text = body.decode("utf-8", "replace")
    try:
        value, repeated = _json(body, text) if text.lstrip().startswith("{") else _yaml(text)
        return sound(value), repeated
    except yaml.YAMLError as error:
        raise YAMLBodyError(f"yaml: {_explained(error)}") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise YAMLBodyError(f"yaml: {error}") from error


def dump_yaml(thing: Any) -> bytes:
    """Write an answer as YAML, keys in order."""
    text = yaml.dump(thing, Dumper=_Dumper, allow_unicode=True)
    return text.encode()


def _explained(error: yaml.YAMLError) -> str:
    """Word an error as Go's parser does, which counts lines only from the second one on."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return str(error)
    scanning = isinstance(error, yaml.scanner.ScannerError)
    for mark in (error.context_mark, error.problem_mark):
        if mark is not None and mark.line:
            return f"line {mark.line + scanning}: {error.problem}"
    return str(error.problem)


def _json(body: bytes, text: str) -> tuple[Any, list[str]]:
    """Decode JSON, which is YAML and what kubectl sends under that name."""
    try:
        value, repeated = go_json.decode_noting_duplicates(body)
    except go_json.GoJSONError:
        return _yaml(text)
    return _yaml(text) if repeated else (value, [])


def _yaml(text: str) -> tuple[Any, list[str]]:
    _check_depth(text)
    loader = _Loader(text)  # a safe one
    try:
        thing = loader.get_data() if loader.check_data() else None
    finally:
        loader.dispose()
    if _size(thing, {}) > LARGEST:
        raise _RefusedError("document contains excessive aliasing")
    value = json.loads(json.dumps(thing, default=str, allow_nan=False))
    return value, [words for _, words in sorted(loader.repeated)]


def _check_depth(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, _Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.DocumentEndEvent):
            break
        if depth > DEEPEST:
            raise _RefusedError(f"exceeded max depth of {DEEPEST}")


def _size(value: Any, known: dict[int, int]) -> int:
    """Count the values in a value; what aliases share is looked at once, and counted each time."""
    if not isinstance(value, dict | list | set | tuple):
        return 1
    if id(value) in known:
        if not known[id(value)]:
            raise _RefusedError("anchor contains itself")
        return known[id(value)]
    known[id(value)] = 0
    children = value.values() if isinstance(value, dict) else value
    known[id(value)] = 1 + sum(_size(child, known) for child in children)
    return known[id(value)]
