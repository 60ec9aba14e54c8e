"""What an apply does to an object and to its managers (structured-merge-diff, merge/update.go)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flashsale.embedded.patching.server_side_apply import field_sets, field_walk
from flashsale.embedded.patching.server_side_apply import managers as managing
from flashsale.embedded.patching.server_side_apply.field_sets import FieldPath, FieldSet
from flashsale.embedded.patching.server_side_apply.managers import Manager, Managers, Owned
from flashsale.embedded.types.api_errors import StatusError
from flashsale.objects.models import Object

NEVER_OWNED: FieldSet = frozenset(
    [("f:apiVersion",), ("f:kind",), ("f:metadata",)]
    + [
        ("f:metadata", f"f:{name}")
        for name in (
            *("name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName"),
            *("generation", "managedFields", "resourceVersion"),
        )
    ]
)


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field that someone else owns and that an apply would change."""

    manager: Manager
    path: FieldPath


@dataclass(frozen=True, slots=True)
class Applying:
    """One manager's configuration, on its way into an object."""

    manager: Manager
    config: Object
    fields: FieldSet  # that the configuration sets
    api_version: str
    now: str  # RFC 3339

    def merge(self, live: Object, managers: Managers) -> tuple[Object, Managers, list[Conflict]]:
        """Return the new object, who would own its fields, and the conflicts.

        ``live`` comes and goes without managedFields.
        """
        others = {who: owned for who, owned in managers.items() if who != self.manager}
        merged = _without_empty_metadata(field_walk.merge_objects(live, self.config))
        if self.manager in managers:
            owned = self.fields.union(*(owned.fields for owned in others.values()))
            merged = _pruned(merged, managers[self.manager].fields, owned)
        changes = field_walk.compare_objects(live, merged)
        conflicts = list(_conflicts(others, changes.written))
        others = managing.give_up(others, changes.written | changes.removed)
        mine = Owned(self.fields - NEVER_OWNED, self.now, self.api_version)
        return merged, others | ({self.manager: mine} if mine.fields else {}), conflicts


def conflict_error(conflicts: list[Conflict]) -> StatusError:
    """Word conflicts as ``NewConflictError`` does; the details hold nothing but the causes."""
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {conflict.manager}"}
        | {"field": field_sets.describe_path(conflict.path)}
        for conflict in conflicts
    ]
    if len(causes) == 1:
        text = f"1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    else:
        text = f"{len(causes)} conflicts: " + "\n".join(_listed(conflicts))
    return StatusError(409, "Conflict", f"Apply failed with {text}", {"causes": causes})


def _pruned(merged: Object, last: FieldSet, owned: FieldSet) -> Object:
    """Remove what the manager applied last and nobody owns now (``Updater.prune``).

    Structs are owned by whoever owns a part of them. So defaults inside of one go
    with it, but nothing else that was not the manager's own.
    """
    everything, last = _named(merged), field_sets.named(last)
    left = _named(field_walk.without(merged, last, nulls=True)) | field_sets.named(owned)
    pruned = field_walk.without(merged, everything - left, nulls=True)
    gone = everything - _named(pruned)
    return field_walk.without(merged, gone & last)


def _named(thing: Object) -> FieldSet:
    return field_sets.named(field_walk.all_fields_of(thing))


def _without_empty_metadata(thing: Object) -> Object:
    """Drop empty annotations and labels, which kubectl sends and no Go type keeps."""
    meta = thing.get("metadata")
    if not isinstance(meta, dict):
        return thing
    empty = [name for name in ("annotations", "labels") if meta.get(name) == {}]
    return thing | {"metadata": {name: meta[name] for name in meta if name not in empty}}


def _conflicts(others: Managers, written: FieldSet) -> Iterator[Conflict]:
    for who in sorted(others, key=lambda manager: manager.identifier):
        for path in field_sets.in_order(others[who].fields & written):
            yield Conflict(who, path)


def _listed(conflicts: list[Conflict]) -> Iterator[str]:
    previous = None
    for conflict in conflicts:
        if conflict.manager != previous:
            yield f"conflicts with {conflict.manager}:"
            previous = conflict.manager
        yield f"- {field_sets.describe_path(conflict.path)}"
