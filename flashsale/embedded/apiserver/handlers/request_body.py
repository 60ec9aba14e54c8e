"""What a request carries: JSON or YAML, options of a deletion, who is writing."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from flashsale.embedded.apiserver.deletion import DeleteOptions
from flashsale.embedded.apiserver.handlers import protobuf, yaml_body
from flashsale.embedded.types import api_errors
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.types.resources import NAMESPACES
from flashsale.embedded.types.strict_decoding import sound
from flashsale.objects.models import Object

LARGEST = 3 * 1024 * 1024  # bytes, as the API server's limit
SHOWN = 1024  # bytes of a body that cannot be read
JSON_TYPES = ("", "application/json", "application/octet-stream")
PROTOBUF = "application/vnd.kubernetes.protobuf"
YAML_TYPES = ("application/yaml", "text/yaml", "application/x-yaml")


async def read(request: web.BaseRequest) -> bytes:
    """Read a body of a bounded size.

    Raises:
        ApiError: 413.
    """
    if (request.content_length or 0) <= LARGEST:
        body = await request.content.read(LARGEST + 1)
        while len(body) <= LARGEST and not request.content.at_eof():
            body += await request.content.read(LARGEST + 1 - len(body))
        if len(body) <= LARGEST:
            return body
    message = f"Request entity too large: limit is {LARGEST}"
    raise api_errors.StatusError(413, "RequestEntityTooLarge", message)


def media_type(request: web.BaseRequest) -> str:
    """Return the Content-Type without its parameters, in lower case; empty if none was sent."""
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def decode_object(request: web.BaseRequest, body: bytes, kind: str) -> Object:
    """Decode an object; a missing Content-Type means JSON, as clients rely on.

    Raises:
        ApiError: 415 for another format, 400 for one that does not parse.
    """
    kind_of_body = media_type(request)
    if kind_of_body in YAML_TYPES:
        thing = yaml_body.decode(body)
    elif kind_of_body in JSON_TYPES:
        thing = decode_json(body, kind)
    elif kind_of_body == PROTOBUF:
        thing = _decode_protobuf(body, kind)
    else:
        raise api_errors.unsupported_body()
    if not isinstance(thing, dict):
        found = {list: "array", str: "string", bool: "bool"}.get(type(thing), "number")
        raise api_errors.bad_request(
            f"the object provided is unrecognized (must be of type {kind}): couldn't get "
            f"version/kind; json parse error: json: cannot unmarshal {found} into Go value of type "
            f"struct ({_shown(body)})"
        )
    return thing


def _decode_protobuf(body: bytes, kind: str) -> Object:
    """Decode what `kubectl create namespace` sends, and refuse everything else.

    Raises:
        ApiError: 415.
    """
    if kind != NAMESPACES.kind:
        raise api_errors.no_protobuf()
    try:
        return protobuf.namespace(body)
    except ValueError as error:
        raise api_errors.no_protobuf() from error


def decode_json(body: bytes, kind: str = "") -> Any:
    """Decode JSON as the API server would, without Python's extensions (NaN) and limits.

    Raises:
        ApiError: 400.
    """
    text = body.decode("utf-8", "replace")
    try:
        return sound(json.loads(text, parse_constant=_no_constant))
    except (ValueError, RecursionError) as error:
        unrecognized = f" (must be of type {kind})" if kind else ""
        raise api_errors.bad_request(
            f"the object provided is unrecognized{unrecognized}: couldn't get version/kind; json "
            f"parse error: {_explained(error, text)} ({_shown(body)})"
        ) from error


def _no_constant(name: str) -> Any:
    raise ValueError(f"invalid character '{name[0]}' looking for beginning of value")


def _explained(error: Exception, text: str) -> str:
    """Word a JSON error as Go's decoder does, where that is cheap."""
    if isinstance(error, RecursionError):
        return "exceeded max depth"
    if not isinstance(error, json.JSONDecodeError):
        return str(error)
    if error.pos >= len(text):
        return "unexpected end of JSON input"
    wanted = "object key string" if "property name" in error.msg else "value"
    return f"invalid character {text[error.pos]!r} looking for beginning of {wanted}"


def _shown(body: bytes) -> str:
    return body[:SHOWN].decode("utf-8", "replace")


def is_dry_run(query: Object) -> bool:
    """Whether nothing may be stored.

    Raises:
        ApiError: 422 for a value that is not All.
    """
    wanted = query.get("dryRun", "")
    if wanted not in ("", "All"):
        error = FieldError.unsupported("dryRun", wanted, ["All"])
        raise api_errors.invalid("CreateOptions", "meta.k8s.io", "", [error])
    return bool(wanted)


def manager(request: web.BaseRequest) -> str:
    """Return who writes: the fieldManager, else the start of the User-Agent."""
    agent = request.headers.get("User-Agent", "unknown").partition("/")[0]
    return str(request.query.get("fieldManager") or agent)[:128]


def delete_options(request: web.BaseRequest, body: bytes) -> DeleteOptions:
    """Read DeleteOptions from the body, or from the query where the body is empty.

    Raises:
        ApiError: 400 for options that do not parse.
    """
    sent = decode_object(request, body, "DeleteOptions") if body.strip() else dict(request.query)
    preconditions = sent.get("preconditions") or {}
    dry_run = sent.get("dryRun") or request.query.get("dryRun") or []
    policy = sent.get("propagationPolicy") or ""
    if not isinstance(preconditions, dict) or not isinstance(policy, str):
        raise _unreadable_options()
    orphan = sent.get("orphanDependents")
    if not policy and orphan in (True, "true"):
        policy = "Orphan"
    return DeleteOptions(
        grace=_seconds(sent.get("gracePeriodSeconds")),
        policy=policy,
        uid=str(preconditions.get("uid") or ""),
        resource_version=str(preconditions.get("resourceVersion") or ""),
        dry_run="All" in (dry_run if isinstance(dry_run, list) else [dry_run]),
    )


def _seconds(value: Any) -> int | None:
    if value is None:
        return None
    try:
        seconds = int(value)
    except (TypeError, ValueError, OverflowError) as error:  # OverflowError: 1e999 is infinite
        raise _unreadable_options() from error
    return seconds


def _unreadable_options() -> api_errors.StatusError:
    return api_errors.bad_request("couldn't read the DeleteOptions: a field has the wrong type")
