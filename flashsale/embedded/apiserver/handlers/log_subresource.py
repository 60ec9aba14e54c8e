"""The log subresource of a pod: text, whatever Accept says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Protocol

from aiohttp import web

from flashsale.embedded.apiserver.registry import Registry
from flashsale.embedded.apiserver.request_path import RequestTarget
from flashsale.embedded.types import api_errors as apierrors
from flashsale.embedded.types.api_errors import FieldError

TRUE = ("true", "1")
NUMBERS = {  # query parameter: its option, the least value it may have
    "tailLines": ("tail_lines", 0),
    "sinceSeconds": ("since_seconds", 1),
    "limitBytes": ("limit_bytes", 1),
}


class ContainerLogs(Protocol):
    """What the API server asks of a kubelet: the logs of its containers."""

    def read(self, namespace: str, name: str, uid: str, container: str, **options: Any) -> bytes:
        """Return the log as it is now."""

    def follow(
        self, namespace: str, name: str, uid: str, container: str, **options: Any
    ) -> AsyncIterator[bytes]:
        """Return the log as it is and as it grows."""


async def answer(
    registry: Registry, logs: ContainerLogs, request: web.BaseRequest, target: RequestTarget
) -> web.StreamResponse:
    """Send a container's log, as it is or as it grows.

    Raises:
        ApiError: 404, 400 for a container without a log, 422 for options that make no sense.
    """
    pod = registry.get(target.resource, target.namespace, target.name)
    options = _options(request, target.name)
    named = (target.namespace, target.name, pod["metadata"]["uid"])
    container = request.query.get("container", "")
    if request.query.get("follow", "").lower() not in TRUE:
        text = logs.read(*named, container, **options)
        return web.Response(body=text, content_type="text/plain")
    lines = logs.follow(*named, container, **options)
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    async for text in lines:
        await response.write(text)
    return response


def _options(request: web.BaseRequest, name: str) -> dict[str, Any]:
    """Read PodLogOptions from the query."""
    query = request.query
    options: dict[str, Any] = {
        "previous": query.get("previous", "").lower() in TRUE,
        "timestamps": query.get("timestamps", "").lower() in TRUE,
    }
    errors = []
    for parameter, (option, least) in NUMBERS.items():
        if not query.get(parameter):
            continue
        number = _number(query[parameter])
        if number < least:
            bound = "greater than 0" if least else "greater than or equal to 0"
            errors.append(FieldError.invalid(parameter, number, f"must be {bound}"))
        options[option] = number
    if query.get("sinceTime"):
        options["since_time"] = _time(query["sinceTime"])
    if {"since_seconds", "since_time"} <= options.keys():
        why = "at most one of `sinceTime` or `sinceSeconds` may be specified"
        errors.append(FieldError.forbidden("[]", why))
    if errors:
        raise apierrors.invalid("PodLogOptions", "", name, errors)
    return options


def _number(text: str) -> int:
    try:
        return int(text[:19])
    except ValueError as error:
        message = f'strconv.ParseInt: parsing "{text}": invalid syntax'
        raise apierrors.bad_request(message) from error


def _time(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError as error:
        message = f'parsing time "{text}": cannot parse it as RFC 3339'
        raise apierrors.bad_request(message) from error
    return text
