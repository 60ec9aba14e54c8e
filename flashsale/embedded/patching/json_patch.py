"""JSON patches as Kubernetes takes them: by evanphx/json-patch, which is laxer than RFC 6902.

A missing field of a map that is there may be replaced, copied (as null) and tested for null.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from flashsale.embedded.types.api_errors import StatusError, bad_request
from flashsale.embedded.types.strict_decoding import json_type_name
from flashsale.objects.models import Object

MOST_OPERATIONS = 10_000
MOST_COPIED = 3 * 1024 * 1024  # bytes of JSON that copy operations may add in all
FIELDS = ("op", "path", "from")  # texts; `value` is anything


class _MisfitError(Exception):
    """An operation cannot be carried out."""


def json_patch(live: Object, operations: Any) -> Object:
    """Carry out operations, all of them or none.

    Raises:
        StatusError: 400 for what is no list of operations, 413 for too many of them, 422 for one
            that does not fit the object.
    """
    patched: Any = copy.deepcopy(live)
    copied = 0
    try:
        _check(operations)
        for operation in operations or []:
            if (operation.get("op"), operation.get("path")) == ("replace", ""):
                patched = _whole(operation.get("value"))
                continue
            copied += _carry_out(patched, operation)
            if copied > MOST_COPIED:
                raise _too_large(
                    "Unable to complete the copy, the accumulated size increase of copy is "
                    f"{copied}, exceeding the limit {MOST_COPIED}"
                )
    except _MisfitError as error:
        message = "the server rejected our request due to an error in our request"
        raise StatusError(422, "Invalid", message, {}) from error
    result: Object = patched
    return result


def unknown_fields(operations: Any) -> list[str]:
    """Return what stands in operations and means nothing: `[0].valeu`."""
    return [
        f"[{index}].{key}"
        for index, operation in enumerate(operations or [])
        for key in operation
        if key not in (*FIELDS, "value")
    ]


def _check(operations: Any) -> None:
    prefix = "error decoding patch: json: cannot unmarshal "
    if operations is None:
        return
    if not isinstance(operations, list):
        wrong = f"{json_type_name(operations)} into Go value of type []handlers.jsonPatchOp"
        raise bad_request(prefix + wrong)
    for operation in operations:
        if operation is None:
            raise _MisfitError
        if not isinstance(operation, dict):
            wrong = f"{json_type_name(operation)} into Go value of type handlers.jsonPatchOp"
            raise bad_request(prefix + wrong)
        for key in FIELDS:
            if not isinstance(operation.get(key, ""), str | None):
                wrong = f"{json_type_name(operation[key])} into Go struct field jsonPatchOp.{key}"
                raise bad_request(f"{prefix}{wrong} of type string")
    if len(operations) > MOST_OPERATIONS:
        raise _too_large(
            f"The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, "
            f"got {len(operations)}"
        )


def _too_large(message: str) -> StatusError:
    return StatusError(413, "RequestEntityTooLarge", message, {})


def _whole(value: Any) -> Any:
    if not isinstance(value, dict | list):
        raise _MisfitError
    return copy.deepcopy(value)


def _carry_out(thing: Any, operation: Object) -> int:
    """Change an object in place; returns how many bytes were copied."""
    name, (above, key) = operation.get("op"), _place(thing, operation.get("path"))
    value = copy.deepcopy(operation.get("value"))
    if name == "add":
        _add(above, key, value)
    elif name == "remove":
        _remove(above, key)
    elif name == "replace":
        _get(above, key)
        _set(above, key, value)
    elif name == "test":
        if _get(above, key) != value:
            raise _MisfitError
    elif name in ("copy", "move"):
        source, source_key = _place(thing, operation.get("from"))
        moved = copy.deepcopy(_get(source, source_key))
        if name == "move":
            _remove(source, source_key)
        _add(above, key, moved)
        return len(json.dumps(moved)) if name == "copy" else 0
    else:
        raise _MisfitError
    return 0


def _place(thing: Any, path: Any) -> tuple[Any, str]:
    """Return the map or list that holds what a path names, and its key there.

    What stands before the first slash is not looked at: `spec/replicas` is `/replicas`.
    """
    if not isinstance(path, str) or "/" not in path:
        raise _MisfitError
    _, *above, key = (step.replace("~1", "/").replace("~0", "~") for step in path.split("/"))
    _sort(thing)
    for step in above:
        thing = _get(thing, step)
        _sort(thing)
    if not isinstance(thing, dict | list):
        raise _MisfitError
    return thing, key


def _sort(thing: Any) -> None:
    """Sort a map that an operation goes through, as Go does once it has to read one."""
    if isinstance(thing, dict):
        items = sorted(thing.items())
        thing.clear()
        thing.update(items)


def _get(above: Any, key: str) -> Any:
    if isinstance(above, dict):
        return above.get(key)
    if isinstance(above, list):
        return above[_index(key, len(above))]
    raise _MisfitError


def _set(above: Any, key: str, value: Any) -> None:
    above[_index(key, len(above)) if isinstance(above, list) else key] = value


def _add(above: Any, key: str, value: Any) -> None:
    if isinstance(above, dict):
        above[key] = value
        _sort(above)
    elif key == "-":
        above.append(value)
    else:
        above.insert(_index(key, len(above) + 1), value)


def _remove(above: Any, key: str) -> None:
    if isinstance(above, list):
        del above[_index(key, len(above))]
    elif key in above:
        del above[key]
    else:
        raise _MisfitError


def _index(text: str, size: int) -> int:
    """Read a place in a list; a negative one counts from its end."""
    try:
        index = int(text)
    except ValueError as error:
        raise _MisfitError from error
    if not -size <= index < size:
        raise _MisfitError
    return index + size if index < 0 else index
