"""YAML that a client sent: one document, read quickly, and without falling into its traps."""

from __future__ import annotations

import json
from typing import Any

import yaml

from flashsale.base.yaml_loader import SafeLoader
from flashsale.embedded import apierrors
from flashsale.embedded.types.mistakes import sound

DEEPEST = 100  # levels of nesting; libyaml's composer recurses in C, where too deep is a crash
LARGEST = 1_000_000  # values after all aliases are followed
TIMESTAMP = "tag:yaml.org,2002:timestamp"


class _Loader(SafeLoader):
    """Leaves times as the text that they are, as JSON would have them."""

    yaml_implicit_resolvers = {  # noqa: RUF012  # PyYAML's own way
        first: [(tag, pattern) for tag, pattern in resolvers if tag != TIMESTAMP]
        for first, resolvers in SafeLoader.yaml_implicit_resolvers.items()
    }


class _RefusedError(ValueError):
    """YAML that would take too much."""


def decode(body: bytes) -> Any:
    """Decode one YAML document to what JSON can say.

    Raises:
        ApiError: 400.
    """
    text = body.decode("utf-8", "replace")
    try:
        return sound(_json(text) if text.lstrip().startswith("{") else _yaml(text))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise apierrors.bad_request(f"error converting YAML to JSON: yaml: {error}") from error


def _json(text: str) -> Any:
    """Decode JSON, which is YAML and what kubectl sends under that name."""
    try:
        return json.loads(text)
    except ValueError:
        return _yaml(text)


def _yaml(text: str) -> Any:
    _check_depth(text)
    thing = yaml.load(text, _Loader)  # a safe one
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
