"""Server-side apply: a configuration is merged, and every field remembers who set it (KEP-555).

The behaviour is that of apimachinery/pkg/util/managedfields, for API groups with one version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from flashsale.embedded.patching.server_side_apply import field_walk, last_applied, typed_errors
from flashsale.embedded.patching.server_side_apply import managers as managing
from flashsale.embedded.patching.server_side_apply.field_sets import NOTHING, FieldSet
from flashsale.embedded.patching.server_side_apply.last_applied import metadata_of
from flashsale.embedded.patching.server_side_apply.managers import Manager, Managers, Owned
from flashsale.embedded.patching.server_side_apply.merging import (
    NEVER_OWNED,
    Applying,
    conflict_error,
)
from flashsale.embedded.types.api_errors import StatusError, bad_request
from flashsale.embedded.types.defaults import EVENT
from flashsale.objects.fields import part, with_value
from flashsale.objects.models import Object

BEFORE_FIRST_APPLY = "before-first-apply"
UNKNOWN = "unknown"
RESET = {"": "status", "status": "spec"}  # by subresource: what a write there leaves alone
ALWAYS_THERE = (  # structs without omitempty: they belong to the object, not to who fills them in
    ("metadata",), ("spec",), ("status",), ("spec", "template"), ("spec", "template", "metadata"),
    ("spec", "template", "spec"),
)  # fmt: skip
ALWAYS_EMPTY: dict[str, Object] = {  # Go writes them, also when there is nothing to say
    "EndpointSlice": {"endpoints": None, "ports": None},
    "Event": EVENT,
}
ALWAYS_LISTED = (("spec",), ("spec", "template", "spec"))  # containers, at least as null


def apply_configuration(
    live: Object | None,
    applied: Object,
    *,
    manager: str,
    force: bool,
    api_version: str,
    subresource: str = "",
    now: str,
    settle: Callable[[Object], Object] | None = None,
) -> Object:
    """Return the live object with a configuration applied; itself if that changes nothing.

    Fields that the manager applied before and no longer applies are removed, unless another one
    applies them as well. Neither argument is changed.

    Args:
        live: None to create one.
        manager: the request's field manager.
        force: take over fields that others own.
        api_version: of the request's path: `apps/v1`.
        now: RFC 3339, for the manager's entry.
        settle: takes nulls and zeros, which may have been applied, out of the result.

    Raises:
        StatusError: 400 for another version or managedFields in the configuration, 409 for
            conflicts, 500 (as in Kubernetes) if a list's elements lack their keys or share them.
    """
    applying = _applying(applied, manager, api_version, subresource, now)
    bare, managers = _taken_apart(live)
    try:
        if live is not None and not managers:
            managers = _before_first_apply(bare, api_version, now)
        merged, owners, conflicts = applying.merge(bare, managers)
    except field_walk.UntypedError as error:
        raise _untyped_live(bare, api_version) from error
    writes = merged != bare
    merged = settle(merged) if settle else merged
    if conflicts and manager == last_applied.KUBECTL:
        own = last_applied.own_fields(bare, api_version)
        conflicts = [conflict for conflict in conflicts if conflict.path not in own]
    if conflicts and not force:
        raise conflict_error(conflicts)
    if manager == last_applied.KUBECTL:
        merged = last_applied.updated(merged, applying.config)
    if live is not None and merged == bare and _fields(owners) == _fields(managers):
        return live
    if live is not None and not writes:  # only owners changed: no time is noted
        owners = {
            who: replace(owned, time=managers[who].time if who in managers else "")
            for who, owned in owners.items()
        }
    return _put_together(merged, owners)


def track_update(
    before: Object | None,
    after: Object,
    *,
    manager: str,
    api_version: str,
    subresource: str = "",
    now: str,
) -> Object:
    """Return an object with managedFields that say what its writer changed.

    Objects that have none, because nobody tracked their creation, are left without.

    Args:
        before: None when the object is created.
        after: its own managedFields count, if it brings some that can be read.
        subresource: through which it was written: `status`, `scale`.
        now: RFC 3339.
    """
    old, old_managers = _taken_apart(before)
    new, managers = _taken_apart(after)
    reset = metadata_of(after).get("managedFields") in ([], [{}])  # a client's way to ask for that
    if before is not None and not subresource and reset:
        return new  # nobody owns anything any more
    managers = old_managers if subresource or not managers else managers
    if before is not None and not managers:
        return new
    try:
        changes = field_walk.compare_objects(_filled(old, new.get("kind", "")), _filled(new))
    except field_walk.UntypedError:  # nobody can be told apart any more (UpdateNoErrors)
        return new
    who = Manager(manager or UNKNOWN, "Update", api_version, subresource)
    written = _countable(changes.written, subresource)
    owned_before = managers[who].fields if who in managers else NOTHING
    managers = managing.give_up(managers, changes.written | changes.removed)
    if written:
        fields = written | (owned_before - changes.removed)
        managers = managers | {who: Owned(fields, now, api_version)}
    return _put_together(new, managing.cap(managers))


def scale_entries(replicaset: Object, api_version: str) -> list[Object]:
    """Return who owns the replicas of a ReplicaSet, as managedFields of its Scale."""
    _, managers = _taken_apart(replicaset)
    replicas = ("f:spec", "f:replicas")
    owners: Managers = {}
    for who, owned in managers.items():
        if replicas in owned.fields:
            own = replace(who, api_version=api_version) if who.operation == "Update" else who
            owners[own] = Owned(frozenset({replicas}), owned.time, api_version)
    return managing.encode_managers(owners)


def after_scale(replicaset: Object, scale_version: str) -> Object:
    """Return a ReplicaSet as a write of its Scale leaves its owners (scalehandler.go).

    Who owns the replicas is looked up by the Scale's version, and not found: updaters get an entry
    for the replicas alone, without a time, apart from what else they own.
    """
    bare, managers = _taken_apart(replicaset)
    replicas = frozenset({("f:spec", "f:replicas")})
    if not bare["spec"].get("replicas"):  # a Scale leaves out a zero, which nobody owns then
        return without_replicas(replicaset)
    owners: Managers = {}
    for who, owned in managers.items():
        if who.operation == "Apply" or not replicas <= owned.fields:
            owners[who] = owned
            continue
        if owned.fields != replicas:
            owners[who] = replace(owned, fields=owned.fields - replicas)
        apart = replace(who, api_version=scale_version)
        owners[apart] = Owned(replicas, "", owned.api_version)
    return _put_together(bare, owners)


def without_replicas(replicaset: Object) -> Object:
    """Return a ReplicaSet whose replicas nobody owns."""
    bare, managers = _taken_apart(replicaset)
    return _put_together(bare, managing.give_up(managers, frozenset({("f:spec", "f:replicas")})))


def _applying(
    applied: Object, manager: str, api_version: str, subresource: str, now: str
) -> Applying:
    version = applied.get("apiVersion")
    if version != api_version:
        raise bad_request(
            "Incorrect version specified in apply patch. "
            f"Specified patch version: {version}, expected: {api_version}"
        )
    if metadata_of(applied).get("managedFields") is not None:
        raise bad_request("metadata.managedFields must be nil")
    config = {key: value for key, value in applied.items() if key != RESET.get(subresource)}
    try:
        fields = field_walk.fields_of(config)
    except field_walk.UntypedError as error:
        raise untyped(applied, api_version, str(error)) from error
    who = Manager(manager or UNKNOWN, "Apply", subresource=subresource)
    return Applying(who, config, fields, api_version, now)


def untyped(applied: Object, api_version: str, why: str) -> StatusError:
    """Refuse a configuration whose types are wrong, as Kubernetes does."""
    place, kind = _place_and_kind(applied, api_version)
    return StatusError(500, "", f"failed to create typed patch object ({place}; {kind}): {why}")


def _untyped_live(live: Object, api_version: str) -> StatusError:
    """Refuse to apply to an object whose lists cannot be merged; nobody owns anything of one."""
    place, kind = _place_and_kind(live, api_version)
    why = typed_errors.first_type_error(live, api_version, str(live.get("kind")))
    prefix = "failed to create manager for existing fields: failed to convert new object"
    return StatusError(500, "", f"{prefix} ({place}; {kind}) to smd typed: {why}")


def unconvertible(applied: Object, api_version: str, why: str) -> StatusError:
    """Refuse a configuration whose values do not fit Go's types, as Kubernetes does."""
    place, kind = _place_and_kind(applied, api_version)
    what = f"failed to convert new object ({place}; {kind}) to proper version"
    why = f"unable to convert unstructured object to {kind}: {why}"
    return StatusError(500, "", f"{what}: {why}")


def _place_and_kind(applied: Object, api_version: str) -> tuple[str, str]:
    texts = [metadata_of(applied).get(key) for key in ("namespace", "name")]
    place = "/".join(text if isinstance(text, str) else "" for text in texts)
    group = api_version if "/" in api_version else f"/{api_version}"
    return place, f"{group}, Kind={applied.get('kind')}"


def _before_first_apply(live: Object, api_version: str, now: str) -> Managers:
    """Give all that an untracked object has to one manager."""
    empty = _filled({}, live.get("kind", ""))
    written = _countable(field_walk.compare_objects(empty, _filled(live)).written, "")
    who = Manager(BEFORE_FIRST_APPLY, "Update", api_version)
    return {who: Owned(written, now, api_version)} if written else {}


def _countable(fields: FieldSet, subresource: str) -> FieldSet:
    """Leave out what a write through this subresource cannot have changed, and what nobody owns."""
    left_alone = f"f:{RESET.get(subresource, '')}"
    return frozenset(path for path in fields if path[0] != left_alone) - NEVER_OWNED


def _filled(thing: Object, kind: str = "") -> Object:
    """Return an object with the structs and lists that Go always writes."""
    filled, kind = dict(thing), thing.get("kind") or kind
    for *above, name in ALWAYS_THERE:
        inner = part(filled, *above)
        if isinstance(inner, dict) and isinstance(inner.get(name) or {}, dict):
            inner[name] = dict(inner.get(name) or {})
    for path in ALWAYS_LISTED:
        inner = part(filled, *path)
        if isinstance(inner, dict):
            inner.setdefault("containers", None)
    return ALWAYS_EMPTY.get(kind, {}) | filled


def _taken_apart(thing: Object | None) -> tuple[Object, Managers]:
    """Return an object without managedFields, and its managers; none if they cannot be read."""
    if thing is None:
        return {}, {}
    meta = metadata_of(thing)
    if "managedFields" not in meta:
        return thing, {}
    bare = thing | {"metadata": with_value(meta, "managedFields", None)}
    return bare, managing.decode_managers(meta["managedFields"]) or {}


def _put_together(thing: Object, managers: Managers) -> Object:
    if not managers:
        return thing
    meta = metadata_of(thing) | {"managedFields": managing.encode_managers(managers)}
    return thing | {"metadata": meta}


def _fields(managers: Managers) -> dict[Manager, FieldSet]:
    """Who owns what; when they wrote it does not matter here."""
    return {who: owned.fields for who, owned in managers.items()}
