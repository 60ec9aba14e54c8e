"""Sets of fields, as managedFields writes them (structured-merge-diff, fieldpath).

A path leads from an object's root to a field or a list element. Each of its steps is a text:

- ``f:replicas``: a field of a map
- ``k:{"name":"web"}``: the element of a list with that key
- ``v:"foregroundDeletion"``: the element of a set that is that value

The written form (fieldsV1) is a tree of such steps; a node is in the set if it has no children or
if it holds a ``.``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

FieldPath = tuple[str, ...]
FieldSet = frozenset[FieldPath]
Tree = dict[str, Any]  # steps -> Tree

NOTHING: FieldSet = frozenset()
SELF = "."
SETS_IN_USE = 512  # all pods of a ReplicaSet have the same ones, write after write
FIELD, KEY, VALUE, INDEX = "f:", "k:", "v:", "i:"


def field(name: str) -> str:
    """Return the step to a field of a map."""
    return FIELD + name


def key(values: dict[str, Any]) -> str:
    """Return the step to the list element with these key fields."""
    return KEY + _compact(values)


def value(item: Any) -> str:
    """Return the step to an element of a set."""
    return VALUE + _compact(item)


def encode_fields(fields: FieldSet) -> Tree:
    """Write a set as fieldsV1."""
    tree: Tree = json.loads(_as_text(fields))
    return tree


def decode_fields(tree: Any) -> FieldSet:
    """Read fieldsV1; steps of unknown kinds are skipped.

    Raises:
        ValueError: it is not such a tree.
    """
    return _from_text(json.dumps(tree))


def named(fields: FieldSet) -> FieldSet:
    """Add the fields above each field: an owner of a part of a struct owns the struct.

    List elements and sets are not added, they count only by themselves
    (``EnsureNamedFieldsAreMembers``).
    """
    above = {path[:size] for path in fields for size in range(1, len(path))}
    return fields | {path for path in above if path[-1].startswith(FIELD)}


def in_order(fields: FieldSet) -> list[FieldPath]:
    """List the paths as Kubernetes does: at each level first the members, then what is below."""
    return list(_preorder(encode_fields(fields), ()))


def describe_path(path: FieldPath) -> str:
    """Write a path for people: `.spec.containers[name="web"].image`."""
    return "".join(map(_described, path))


@lru_cache(SETS_IN_USE)
def _as_text(fields: FieldSet) -> str:
    tree: Tree = {}
    for path in sorted(fields):
        node = tree
        for step in path:
            node = node.setdefault(step, {})
        node[SELF] = {}
    return json.dumps(_without_needless_marks(tree))


@lru_cache(SETS_IN_USE)
def _from_text(tree: str) -> FieldSet:
    return frozenset(_decoded(json.loads(tree), ()))


def _compact(item: Any) -> str:
    return json.dumps(item, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def _without_needless_marks(node: Tree) -> Tree:
    """A leaf needs no mark of its own; elsewhere the mark comes first."""
    children = {step: _without_needless_marks(node[step]) for step in node if step != SELF}
    return {SELF: {}} | children if children and SELF in node else children


def _decoded(tree: Any, above: FieldPath) -> Iterator[FieldPath]:
    if not isinstance(tree, dict):
        raise ValueError("fields must be a tree of objects")
    for text, below in tree.items():
        step = _normal(text)
        if not step:
            continue
        path = (*above, step)
        children = list(_decoded(below, path))
        if not children or SELF in below:
            yield path
        yield from children


def _normal(text: str) -> str:
    """Return a step in our own spelling; empty for what is no step that we know."""
    kind, content = text[:2], text[2:]
    if kind in (FIELD, INDEX):
        return text
    return kind + _compact(json.loads(content)) if kind in (KEY, VALUE) else ""


def _preorder(node: Tree, above: FieldPath) -> Iterator[FieldPath]:
    steps = [step for step in node if step != SELF]
    yield from ((*above, step) for step in steps if is_member(node[step]))
    for step in steps:
        yield from _preorder(node[step], (*above, step))


def is_member(node: Tree) -> bool:
    """Whether the set of a tree contains the node itself."""
    return not node or SELF in node


def _described(step: str) -> str:
    kind, content = step[:2], step[2:]
    if kind == FIELD:
        return f".{content}"
    if kind == INDEX:
        return f"[{content}]"
    if kind == VALUE:
        return f"[={content}]"
    return "[" + ",".join(_pairs(json.loads(content))) + "]"


def _pairs(values: Any) -> Iterable[str]:
    if not isinstance(values, dict):
        return [_compact(values)]
    return [f"{name}={_compact(item)}" for name, item in values.items()]
