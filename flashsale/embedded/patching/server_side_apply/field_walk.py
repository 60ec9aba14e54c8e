"""Walk objects field by field: which there are, what differs, merge, remove.

This is structured-merge-diff's ``typed`` package: maps are walked into, lists with keys by their
elements, everything else is a leaf. What an object is, its own apiVersion and kind say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flashsale.embedded.patching.server_side_apply import field_sets
from flashsale.embedded.patching.server_side_apply.field_sets import (
    FIELD,
    FieldPath,
    FieldSet,
    Tree,
)
from flashsale.embedded.types.apitypes import Kind, kind_of, struct
from flashsale.embedded.types.golang.go_text import quote
from flashsale.objects.models import Object


class _Missing:
    """Stands where one of two objects has nothing, which is not the same as null."""


MISSING = _Missing()
NO_MEMBERS = (  # what no set may hold (structured-merge-diff, typed/helpers.go)
    (dict, "associative list without keys has an element that's a map type"),
    (list, "not supported: associative list with lists as elements"),
    (type(None), "associative list without keys has an element that's an explicit null"),
)


class UntypedError(ValueError):
    """A list cannot be walked by its keys: an element lacks one, or two have the same."""


@dataclass(frozen=True, slots=True)
class FieldNode:
    """A value and what it is, if that is known."""

    value: Any
    kind: Kind | None

    def children(self) -> dict[str, Any] | None:
        """Return what is below by its step, None for a leaf.

        Raises:
            UntypedError: a list's keys do not tell its elements apart.
        """
        if isinstance(self.value, dict) and not (self.kind and self.kind.atomic):
            return {field_sets.field(name): item for name, item in self.value.items()}
        if isinstance(self.value, list) and self.kind and self.kind.list_keys is not None:
            return _elements(self.value, self.kind)
        return None

    def stored_children(self) -> dict[str, Any] | None:
        """Return what is below in a stored object, where elements may share their key.

        Those that do count as one value: the list of them.
        """
        try:
            return self.children()
        except UntypedError:
            assert self.kind is not None  # only of a list with keys
        children: dict[str, list[Any]] = {}
        for item in self.value:
            children.setdefault(element_step(item, self.kind), []).append(item)
        return {step: items[0] if len(items) == 1 else items for step, items in children.items()}

    def below(self, step: str, value: Any) -> FieldNode:
        if not self.kind:
            return FieldNode(value, None)
        is_field = step.startswith(FIELD)
        return FieldNode(value, self.kind.field(step[len(FIELD) :]) if is_field else self.kind.item)

    def is_empty(self) -> bool:
        """Whether there is nothing, or a map or list without content."""
        return self.value is MISSING or self.value is None or self.value in ({}, [])


@dataclass(slots=True)
class FieldChanges:
    """What has to be done to one object to make it another one."""

    added: set[FieldPath] = field(default_factory=set)
    removed: set[FieldPath] = field(default_factory=set)
    modified: set[FieldPath] = field(default_factory=set)

    @property
    def written(self) -> FieldSet:
        """All that the newer object has and the older one has not, or not so."""
        return frozenset(self.added | self.modified)


def fields_of(thing: Object) -> FieldSet:
    """Return the fields that a configuration sets.

    Raises:
        UntypedError: a list's keys do not tell its elements apart.
    """
    paths: set[FieldPath] = set()
    _collect(FieldNode(thing, kind_of(thing)), (), paths)
    return frozenset(paths)


def all_fields_of(thing: Object) -> FieldSet:
    """Return the fields of an object that may have such lists: each counts as one value."""
    try:
        return fields_of(thing)
    except UntypedError:
        return compare_objects({}, thing).written


def compare_objects(before: Object, after: Object) -> FieldChanges:
    """Compare two objects; lists that cannot be told apart by their keys count as one value."""
    result = FieldChanges()
    kind = kind_of(after) or kind_of(before)
    _compare(FieldNode(before, kind), FieldNode(after, kind), (), result)
    return result


def merge_objects(live: Object, applied: Object) -> Any:
    """Return an object with another one laid over it; elements of lists find their keys."""
    kind = kind_of(applied)
    return _merge(FieldNode(live, kind), FieldNode(applied, kind))


def without(thing: Object, fields: FieldSet, *, nulls: bool = False) -> Object:
    """Return an object without some of its fields.

    Maps and lists that this leaves empty go too; with ``nulls`` they stay as null.
    """
    left: Object | None = _remove(
        FieldNode(thing, kind_of(thing)), field_sets.encode_fields(fields), nulls
    )
    return left or {}


def _elements(items: list[Any], kind: Kind) -> dict[str, Any]:
    elements: dict[str, Any] = {}
    for item in items:
        name = element_step(item, kind)
        if name in elements and kind.list_keys:
            shown = field_sets.describe_path((name,))
            raise UntypedError(f"duplicate entries for key {shown}")
        elements[name] = item
    return elements


def element_step(item: Any, kind: Kind) -> str:
    """Return the step to an element of a set, or of a list with keys, which may have defaults.

    Raises:
        UntypedError: there is none: it is no map, or has none of the keys.
    """
    if not kind.list_keys:
        for wrong, why in NO_MEMBERS:
            if isinstance(item, wrong):
                raise UntypedError(why)
        return field_sets.value(item)
    if not isinstance(item, dict):
        what = "a null element" if item is None else "non-map elements"
        raise UntypedError(f"associative list with keys may not have {what}")
    fields = struct(kind.item.name).fields if kind.item else {}
    keys = {name: item.get(name, fields[name].default) for name in kind.list_keys}
    known = {name: value for name, value in keys.items() if value is not None}
    if not known:
        listed = " ".join(map(quote, kind.list_keys))
        raise UntypedError(
            f"associative list with keys has an element that omits all key fields [{listed}] "
            "(and doesn't have default values for any key fields)"
        )
    return field_sets.key(known)


def _children(node: FieldNode) -> dict[str, Any] | None:
    """Look below a stored object's node; what cannot be told apart is taken as a leaf."""
    try:
        return node.children()
    except UntypedError:
        return None


def _collect(node: FieldNode, path: FieldPath, paths: set[FieldPath]) -> None:
    try:
        children = node.children()
    except UntypedError as error:
        raise UntypedError(f"{field_sets.describe_path(path)}: {error}") from error
    if children is None:
        paths.add(path)
        return
    for step, value in children.items():
        below = (*path, step)
        _collect(node.below(step, value), below, paths)
        if value == {} or not step.startswith(FIELD):
            paths.add(below)


def _compare(before: FieldNode, after: FieldNode, path: FieldPath, result: FieldChanges) -> None:
    if before.value == after.value:
        return
    old, new = before.stored_children(), after.stored_children()
    walked = not (before.is_empty() and after.is_empty()) and (
        (old is not None and (new is not None or after.is_empty()))
        or (new is not None and before.is_empty())
    )
    if before.value is MISSING:
        result.added.add(path)
    elif after.value is MISSING:
        result.removed.add(path)
    elif not walked and before.value != after.value:
        result.modified.add(path)
    if walked:
        old, new = old or {}, new or {}
        for step in old | new:
            was = before.below(step, old.get(step, MISSING))
            is_now = after.below(step, new.get(step, MISSING))
            _compare(was, is_now, (*path, step), result)


def _merge(live: FieldNode, applied: FieldNode) -> Any:
    theirs, ours = _children(live), _children(applied)
    if theirs is not None and applied.value is None:
        return live.value
    if theirs is None or ours is None or type(live.value) is not type(applied.value):
        return applied.value
    merged = {
        step: _merge(live.below(step, theirs[step]), applied.below(step, ours[step]))
        if step in theirs and step in ours
        else (ours if step in ours else theirs)[step]
        for step in _interleaved(list(theirs), list(ours))
    }
    if isinstance(live.value, list):
        return list(merged.values())
    return {step[len(FIELD) :]: value for step, value in merged.items()}


def _interleaved(theirs: list[str], ours: list[str]) -> list[str]:
    """Order a merged list: as the applied one, the others where they stood between shared ones."""
    known, applied = set(theirs), set(ours)
    shared = [step for step in ours if step in known]
    result: list[str] = []
    waiting, rest = iter(ours), iter(theirs)
    for anchor in [*shared, None]:
        for step in rest:
            if step == anchor:
                break
            if step not in applied:
                result.append(step)
        for step in waiting:
            if step == anchor:
                break
            result.append(step)
        if anchor is not None:
            result.append(anchor)
    return result


def _remove(node: FieldNode, tree: Tree, nulls: bool) -> Any:
    children = _children(node)
    if children is None:
        return node.value
    left = {}
    for step, value in children.items():
        below = tree.get(step)
        if below is None:
            left[step] = value
        elif not field_sets.is_member(below):
            rest = _remove(node.below(step, value), below, nulls)
            if nulls or rest is not None:
                left[step] = rest
    if not left:
        return None
    if isinstance(node.value, list):
        return list(left.values())
    return {step[len(FIELD) :]: value for step, value in left.items()}
