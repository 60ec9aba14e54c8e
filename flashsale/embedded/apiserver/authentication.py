"""Who may ask what: a client with a certificate of the cluster's authority, everything.

TLS accepts other clients too, so that they get the answer that a real API server gives instead of a
closed connection (apiserver/pkg/endpoints/filters).
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from flashsale.embedded.apiserver.request_path import RequestTarget, parse_path
from flashsale.embedded.types.api_errors import StatusError, details_of

PUBLIC = ("/version", "/healthz", "/livez", "/readyz")  # system:public-info-viewer
ANONYMOUS = "system:anonymous"
VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def encryption(request: web.BaseRequest) -> Any:
    """Return the SSLObject under a request; None without TLS, and once the client has left."""
    transport = request.transport
    return transport.get_extra_info("ssl_object") if transport is not None else None


def answer_unauthenticated(request: web.BaseRequest) -> web.Response | None:
    """Return None for a client that may go on, otherwise the answer that it gets.

    Raises:
        StatusError: 401 for a token, 403 for everything that is not public.
    """
    encrypted = encryption(request)
    if encrypted is None or encrypted.getpeercert():
        return None  # without TLS there is a test on the other side
    if request.headers.get("Authorization"):
        raise StatusError(401, "Unauthorized", "Unauthorized")
    path = "/" + request.path.strip("/")
    if request.method in ("GET", "HEAD") and path in PUBLIC:
        return None
    target = parse_path(path)
    if target is None:
        verb = request.method.lower()
        raise StatusError(
            403, "Forbidden", f'forbidden: User "{ANONYMOUS}" cannot {verb} path "{path}"', {}
        )
    raise _forbidden(request, target)


def _forbidden(request: web.BaseRequest, target: RequestTarget) -> StatusError:
    resource = target.resource
    named = f' "{target.name}"' if target.name else ""
    scope = f'in the namespace "{target.namespace}"' if target.namespace else "at the cluster scope"
    below = f"/{target.subresource}" if target.subresource else ""
    message = (
        f'{resource.qualified}{named} is forbidden: User "{ANONYMOUS}" cannot '
        f'{_verb(request, target)} resource "{resource.plural}{below}" in API group '
        f'"{resource.group}" {scope}'
    )
    return StatusError(403, "Forbidden", message, details_of(resource, target.name))


def _verb(request: web.BaseRequest, target: RequestTarget) -> str:
    if request.method in ("GET", "HEAD"):
        if target.name:
            return "get"
        return "watch" if "watch" in request.query or target.watch else "list"
    collection = request.method == "DELETE" and not target.name
    return "deletecollection" if collection else VERBS.get(request.method, "")
