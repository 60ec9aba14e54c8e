"""What does not depend on objects: health, discovery, version, OpenAPI (apiserver/pkg/server).

Slashes count as there: `/apis/` is `/apis`, but `/healthz/` is nothing.
"""

from __future__ import annotations

import json
from dataclasses import replace

from aiohttp import web

from flashsale.embedded.apiserver import discovery
from flashsale.embedded.apiserver.handlers import responses
from flashsale.embedded.apiserver.handlers.responses import Wanted
from flashsale.embedded.apiserver.health_checks import LIVE, READY
from flashsale.embedded.storage.store import encode_object
from flashsale.embedded.types import api_errors
from flashsale.embedded.types.api_errors import StatusError
from flashsale.embedded.types.openapi import documents, openapi_protobuf

HEALTH = {"healthz": LIVE, "livez": LIVE, "readyz": READY}
TEXT = "text/plain"
OPENAPI = "/openapi/v3"


def answer_fixed_path(request: web.BaseRequest) -> web.Response | None:
    """Answer a path that does not depend on objects; None for any other path.

    Raises:
        StatusError: 405, 406.
    """
    path = request.path
    if path in ("/", "/index.html"):
        return responses.answer(Wanted(pretty=True), {"paths": discovery.paths()})
    if path.split("/")[1] in HEALTH:
        return _health(request)
    if path == "/openapi/v2":
        return _openapi_v2(request.headers.get("Accept", ""))
    if path == OPENAPI:  # the real server gives the index no better type
        return web.Response(body=documents.encoded(""), content_type=TEXT, charset="utf-8")
    if path.startswith(OPENAPI + "/"):
        document = documents.encoded(path.removeprefix(OPENAPI + "/") or "nothing")
        return web.Response(status=404) if document is None else responses.json_answer(document)
    return _discovery(request)


def _health(request: web.BaseRequest) -> web.Response | None:
    """Answer a health check, with a line for each part if asked; None for an unknown part."""
    _, where, *below = request.path.split("/")
    checks = HEALTH[where]
    if below:
        return web.Response(text="ok") if "/".join(below) in checks else None
    if "verbose" not in request.query:
        return web.Response(text="ok")
    left_out = request.query.getall("exclude", [])
    lines = [f"[+]{check}{' excluded:' if check in left_out else ''} ok\n" for check in checks]
    if unknown := [json.dumps(check) for check in left_out if check not in checks]:
        why = f"no matches for {','.join(sorted(unknown))}"
        lines.append(f"warn: some health checks cannot be excluded: {why}\n")
    return web.Response(text="".join(lines) + f"{where} check passed\n")


def _openapi_v2(accept: str) -> web.Response:
    """Send OpenAPI v2 as JSON, or as protobuf if the client asks for that."""
    kinds = [media_type.partition(";")[0].strip() for media_type in accept.split(",")]
    if openapi_protobuf.ACCEPTED in accept.replace(" ", ""):
        body, kind = documents.encoded_v2_protobuf(), openapi_protobuf.CONTENT_TYPE
        return web.Response(body=body, headers={"Content-Type": kind})
    if accept and not {"*/*", "application/*", responses.JSON} & set(kinds):
        return web.Response(status=406)
    return web.Response(body=documents.encoded_v2(), content_type=responses.JSON)


def _discovery(request: web.BaseRequest) -> web.Response | None:
    path = request.path.rstrip("/")
    document = discovery.document(path, request.host)
    if document is None or path.startswith("//"):
        return None
    of_group = path.startswith("/apis/") and path.count("/") == 2  # answers whatever the method is
    if request.method != "GET" and not (of_group or path == "/apis"):
        raise api_errors.method_not_allowed()
    aggregates = path in ("/api", "/apis")
    if aggregates and discovery.wants_aggregated(request.headers.get("Accept", "")):
        body = discovery.aggregated(core=path == "/api")
        return web.Response(
            body=encode_object(body), headers={"Content-Type": discovery.AGGREGATED}
        )
    if path == "/version":  # takes no notice of parameters
        form = responses.wanted(request, kinds=(responses.JSON,), suits=lambda _: True)
        return responses.answer(replace(form, pretty=True), document)
    try:
        form = responses.wanted(request, suits=lambda media_range: "as" not in media_range)
    except StatusError:
        if not (of_group or path == "/apis"):
            raise
        known = ", ".join(responses.REPRESENTATIONS)  # of the aggregator, which words it otherwise
        raise responses.not_acceptable(
            f"only the following media types are accepted: {known}"
        ) from None
    return responses.answer(form, document)
