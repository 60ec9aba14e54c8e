"""Walk objects field by field: which there are, what differs, merge, remove.

This is structured-merge-diff's ``typed`` package with the marks of ``merge_keys`` for a schema:
maps are walked into, lists with keys by their elements, everything else is a leaf.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flashsale.embedded.patching.server_side_apply import field_sets
from flashsale.embedded.patching.server_side_apply.field_sets import (
    FIELD,
    FieldPath,
    FieldSet,
    Tree,
)
from flashsale.embedded.types.merge_keys import KEY_DEFAULTS, is_atomic_map, list_map_keys
from flashsale.objects.models import Object


class _Missing:
    """Stands where one of two objects has nothing, which is not the same as null."""


MISSING = _Missing()
Names = tuple[str, ...]  # of the fields on the way, without list elements


class UntypedError(ValueError):
    """A list cannot be walked by its keys: an element lacks one, or two have the same."""


@dataclass(frozen=True, slots=True)
class FieldNode:
    """A value and where it stands."""

    value: Any
    names: Names = ()
    element: bool = False  # of a list: a path of names does not tell it from the list itself

    def children(self) -> dict[str, Any] | None:
        """Return what is below by its step, None for a leaf.

        Raises:
            UntypedError: a list's keys do not tell its elements apart.
        """
        if isinstance(self.value, dict) and not self._is_atomic():
            return {field_sets.field(name): item for name, item in self.value.items()}
        if isinstance(self.value, list) and not self._is_atomic():
            return _elements(self.value, list_map_keys(self.names) or ())
        return None

    def stored_children(self) -> dict[str, Any] | None:
        """Return what is below in a stored object, where elements may share their key.

        Those that do count as one value: the list of them.
        """
        try:
            return self.children()
        except UntypedError:
            keys = list_map_keys(self.names) or ()
        found: dict[str, list[Any]] = {}
        for item in self.value:
            found.setdefault(key_step(item, keys), []).append(item)
        return {step: items[0] if len(items) == 1 else items for step, items in found.items()}

    def below(self, step: str, value: Any) -> FieldNode:
        """Return the node of a child."""
        if step.startswith(FIELD):
            return FieldNode(value, (*self.names, step[len(FIELD) :]))
        return FieldNode(value, self.names, element=True)

    def is_empty(self) -> bool:
        """Whether there is nothing, or a map or list without content."""
        return self.value is MISSING or self.value is None or self.value in ({}, [])

    def _is_atomic(self) -> bool:
        if isinstance(self.value, dict):
            return bool(self.names) and is_atomic_map(self.names, element=self.element)
        return self.element or not self.names or list_map_keys(self.names) is None


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
    found: set[FieldPath] = set()
    _collect(FieldNode(thing), (), found)
    return frozenset(found)


def all_fields_of(thing: Object) -> FieldSet:
    """Return the fields of an object that may have such lists: each counts as one value."""
    try:
        return fields_of(thing)
    except UntypedError:
        return compare_objects({}, thing).written


def compare_objects(before: Object, after: Object) -> FieldChanges:
    """Compare two objects; lists that cannot be told apart by their keys count as one value."""
    result = FieldChanges()
    _compare(FieldNode(before), FieldNode(after), (), result)
    return result


def merge_objects(live: Any, applied: Any) -> Any:
    """Return an object with another one laid over it; elements of lists find their keys."""
    return _merge(FieldNode(live), FieldNode(applied))


def without(thing: Object, fields: FieldSet, *, nulls: bool = False) -> Object:
    """Return an object without some of its fields.

    Maps and lists that this leaves empty go too; with ``nulls`` they stay as null.
    """
    left: Object | None = _remove(FieldNode(thing), field_sets.encode_fields(fields), nulls)
    return left or {}


def _elements(items: list[Any], keys: Names) -> dict[str, Any]:
    step: Callable[[int, Any], str] = (
        (lambda index, item: key_step(item, keys))
        if keys
        else (lambda index, item: field_sets.value(item))
    )
    found: dict[str, Any] = {}
    for index, item in enumerate(items):
        name = step(index, item)
        if name in found and keys:
            shown = field_sets.describe_path((name,))
            raise UntypedError(f"duplicate entries for key {shown}")
        found[name] = item
    return found


def key_step(item: Any, keys: Names) -> str:
    """Return the step to a list's element; a key that it lacks is its default."""
    present = item if isinstance(item, dict) else {}
    return field_sets.key({name: present.get(name, KEY_DEFAULTS.get(name, "")) for name in keys})


def _children(node: FieldNode) -> dict[str, Any] | None:
    """Look below a stored object's node; what cannot be told apart is taken as a leaf."""
    try:
        return node.children()
    except UntypedError:
        return None


def _collect(node: FieldNode, path: FieldPath, found: set[FieldPath]) -> None:
    try:
        children = node.children()
    except UntypedError as error:
        raise UntypedError(f"{field_sets.describe_path(path)}: {error}") from error
    if children is None:
        found.add(path)
        return
    for step, value in children.items():
        below = (*path, step)
        _collect(node.below(step, value), below, found)
        if value == {} or not step.startswith(FIELD):
            found.add(below)


def _compare(before: FieldNode, after: FieldNode, path: FieldPath, result: FieldChanges) -> None:
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
