"""What a request carries: JSON, YAML or protobuf, options of a write or a deletion, who writes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

from aiohttp import web

from flashsale.embedded.apiserver.handlers import protobuf, yaml_body
from flashsale.embedded.apiserver.handlers.responses import JSON, PROTOBUF, YAML
from flashsale.embedded.apiserver.registry.deletion import DeleteOptions
from flashsale.embedded.types import api_errors
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.types.golang import go_json, go_text
from flashsale.embedded.types.resources import Resource
from flashsale.embedded.types.schema import FieldValidation, field_mistakes, kind_error
from flashsale.embedded.types.strict_decoding import type_error
from flashsale.objects.models import Object

LARGEST = 3 * 1024 * 1024  # bytes, as the API server's limit
SHOWN = 30  # bytes of a body that cannot be read
OCTETS = "application/octet-stream"  # what some clients send when they do not care
LONGEST_MANAGER = 128  # bytes
OPTIONS = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions"}
POLICIES = ("Foreground", "Background", "Orphan")  # of a deletion
INTERNAL_SCHEME = '"k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27"'


@dataclass(frozen=True, slots=True)
class Body:
    """A decoded body, and what to say of keys that stand in it twice."""

    content: Any
    duplicates: list[str]


async def read_body(request: web.BaseRequest) -> bytes:
    """Read a body of a bounded size.

    Raises:
        StatusError: 413.
    """
    if (request.content_length or 0) <= LARGEST:
        body = await request.content.read(LARGEST + 1)
        while len(body) <= LARGEST and not request.content.at_eof():
            body += await request.content.read(LARGEST + 1 - len(body))
        if len(body) <= LARGEST:
            return body
    message = f"Request entity too large: limit is {LARGEST}"
    raise api_errors.StatusError(413, "RequestEntityTooLarge", message, {})


def media_type(request: web.BaseRequest) -> str:
    """Return the Content-Type without its parameters, in lower case; empty if none was sent."""
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def decode_body(request: web.BaseRequest, body: bytes, kind: str) -> Body:
    """Decode an object; a missing Content-Type means JSON, as clients rely on.

    Raises:
        StatusError: 415 for another format, 400 for one that does not parse.
    """
    kind_of_body = media_type(request)
    prefix = f"the object provided is unrecognized (must be of type {kind}): "
    shown = f" ({_summary(body)})"
    try:
        if kind_of_body == PROTOBUF:
            decoded = Body(protobuf.decode_protobuf(body), [])
        elif kind_of_body == YAML:
            loaded = yaml_body.load_noting_duplicates(body) if body.strip() else ({}, [])
            decoded = Body(*loaded)
        elif kind_of_body in ("", JSON, OCTETS):
            content, repeated = go_json.decode_noting_duplicates(body)
            decoded = Body(content, field_mistakes([], repeated))
        else:
            raise api_errors.unsupported_body()
    except go_json.GoJSONError as error:
        why = f"couldn't get version/kind; json parse error: {error}"
        raise api_errors.bad_request(prefix + why + shown) from error
    except ValueError as error:
        raise api_errors.bad_request(f"{prefix}{error}{shown}") from error
    if wrong := kind_error(decoded.content):
        why = f"couldn't get version/kind; json parse error: {wrong}"
        raise api_errors.bad_request(prefix + why + shown)
    version = (decoded.content or {}).get("apiVersion") or ""
    if version.count("/") > 1:
        raise api_errors.bad_request(prefix + f"unexpected GroupVersion string: {version}" + shown)
    return decoded if decoded.content is not None else Body({}, [])


def _summary(body: bytes) -> str:
    """Show the start of a body: an object's as it is, all else in hexadecimal."""
    if not body:
        return "<empty>"
    start = body[:SHOWN]
    text = start.decode("utf-8", "replace") if body.startswith(b"{") else start.hex()
    return f"{text} ..." if len(body) > SHOWN else text


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """What the query of a write asks for."""

    dry_run: bool
    validation: FieldValidation
    manager: str
    force: bool


def write_options(request: web.BaseRequest, *, applies: bool) -> WriteOptions:
    """Read CreateOptions, UpdateOptions or PatchOptions; ``applies`` for a server-side apply.

    Raises:
        StatusError: 422 for values that cannot be.
    """
    query, errors = request.query, []
    manager = query.get("fieldManager", "")
    dry_run = query.getall("dryRun", [])
    validation = query.get("fieldValidation") or "Warn"
    if request.method == "PATCH" and not applies and "force" in query:
        errors.append(FieldError.forbidden("force", "may not be specified for non-apply patch"))
    if applies and not manager:
        errors.append(FieldError.required("fieldManager", "is required for apply patch"))
    errors += _manager_errors(manager) + _dry_run_errors(dry_run)
    validations: tuple[FieldValidation, ...] = get_args(FieldValidation)
    known = next((choice for choice in validations if choice == validation), None)
    if known is None:
        supported = ("", *sorted(validations))
        errors.append(FieldError.unsupported("fieldValidation", validation, supported))
    if errors or known is None:
        raise api_errors.invalid_object(OPTIONS[request.method], "meta.k8s.io", "", errors)
    agent = request.headers.get("User-Agent", "unknown").partition("/")[0]
    force = is_true(query.get("force") or "false")
    return WriteOptions(any(dry_run), known, (manager or agent)[:LONGEST_MANAGER], force)


def _manager_errors(manager: str) -> list[FieldError]:
    if len(manager.encode()) > LONGEST_MANAGER:
        return [FieldError.too_long("fieldManager", LONGEST_MANAGER)]
    for place, char in enumerate(manager):
        if not char.isprintable():
            shown = manager.encode("unicode_escape").decode()
            why = f"invalid character U+{ord(char):04X} (at position {place})"
            body = f'Invalid value: "{shown}": {why}'
            return [FieldError("FieldValueInvalid", "fieldManager", body)]
    return []


def _dry_run_errors(values: list[str]) -> list[FieldError]:
    if all(value == "All" for value in values):
        return []
    return [FieldError.unsupported("dryRun", values, ["All"])]


def delete_options(request: web.BaseRequest, body: bytes) -> DeleteOptions:
    """Read DeleteOptions from the body, or from the query where the body is empty.

    Raises:
        StatusError: 400 for options that do not parse, 422 for some that cannot be.
    """
    sent = _sent_options(request, body) if body.strip() else _queried_options(request)
    dry_run, policy = sent.get("dryRun") or [], sent.get("propagationPolicy")
    errors = []
    orphan = sent.get("orphanDependents")
    if orphan is not None and policy is not None:
        why = "orphanDependents and deletionPropagation cannot be both set"
        errors.append(FieldError.invalid("propagationPolicy", policy, why))
    if policy is not None and policy not in POLICIES:
        errors.append(FieldError.unsupported("propagationPolicy", policy, (*POLICIES, "nil")))
    errors += _dry_run_errors(dry_run)
    if errors:
        raise api_errors.invalid_object("DeleteOptions", "meta.k8s.io", "", errors)
    return DeleteOptions.from_object(sent)


def _sent_options(request: web.BaseRequest, body: bytes) -> Object:
    if media_type(request) not in ("", JSON, OCTETS, YAML, PROTOBUF):
        raise api_errors.unsupported_body()
    decode = {YAML: yaml_body.load_yaml, PROTOBUF: protobuf.decode_protobuf}
    try:
        sent = decode.get(media_type(request), go_json.decode_json)(body)
    except go_json.GoJSONError as error:
        why = f"couldn't get version/kind; json parse error: {error}"
        raise api_errors.bad_request(why) from error
    except ValueError as error:
        raise api_errors.bad_request(str(error)) from error
    if unread := kind_error(sent):
        raise api_errors.bad_request(f"couldn't get version/kind; json parse error: {unread}")
    sent = sent or {}
    kind = sent.get("kind") or "DeleteOptions"
    version = sent.get("apiVersion") or "meta.k8s.io/v1"
    if kind != "DeleteOptions":
        raise api_errors.bad_request(
            f'no kind "{kind}" is registered for version "{version}" in scheme {INTERNAL_SCHEME}'
        )
    if wrong := type_error(sent, "v1", "DeleteOptions"):
        raise api_errors.bad_request(wrong)
    options: Object = sent
    return options


def _queried_options(request: web.BaseRequest) -> Object:
    query = request.query
    options: Object = {"dryRun": query.getall("dryRun", [])}
    readers: dict[str, Callable[[str], Any]] = {
        "gracePeriodSeconds": whole_number,
        "propagationPolicy": str,
        "orphanDependents": lambda text: is_true(text or "false"),
    }
    return options | {key: read(query[key]) for key, read in readers.items() if key in query}


def queried_number(request: web.BaseRequest, name: str) -> int | None:
    """Read a whole number of a query; None if it is not there.

    Raises:
        StatusError: 400.
    """
    return whole_number(request.query[name]) if name in request.query else None


def whole_number(text: str) -> int:
    """Read a whole number as Go does.

    Raises:
        StatusError: 400.
    """
    why = ""
    if not re.fullmatch(r"[+-]?[0-9]+", text, re.ASCII):
        why = "invalid syntax"
    elif not -(2**63) <= int(text[:30]) < 2**63:
        why = "value out of range"
    if why:
        raise api_errors.bad_request(f"strconv.ParseInt: parsing {json.dumps(text)}: {why}")
    return int(text)


def check_timeout(request: web.BaseRequest) -> None:
    """Refuse a timeout that is no duration of Go's.

    Raises:
        StatusError: 400.
    """
    if wrong := go_text.duration_error(request.query.get("timeout") or "0"):
        raise api_errors.bad_request(f"invalid timeout specified in the request URL - {wrong}")


def is_true(text: str) -> bool:
    """Read a truth value of a query as the API server does: all but `false` and `0` is true."""
    return text.lower() not in ("false", "0")


def check_matches_url(resource: Resource, meta: Object, name: str, namespace: str) -> None:
    """Refuse an object that names itself otherwise than its URL.

    Raises:
        StatusError: 400.
    """
    if resource.namespaced and meta.get("namespace") not in (None, "", namespace):
        raise api_errors.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if not meta.get("name"):
        raise api_errors.bad_request(
            f"the name of the object ({name} based on URL) was undeterminable: "
            "name must be provided"
        )
    if meta["name"] != name:
        raise api_errors.bad_request(
            f"the name of the object ({meta['name']}) does not match the name on the URL ({name})"
        )
