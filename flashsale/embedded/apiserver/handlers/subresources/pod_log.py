"""The log subresource of a pod: text, whatever Accept says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from aiohttp import web

from flashsale.embedded.apiserver.handlers.request_body import is_true, whole_number
from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.apiserver.request_path import RequestTarget
from flashsale.embedded.types import api_errors
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.types.golang import go_text
from flashsale.objects.models import Object

NUMBERS = {  # query parameter: its option, the least value it may have
    "tailLines": ("tail_lines", 0),
    "sinceSeconds": ("since_seconds", 1),
    "limitBytes": ("limit_bytes", 1),
}


@dataclass(frozen=True, slots=True)
class LogOptions:
    """Which part of a log is wanted."""

    previous: bool = False
    tail_lines: int | None = None
    since_seconds: int | None = None
    since_time: str | None = None  # RFC 3339
    limit_bytes: int | None = None
    timestamps: bool = False


class ContainerLogs(Protocol):
    """What the API server asks of a kubelet: the logs of its containers."""

    def read(self, pod: Object, container: str, options: LogOptions) -> bytes:
        """Return the log as it is now."""

    def follow(self, pod: Object, container: str, options: LogOptions) -> AsyncIterator[bytes]:
        """Return the log as it is and as it grows."""


async def get_log(
    registry: Registry, logs: ContainerLogs, request: web.BaseRequest, target: RequestTarget
) -> web.StreamResponse:
    """Send a container's log, as it is or as it grows.

    Raises:
        StatusError: 404, 405, 400 for a container without a log, 422 for options that make no
            sense.
    """
    if request.method != "GET":
        raise api_errors.method_not_allowed()
    pod = registry.get(*target.key)
    options = _options(request, target.name)
    container = container_name(pod, request.query.get("container", ""))
    if not pod["spec"].get("nodeName"):
        return web.Response(status=204)
    if not _is_set(request.query, "follow"):
        text = logs.read(pod, container, options)
        return web.Response(body=text, content_type="text/plain")
    lines = logs.follow(pod, container, options)
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    async for text in lines:
        await response.write(text)
    return response


def _options(request: web.BaseRequest, name: str) -> LogOptions:
    """Read PodLogOptions from the query."""
    query = request.query
    options: dict[str, Any] = {
        "previous": _is_set(query, "previous"),
        "timestamps": _is_set(query, "timestamps"),
    }
    errors = []
    for parameter, (option, least) in NUMBERS.items():
        if not query.get(parameter):
            continue
        number = whole_number(query[parameter])
        if number < least:
            bound = "greater than 0" if least else "greater than or equal to 0"
            errors.append(FieldError.invalid(parameter, number, f"must be {bound}"))
        options[option] = number
    if query.get("sinceTime"):
        options["since_time"] = _time(query["sinceTime"])
    if {"since_seconds", "since_time"} <= options.keys():
        why = "at most one of `sinceTime` or `sinceSeconds` may be specified"
        errors.append(FieldError.forbidden("[]", why))
    if query.get("stream"):  # behind a feature gate that is off
        errors.append(FieldError.forbidden("stream", "may not be specified"))
    if errors:
        raise api_errors.invalid_object("PodLogOptions", "", name, errors)
    return LogOptions(**options)


def _is_set(query: Mapping[str, str], name: str) -> bool:
    return name in query and is_true(query[name])


def container_name(pod: Object, wanted: str) -> str:
    """Return which container is meant: the pod's only one, if none is named.

    Raises:
        StatusError: 400 if it is none of the pod's, or not clear which.
    """
    spec, name = pod["spec"], pod["metadata"]["name"]
    regular = [container["name"] for container in spec["containers"]]
    every = [container["name"] for container in spec.get("initContainers") or []] + regular
    if wanted and wanted not in every:
        raise api_errors.bad_request(f"container {wanted} is not valid for pod {name}")
    if not wanted and len(regular) > 1:
        why = f"a container name must be specified for pod {name}, choose one of: "
        raise api_errors.bad_request(f"{why}[{' '.join(every)}]")
    return wanted or str(regular[0])


def _time(text: str) -> str:
    try:
        go_text.normal_time(text, micro=False)
    except ValueError as error:
        raise api_errors.bad_request(str(error)) from error
    return text
