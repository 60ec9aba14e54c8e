"""Status errors, worded as the API server words them (apimachinery/pkg/api/errors).

kubectl rebuilds its sentences from ``details``, so names, groups, kinds and causes matter as much
as the message.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flashsale.embedded.types.golang.go_text import quote
from flashsale.embedded.types.resources import Resource
from flashsale.objects.models import Object


class StatusError(Exception):
    """A refusal: an HTTP status code and the Status object that goes with it."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: Object | None = None,
        *,
        metadata: Object | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.metadata = metadata or {}

    def status(self) -> Object:
        body: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = self.details
        return body | {"code": self.code}


class NodeError(Exception):
    """What a kubelet refuses, in plain text; the API server passes it on as it is."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field (apimachinery/pkg/util/validation/field)."""

    reason: str  # FieldValueInvalid and its siblings
    field: str
    body: str  # "Invalid value: -1: must be ..."

    @classmethod
    def invalid(cls, field: str, value: Any, why: str) -> FieldError:
        return cls("FieldValueInvalid", field, f"Invalid value: {_printed(value)}: {why}")

    @classmethod
    def required(cls, field: str, why: str = "") -> FieldError:
        return cls("FieldValueRequired", field, "Required value" + (f": {why}" if why else ""))

    @classmethod
    def forbidden(cls, field: str, why: str) -> FieldError:
        """A value that must not be there, or must not change."""
        return cls("FieldValueForbidden", field, f"Forbidden: {why}")

    @classmethod
    def unsupported(cls, field: str, value: Any, supported: Sequence[str]) -> FieldError:
        choices = ", ".join(map(quote, supported))
        body = f"Unsupported value: {_printed(value)}: supported values: {choices}"
        return cls("FieldValueNotSupported", field, body)

    @classmethod
    def duplicate(cls, field: str, value: Any, why: str = "") -> FieldError:
        body = f"Duplicate value: {_printed(value)}" + (f": {why}" if why else "")
        return cls("FieldValueDuplicate", field, body)

    @classmethod
    def not_found(cls, field: str, name: str, why: str = "") -> FieldError:
        body = f"Not found: {quote(name)}" + (f": {why}" if why else "")
        return cls("FieldValueNotFound", field, body)

    @classmethod
    def too_many(cls, field: str, count: int, most: int) -> FieldError:
        return cls("FieldValueTooMany", field, f"Too many: {count}: must have at most {most} items")

    @classmethod
    def too_long(cls, field: str, most: int) -> FieldError:
        return cls("FieldValueTooLong", field, f"Too long: may not be more than {most} bytes")


def _printed(value: Any) -> str:
    """Print a text as Go's `%q` does, and all else as JSON (field.Error.ErrorBody)."""
    if isinstance(value, str):
        return quote(value)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def bad_request(message: str) -> StatusError:
    return StatusError(400, "BadRequest", message)


def not_found(resource: Resource, name: str) -> StatusError:
    details = details_of(resource, name)
    return StatusError(404, "NotFound", f"{resource.qualified} {quote(name)} not found", details)


def no_such_path() -> StatusError:
    """404 for a version or resource that is not served."""
    return StatusError(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(resource: Resource, name: str, *, terminating: bool = False) -> StatusError:
    """409 on create; ``terminating`` when the old object is still going away."""
    prefix = "object is being deleted: " if terminating else ""
    message = f"{prefix}{resource.qualified} {quote(name)} already exists"
    return StatusError(409, "AlreadyExists", message, details_of(resource, name))


def conflict(resource: Resource, name: str, why: str = "") -> StatusError:
    """409: a stale resourceVersion, or a precondition that does not hold."""
    why = why or (
        "the object has been modified; please apply your changes to the latest version "
        "and try again"
    )
    message = f"Operation cannot be fulfilled on {resource.qualified} {quote(name)}: {why}"
    return StatusError(409, "Conflict", message, details_of(resource, name))


def forbidden(resource: Resource, name: str, why: str) -> StatusError:
    """403: admission does not allow it."""
    message = f"{resource.qualified} {quote(name)} is forbidden: {why}"
    return StatusError(403, "Forbidden", message, details_of(resource, name))


def invalid_object(kind: str, group: str, name: str, errors: Sequence[FieldError]) -> StatusError:
    """422: the object is understood but may not be."""
    texts = list(dict.fromkeys(f"{error.field}: {error.body}" for error in errors))
    qualified = f"{kind}.{group}" if group else kind
    details: Object = {}
    if name:
        details["name"] = name
    if group:
        details["group"] = group
    if kind:
        details["kind"] = kind
    details["causes"] = [
        {"reason": error.reason, "message": error.body, "field": error.field} for error in errors
    ]
    return StatusError(
        422, "Invalid", f"{qualified} {quote(name)} is invalid: {aggregate(texts)}", details
    )


def aggregate(texts: Sequence[str]) -> str:
    """Write several errors as one, as Go's aggregates do."""
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def method_not_allowed() -> StatusError:
    message = "the server does not allow this method on the requested resource"
    return StatusError(405, "MethodNotAllowed", message, {})


def unsupported_patch() -> StatusError:
    """415 for a PATCH of an unknown type."""
    return StatusError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})


def unsupported_body() -> StatusError:
    """415 for a body that is none of JSON, YAML and protobuf."""
    message = (
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json, application/yaml, application/vnd.kubernetes.protobuf"
    )
    return StatusError(415, "UnsupportedMediaType", message)


def not_here(what: str) -> StatusError:
    """404 for a subresource of pods that a real API server has."""
    message = (
        f"the embedded cluster does not do {what}: its pods are plain processes of this machine, "
        "see the README"
    )
    return StatusError(404, "NotFound", message, {})


def expired(since: int, current: int) -> StatusError:
    """410: history no longer reaches back that far."""
    return StatusError(410, "Expired", f"too old resource version: {since} ({current})")


def details_of(resource: Resource, name: str) -> Object:
    """Name an object, or a collection without a name, in the details of a Status."""
    named = {"name": name, "group": resource.group, "kind": resource.plural}
    return {key: value for key, value in named.items() if value}
