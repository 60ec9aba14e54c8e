"""Patches by their content type: JSON patch, merge patch, strategic merge patch.

Server-side apply is no patch of this kind; it needs to know who owns what.
"""

from __future__ import annotations

from typing import Any

from flashsale.embedded.patching.json_patch import json_patch
from flashsale.embedded.patching.strategic import strategic_merge_patch
from flashsale.embedded.types.api_errors import bad_request, unsupported_patch
from flashsale.embedded.types.golang import go_json
from flashsale.embedded.types.golang.go_values import TYPES
from flashsale.embedded.types.strict_decoding import json_type_name
from flashsale.objects.models import Object

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
KINDS = (JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH)
DEEPEST = 100  # levels of nesting in a patch; real objects have about 15


def apply_patch(content_type: str, body: bytes, live: Object) -> Object:
    """Return an object with the patch of a PATCH request applied; ``live`` is not changed.

    Raises:
        StatusError: 415 for another content type, 400 for a malformed body, 413 for too
            many operations, 422 for a JSON patch that does not fit the object.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == JSON_PATCH:
        return json_patch(live, _decode(body, "error decoding patch: "))
    if kind == MERGE_PATCH:
        patch = _decode(body, "error decoding patch: ")
        if patch is None:
            raise bad_request("Invalid JSON Patch")
        return merge_patch(live, patch)
    if kind == STRATEGIC_MERGE_PATCH:
        patch = _decode(body, "")
        return live if patch is None else strategic_merge_patch(live, patch)
    raise unsupported_patch()


def merge_patch(live: Any, patch: Any) -> Object:
    """Merge as RFC 7386 says: maps merge, null deletes, anything else replaces.

    Maps that a patch names are sorted, as Go writes them; errors print them so.

    Raises:
        StatusError: 400 if the patch is not a map.
    """
    if not isinstance(patch, dict):
        raise bad_request(
            f"error decoding patch: json: cannot unmarshal {json_type_name(patch)} "
            f"into Go value of type {TYPES[dict]}"
        )
    merged: Object = dict(sorted(live.items())) if isinstance(live, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = merge_patch(merged.get(key), value)
        else:
            merged[key] = value
    return dict(sorted(merged.items()))


def _decode(body: bytes, prefix: str) -> Any:
    """Decode JSON; what is nested too deep is refused before anything recurses into it."""
    try:
        patch = go_json.decode_json(body)
    except go_json.GoJSONError as error:
        raise bad_request(f"{prefix}{error}") from error
    if not is_shallow(patch, DEEPEST):
        raise bad_request(f"{prefix}exceeded max depth")
    return patch


def is_shallow(value: Any, deepest: int) -> bool:
    """Whether a value is nested little enough for recursion; itself it does not recurse."""
    level = [value]
    for _ in range(deepest):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return True
    return False


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
