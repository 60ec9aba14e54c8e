"""How answers look: JSON, server-side tables where a client wants them, Status errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aiohttp import web

from flashsale.embedded.printers import tables
from flashsale.embedded.storage.store import encode
from flashsale.embedded.types.api_errors import StatusError
from flashsale.embedded.types.resources import Resource
from flashsale.objects.models import Object

JSON = "application/json"
Include = Literal["Metadata", "Object", "None"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The form a client asked for."""

    table: bool = False
    metadata_only: bool = False
    include: Include = "Metadata"


def wanted(request: web.BaseRequest) -> Wanted:
    """Choose from Accept the first form that is spoken here.

    Raises:
        ApiError: 406.
    """
    accept = request.headers.get("Accept") or "*/*"
    for choice in accept.split(","):
        kind, *parameters = (part.strip() for part in choice.split(";"))
        if kind not in (JSON, "*/*", "application/*"):
            continue
        form = dict(p.split("=", 1) for p in parameters if "=" in p).get("as", "")
        if form == "Table":
            asked = request.query.get("includeObject", "Metadata")
            include: Include = asked if asked in ("Object", "None") else "Metadata"  # type: ignore[assignment]
            return Wanted(table=True, include=include)
        if form.startswith("PartialObjectMetadata"):
            return Wanted(metadata_only=True)
        if not form:
            return Wanted()
    message = (
        "only the following media types are accepted: application/json, "
        "application/json;as=Table;v=v1;g=meta.k8s.io"
    )
    raise StatusError(406, "NotAcceptable", message)


def json_answer(thing: Object | bytes, status: int = 200) -> web.Response:
    """Send JSON."""
    body = thing if isinstance(thing, bytes) else encode(thing)
    return web.Response(body=body, status=status, content_type=JSON)


def error_answer(error: StatusError) -> web.Response:
    """Send a Status."""
    response = json_answer(error.status(), error.code)
    retry = (error.details or {}).get("retryAfterSeconds")
    if retry:
        response.headers["Retry-After"] = str(retry)
    return response


def partial(thing: Object) -> Object:
    """Return an object's metadata alone."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": thing["metadata"],
    }


def object_answer(
    form: Wanted, resource: Resource, thing: Object, now: float, status: int = 200
) -> web.Response:
    """Send one object in the form that was asked for."""
    if form.table and thing.get("kind") != "Status":
        revision = thing["metadata"].get("resourceVersion", "")
        table = tables.table(resource, [thing], now=now, revision=revision, include=form.include)
        return json_answer(table, status)
    if form.metadata_only:
        return json_answer(partial(thing), status)
    return json_answer(thing, status)


def warn(response: web.StreamResponse, text: str) -> None:
    """Add a warning that kubectl shows on stderr (RFC 7234, code 299)."""
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    safe = "".join(char for char in quoted if char.isprintable())
    response.headers.add("Warning", f'299 - "{safe}"')
