"""Patches by their content type: JSON patch, merge patch, strategic merge patch.

Server-side apply is no patch of this kind; it needs to know who owns what: see ``apply``.
"""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonpatch
import jsonpointer

from flashsale.embedded.patching.strategic import strategic_merge_patch
from flashsale.embedded.types.api_errors import StatusError, bad_request, unsupported_patch
from flashsale.embedded.types.strict_decoding import sound, word
from flashsale.objects.models import Object

__all__ = ["apply_patch", "json_patch", "merge_patch", "strategic_merge_patch"]

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
KINDS = (JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH)
MOST_OPERATIONS = 10_000
MOST_COPIED = 3 * 1024 * 1024  # bytes of JSON that copy operations may add in all
DEEPEST = 100  # levels of nesting in a patch or its outcome; real objects have about 15
OPERATIONS = ("add", "copy", "move", "remove", "replace", "test")
MAP_TYPE = "map[string]interface {}"


def apply_patch(content_type: str, body: bytes, live: Object) -> Object:
    """Return an object with the patch of a PATCH request applied; ``live`` is not changed.

    Raises:
        ApiError: 415 for another content type, 400 for a body that is no such patch, 413 for too
            many operations, 422 for a JSON patch that does not fit the object.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == JSON_PATCH:
        return json_patch(live, _decode(body))
    if kind == MERGE_PATCH:
        return merge_patch(live, _decode(body))
    if kind == STRATEGIC_MERGE_PATCH:
        return strategic_merge_patch(live, _decode(body))
    raise unsupported_patch()


def json_patch(live: Object, operations: Any) -> Object:
    """Carry out RFC 6902 operations, all of them or none.

    Raises:
        ApiError: 400, 413 and 422 as in ``apply_patch``.
    """
    _check_operations(operations)
    patched: Any = copy.deepcopy(live)
    copied = 0
    try:
        for operation in copy.deepcopy(operations):
            if operation["op"] == "copy":
                source = jsonpointer.resolve_pointer(patched, operation["from"])
                copied += len(json.dumps(source))
                _limit(copied)
            patched = jsonpatch.JsonPatch([operation]).apply(patched, in_place=True)
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException) as error:
        raise _does_not_fit() from error
    except (TypeError, KeyError, ValueError, RecursionError) as error:  # adding to a number, say
        raise _does_not_fit() from error
    if not isinstance(patched, dict) or not _is_shallow(patched):
        raise _does_not_fit()
    return patched


def merge_patch(live: Any, patch: Any) -> Object:
    """Merge as RFC 7386 says: maps merge, null deletes, anything else replaces.

    Raises:
        ApiError: 400 if the patch is not a map.
    """
    if not isinstance(patch, dict):
        raise bad_request(f"error decoding patch: {_wrong_type(patch, MAP_TYPE)}")
    merged: Object = dict(live) if isinstance(live, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = merge_patch(merged.get(key), value)
        else:
            merged[key] = value
    return merged


def _check_operations(operations: Any) -> None:
    if not isinstance(operations, list):
        raise bad_request(f"error decoding patch: {_wrong_type(operations, 'jsonpatch.Patch')}")
    if len(operations) > MOST_OPERATIONS:
        raise _too_large(
            f"The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, "
            f"got {len(operations)}"
        )
    for operation in operations:
        if not isinstance(operation, dict):
            wrong = _wrong_type(operation, "jsonpatch.Operation")
            raise bad_request(f"error decoding patch: {wrong}")
        if not isinstance(operation.get("path"), str) or not _is_complete(operation):
            raise _does_not_fit()


def _is_complete(operation: Object) -> bool:
    """Whether an operation is known and has what it needs."""
    name = operation.get("op")
    if name in ("copy", "move"):
        return isinstance(operation.get("from"), str)
    if name in ("add", "replace", "test"):
        return "value" in operation
    return name in OPERATIONS


def _limit(copied: int) -> None:
    if copied > MOST_COPIED:
        raise _too_large(
            "Unable to complete the copy, the accumulated size increase of copy is "
            f"{copied}, exceeding the limit {MOST_COPIED}"
        )


def _too_large(message: str) -> StatusError:
    return StatusError(413, "RequestEntityTooLarge", message)


def _does_not_fit() -> StatusError:
    message = "the server rejected our request due to an error in our request"
    return StatusError(422, "Invalid", message, {})


def _wrong_type(value: Any, wanted: str) -> str:
    return f"json: cannot unmarshal {word(value)} into Go value of type {wanted}"


def _decode(body: bytes) -> Any:
    """Decode JSON as the API server would, without Python's extensions."""
    try:
        patch = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise bad_request(f"error decoding patch: {error}") from error
    if not _is_shallow(patch):
        raise bad_request("error decoding patch: exceeded max depth")
    return sound(patch)


def _no_constant(name: str) -> Any:
    raise ValueError(f"invalid character '{name[0]}' looking for beginning of value")


def _is_shallow(value: Any) -> bool:
    """Whether a value is nested little enough for recursion; itself it does not recurse."""
    level = [value]
    for _ in range(DEEPEST):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return True
    return False


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
