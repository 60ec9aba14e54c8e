"""Strategic merge patches, kubectl's own kind (apimachinery/pkg/util/strategicpatch/patch.go).

Maps merge; lists with a merge key merge element by element, others are replaced. Directives:

- ``$patch: delete|replace`` in a map or in an element of a list
- ``$setElementOrder/FIELD``: the order in which the elements of a list shall stand
- ``$deleteFromPrimitiveList/FIELD``: values to take out of a list
- ``$retainKeys``: the only keys of a map that stay
"""

from __future__ import annotations

import json
from typing import Any

from flashsale.embedded.types.api_errors import StatusError, bad_request
from flashsale.embedded.types.apitypes import Kind, kind_of
from flashsale.embedded.types.golang.go_values import TYPES, go_printed, go_type
from flashsale.embedded.types.strict_decoding import json_type_name
from flashsale.objects.models import Object

PATCH, RETAIN = "$patch", "$retainKeys"
ORDER, DELETE_FROM = "$setElementOrder/", "$deleteFromPrimitiveList/"
REPLACE_LIST = {PATCH: "replace"}  # as an element: the others are the whole new list
DIRECTIVES = (PATCH, RETAIN, ORDER, DELETE_FROM)


def strategic_merge_patch(live: Object, patch: Any) -> Object:
    """Return an object with a patch merged into it; neither argument is changed.

    Raises:
        StatusError: 400 for a patch that is not a map, 500 (as in Kubernetes) for directives or
            merge keys that do not fit.
    """
    if not isinstance(patch, dict):
        got = json_type_name(patch)
        raise bad_request(f"json: cannot unmarshal {got} into Go value of type {TYPES[dict]}")
    return _merge_map(live, patch, kind_of(live))


def _merge_map(live: Object, patch: Object, kind: Kind | None) -> Object:
    """Merge two maps of a kind; nothing of what none is known of merges but maps."""
    if PATCH in patch:
        return _replaced(patch)
    merged = _retained(live, patch)
    ordered = {key for key in patch if ORDER + key in patch and patch[key] is not None}
    for key, value in patch.items():
        if key.startswith(ORDER):
            name = key[len(ORDER) :]
            _merge_ordered(merged, name, patch, kind and kind.field(name))
        elif key.startswith(DELETE_FROM):
            _delete_values(merged, key[len(DELETE_FROM) :], value)
        elif key not in ordered and key != RETAIN:
            _merge_field(merged, key, value, kind and kind.field(key))
    return merged


def _replaced(patch: Object) -> Object:
    directive = patch[PATCH]
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != PATCH}
    if directive == "delete":
        return {}
    raise _bad_directive(patch)


def _retained(live: Object, patch: Object) -> Object:
    """Start from a copy of the live map, or from the keys of it that the patch retains."""
    if RETAIN not in patch:
        return dict(live)
    keys = patch[RETAIN]
    sent = (key for key, value in patch.items() if value is not None)
    plain = [key for key in sent if not key.startswith((RETAIN, ORDER, DELETE_FROM))]
    if not isinstance(keys, list) or any(key not in keys for key in plain):
        raise bad_request("invalid patch format of retainKeys")
    return {key: value for key, value in live.items() if key in keys}


def _merge_field(merged: Object, key: str, value: Any, kind: Kind | None) -> None:
    current = merged.get(key)
    if value is None or (key not in merged and _deletes(value)):
        merged.pop(key, None)
    elif kind and kind.replaced:
        merged[key] = value
    elif isinstance(current, dict) and isinstance(value, dict):
        merged[key] = _merge_map(current, value, kind)
    elif isinstance(current, list) and isinstance(value, list):
        merged[key] = _merge_list(current, value, kind)
    else:
        merged[key] = _added(value)


def _added(value: Any) -> Any:
    """Return a value that the live object did not have, without nulls and directives."""
    if isinstance(value, dict):
        return {
            key: _added(item)
            for key, item in value.items()
            if item is not None and not _deletes(item) and not key.startswith(DIRECTIVES)
        }
    if isinstance(value, list):
        return [_added(item) for item in value if not _deletes(item) and item != REPLACE_LIST]
    return value


def _deletes(item: Any) -> bool:
    return isinstance(item, dict) and item.get(PATCH) == "delete"


def _delete_values(merged: Object, key: str, values: Any) -> None:
    current = merged.get(key)
    if isinstance(current, list) and isinstance(values, list):
        deleted = set(map(_identity, values))
        merged[key] = [item for item in current if _identity(item) not in deleted]


def _merge_list(live: list[Any], patch: list[Any], kind: Kind | None) -> list[Any]:
    if kind is None or kind.merge_key is None:
        return patch
    merge_key = kind.merge_key
    if not merge_key:
        both = {_identity(item): item for item in [*live, *patch]}
        return _in_order(list(both.values()), patch, live, merge_key)
    _check_types(live, patch)
    _check_directives(patch)
    _check_keys([*live, *patch], merge_key)
    kept, wanted = _without_deleted(live, patch, merge_key)
    merged = list(kept)
    places = _places(merged, merge_key)
    for item in wanted:
        place = places.setdefault(_identity(item, merge_key), len(merged))
        if place == len(merged):
            merged.append(_added(item))
        else:
            merged[place] = _merge_map(merged[place], item, kind.item)
    return _in_order(merged, wanted, kept, merge_key)


def _check_types(live: list[Any], patch: list[Any]) -> None:
    if not all(isinstance(item, dict) for item in [*live, *patch]):
        raise _refused(f"list element types are not identical: {go_printed([live, patch])}")


def _check_directives(patch: list[Any]) -> None:
    for item in patch:
        if item.get(PATCH, "delete") not in ("delete", "replace"):
            raise _bad_directive(item)


def _check_keys(items: list[Any], merge_key: str) -> None:
    for item in items:
        if merge_key not in item and item.get(PATCH) != "replace":
            shown = go_printed(item)
            raise _refused(f"map: {shown} does not contain declared merge key: {merge_key}")


def _without_deleted(
    live: list[Any], patch: list[Any], merge_key: str
) -> tuple[list[Any], list[Any]]:
    """Carry out the elements that are directives; returns what is left of both lists."""
    wanted = [item for item in patch if PATCH not in item]
    directives = [item for item in patch if PATCH in item]
    if any(item[PATCH] == "replace" for item in directives):
        return [], wanted
    deleted = _places(directives, merge_key)
    return [item for item in live if _identity(item, merge_key) not in deleted], wanted


def _bad_directive(patch: Object) -> StatusError:
    if patch[PATCH] == "merge":
        return _refused("merging lists cannot yet be specified in the patch")
    kind, shown = go_printed(patch[PATCH]), go_printed(patch)
    return _refused(f"unknown patch type: {kind} in map: {shown}")


def _refused(why: str) -> StatusError:
    """Return an error of a patch that is read only when it is carried out."""
    return StatusError(500, "", why)


def _merge_ordered(merged: Object, key: str, patch: Object, kind: Kind | None) -> None:
    """Merge a list, if there is one, and put it in the order of `$setElementOrder/KEY`."""
    live, sent, order = merged.get(key), patch.get(key), patch[ORDER + key]
    if (live is None and sent is None) or (key in patch and sent is None):
        return  # nothing to order, or the list is deleted
    live, sent = [] if live is None else live, [] if sent is None else sent
    merge_key = kind.merge_key if kind else None
    for part in (live, sent, order):
        if not isinstance(part, list):
            raise _refused(f"expected a []interface {{}}, but received a {go_type(part)}")
    if merge_key is None:
        raise bad_request(f"{ORDER}{key} does not fit a list that merges")
    if merge_key:
        _check_types([*live, *sent], order)
        _check_directives(sent)
        _check_keys([*live, *sent, *order], merge_key)
    _check_order(sent, order, merge_key)
    both = _merge_list(live, sent, kind)
    merged[key] = _in_order(both, order, live, merge_key)


def _check_order(sent: list[Any], order: list[Any], merge_key: str) -> None:
    """The elements of a patch must stand in the order that it asks for itself."""
    places = _places(order, merge_key)
    stand = [
        places.get(_identity(item, merge_key), -1)
        for item in sent
        if not (isinstance(item, dict) and PATCH in item)
    ]
    if -1 in stand or stand != sorted(stand):
        shown, wanted = go_printed(sent), go_printed(order)
        raise _refused(
            f"The order in patch list:\n{shown}\n doesn't match $setElementOrder list:\n{wanted}\n"
        )


def _in_order(merged: list[Any], wanted: list[Any], server: list[Any], merge_key: str) -> list[Any]:
    """Order the patch's elements as it wants them, and fit the others in where they stood.

    An element that only the server has goes before a wanted one that it preceded there.
    """
    wishes, places = _places(wanted, merge_key), _places(server, merge_key)
    ours = [item for item in merged if _identity(item, merge_key) in wishes]
    ours.sort(key=lambda item: wishes[_identity(item, merge_key)], reverse=True)
    others = [item for item in merged if _identity(item, merge_key) not in wishes]
    others.reverse()  # both are taken from their ends
    result: list[Any] = []
    while ours and others:
        other = places.get(_identity(others[-1], merge_key), len(server))
        mine = places.get(_identity(ours[-1], merge_key), -1)
        result.append((others if other < mine else ours).pop())
    return result + ours[::-1] + others[::-1]


def _places(items: list[Any], merge_key: str) -> dict[str, int]:
    """Say where in a list each element stands; the first one of each counts."""
    places: dict[str, int] = {}
    for place, item in enumerate(items):
        places.setdefault(_identity(item, merge_key), place)
    return places


def _identity(item: Any, merge_key: str = "") -> str:
    """Return what makes a list element itself, in a form that can be a dict's key."""
    return json.dumps(item.get(merge_key) if merge_key else item, sort_keys=True)


def left_over(patch: Any) -> Any:
    """Return what Kubernetes' merge leaves of a patch: it takes ordered lists out as it goes."""
    if not isinstance(patch, dict):
        return patch
    ordered = {key.removeprefix(ORDER) for key in patch if key.startswith(ORDER)}
    return {
        key: left_over(value)
        for key, value in patch.items()
        if key not in ordered and not key.startswith(ORDER) and key != RETAIN
    }
