"""Lists in pieces: `limit` and `continue`, and lists as they were at an earlier revision.

A token holds the revision of the first piece and the last key that was sent, so that all pieces
show one state (apiserver/pkg/storage/continue.go). It reaches as far back as the store's history.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from flashsale.embedded.storage.store import Store
from flashsale.embedded.types import api_errors, strict_decoding
from flashsale.embedded.types.api_errors import StatusError
from flashsale.embedded.types.golang import go_json
from flashsale.embedded.types.resources import Resource
from flashsale.objects.models import Object

VERSION = "meta.k8s.io/v1"
END = "\0"  # after a key: the next one is greater
NOT_VALID = "invalid continue token: continue key is not valid: "
TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start "
    "a new list without the continue parameter, or use the continue token in this response to "
    "retrieve the remainder of the results. Continuing with the provided token results in an "
    "inconsistent list - objects that were created, modified, or deleted between the time the "
    "first chunk was returned and now may show up in the list."
)
EXACT_TOO_OLD = "The resourceVersion for the provided list is too old."


@dataclass(frozen=True, slots=True)
class Paging:
    """Which piece of a list is wanted, and of which revision; 0 is now."""

    limit: int = 0
    start: str = ""  # a key; those after it are wanted
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """One piece of a list."""

    items: Sequence[Object]
    metadata: Object = field(default_factory=dict)  # of the list


def read_paging(request: web.BaseRequest, limit: int, revision: int) -> Paging:
    """Read what of a list is wanted.

    Args:
        limit: as it stands in the query.
        revision: likewise; it counts where it is to be matched exactly.

    Raises:
        StatusError: 400 for a token that cannot be read, or that comes with a revision.
    """
    query = request.query
    if token := query.get("continue", ""):
        sent, start = _decode(token)
        if revision:
            why = "specifying resource version is not allowed when using continue"
            raise api_errors.bad_request(why)
        return Paging(max(limit, 0), start, max(sent, 0))
    match = query.get("resourceVersionMatch", "")
    if query.get("resourceVersion") == "0":  # answered from what is at hand, which is everything
        return Paging()
    exact = match == "Exact" or (limit > 0 and not match)
    return Paging(max(limit, 0), "", revision if exact else 0)


def collection_page(
    store: Store,
    resource: Resource,
    namespace: str,
    wanted: Paging,
    *,
    matches: Callable[[Object], bool],
    selects: bool,
) -> Page:
    """Return a piece of a collection.

    Args:
        selects: whether something may be left out, so that nobody knows how many are left.

    Raises:
        StatusError: 410 for a revision that is forgotten.
    """
    revision = wanted.revision or store.revision
    objects = store.all_at(revision, resource, namespace)
    if objects is None:
        raise _expired(wanted)
    if wanted.start:
        objects = [obj for obj in objects if _key(obj, namespace) + END > wanted.start]
    left = [obj for obj in objects if matches(obj)]
    metadata: Object = {"resourceVersion": str(revision)}
    if not 0 < wanted.limit < len(left):
        return Page(left, metadata)
    items = left[: wanted.limit]
    metadata["continue"] = _encode(revision, _key(items[-1], namespace) + END)
    if not selects:
        metadata["remainingItemCount"] = len(left) - len(items)
    return Page(items, metadata)


def _key(thing: Object, namespace: str) -> str:
    meta = thing["metadata"]
    within = f"/{meta['namespace']}" if meta.get("namespace") and not namespace else ""
    return f"{within}/{meta['name']}"


def _expired(wanted: Paging) -> StatusError:
    if not wanted.start:
        return StatusError(410, "Expired", EXACT_TOO_OLD)
    onward = {"continue": _encode(-1, wanted.start)}
    return StatusError(410, "Expired", TOO_OLD, metadata=onward)


def _encode(revision: int, start: str) -> str:
    text = json.dumps({"v": VERSION, "rv": revision, "start": start}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(token: str) -> tuple[int, str]:
    """Read a token: its revision, and the key after which to go on."""
    sent = _decode_json(token)
    version, revision, start = sent.get("v") or "", sent.get("rv") or 0, sent.get("start") or ""
    why = ""
    if version != VERSION:
        why = f"server does not recognize this encoded version {version}"
    elif revision == 0:
        why = f"incorrect encoded start resourceVersion (version {VERSION})"
    elif not start:
        why = f"encoded start key empty (version {VERSION})"
    elif ".." in start.split("/"):
        why = start
    if why:
        raise api_errors.bad_request(NOT_VALID + why)
    return revision, start if start.startswith("/") else f"/{start}"


def _decode_json(token: str) -> Object:
    fields = {"v": (str, "string"), "rv": (int, "int64"), "start": (str, "string")}
    try:
        decoded = go_json.decode_json(_decode_base64(token))
        if not isinstance(decoded, dict):
            raise _misfit(decoded, "Go value of type storage.continueToken")
        for name, (kind, go) in fields.items():
            if name in decoded and not isinstance(decoded[name], kind):
                raise _misfit(decoded[name], f"Go struct field continueToken.{name} of type {go}")
    except (go_json.GoJSONError, ValueError) as error:
        raise api_errors.bad_request(f"{NOT_VALID}{error}") from error
    return decoded


def _misfit(value: object, into: str) -> ValueError:
    what = strict_decoding.json_type_name(value)
    return ValueError(f"json: cannot unmarshal {what} into {into}")


def _decode_base64(text: str) -> bytes:
    """Decode base64 of URLs without padding; the error says where it ends, as Go's does."""
    for place, char in enumerate(text):
        if not (char.isascii() and (char.isalnum() or char in "-_")):
            raise ValueError(f"illegal base64 data at input byte {place}")
    if len(text) % 4 == 1:
        raise ValueError(f"illegal base64 data at input byte {len(text) - 1}")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
