"""YAML that a client sent: one document, read quickly and within limits."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from flashsale.base.yaml_loader import SafeLoader
from flashsale.embedded.types.strict_decoding import sound

DEEPEST = 100  # levels of nesting; libyaml's composer recurses in C, where too deep is a crash
LARGEST = 1_000_000  # values after all aliases are followed
TIMESTAMP = "tag:yaml.org,2002:timestamp"


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


class _Dumper(yaml.SafeDumper):
    """Indents and quotes as Go's YAML does: texts that look like times or numbers are quoted."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write shared values again each time."""
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """Write lines as lines, and quote what would be read as something else."""
        style = "|" if "\n" in text else '"' if NO_TEXT.fullmatch(text) else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


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
    text = body.decode("utf-8", "replace")
    try:
        return sound(_json(text) if text.lstrip().startswith("{") else _yaml(text))
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


def _json(text: str) -> Any:
    """Decode JSON, which is YAML and what kubectl sends under that name."""
    try:
        return json.loads(text)
    except ValueError:
        return _yaml(text)


def _yaml(text: str) -> Any:
    _check_depth(text)
    thing = next(yaml.load_all(text, _Loader), None)  # a safe one
    if _size(thing, {}) > LARGEST:
        raise _RefusedError("document contains excessive aliasing")
    return json.loads(json.dumps(thing, default=str, allow_nan=False))


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
