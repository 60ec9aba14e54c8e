"""Who may ask what: a client with a certificate of the cluster's authority, everything.

TLS accepts other clients too, so that they get the answer that a real API server gives instead of a
closed connection (apiserver/pkg/endpoints/filters). There are no roles: who is impersonated
(`kubectl --as`) may what everybody may, and everything in the group `system:masters`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from flashsale.embedded.apiserver.request_path import RequestTarget, parse_path
from flashsale.embedded.types.api_errors import StatusError, details_of

PUBLIC = ("/version", "/healthz", "/livez", "/readyz")  # system:public-info-viewer
DISCOVERY = ("api", "apis", "openapi")  # system:discovery, with all that is below
OWN_REVIEWS = ("selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews")
ANONYMOUS = "system:anonymous"
MASTERS = "system:masters"
AUTHENTICATED, UNAUTHENTICATED = "system:authenticated", "system:unauthenticated"
ACCOUNTS = "system:serviceaccount"
VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class User:
    """Who asks, or who is meant to ask."""

    name: str
    groups: tuple[str, ...]

    @property
    def is_master(self) -> bool:
        """Whether everything is allowed."""
        return MASTERS in self.groups


NOBODY = User(ANONYMOUS, (UNAUTHENTICATED,))


def answer_unauthorized(request: web.BaseRequest) -> web.Response | None:
    """Return None for a client that may go on, otherwise the answer that it gets.

    Raises:
        StatusError: 401 for a token, 403 for what is not allowed.
    """
    encrypted = encryption(request)
    if encrypted is None or encrypted.getpeercert():  # without TLS there is a test there
        user = impersonated(request)
        if user is None or user.is_master:
            return None
    elif request.headers.get("Authorization"):
        raise StatusError(401, "Unauthorized", "Unauthorized")
    else:
        user = NOBODY
    path = "/" + request.path.strip("/")
    target = parse_path(path)
    if target is None and _may_ask(user, request.method, path):
        return None
    raise _forbidden(request, user, target, path)


def encryption(request: web.BaseRequest) -> Any:
    """Return the SSLObject under a request; None without TLS, and once the client has left."""
    transport = request.transport
    return transport.get_extra_info("ssl_object") if transport is not None else None


def impersonated(request: web.BaseRequest) -> User | None:
    """Return whom `kubectl --as` names (apiserver/pkg/endpoints/filters/impersonation)."""
    name = request.headers.get("Impersonate-User")
    if not name:
        return None
    groups = request.headers.getall("Impersonate-Group", [])
    kind, _, rest = name.rpartition(":")[0].rpartition(":")
    if kind == ACCOUNTS and not groups:
        groups = [f"{ACCOUNTS}s", f"{ACCOUNTS}s:{rest}"]
    if not {AUTHENTICATED, UNAUTHENTICATED} & {*groups}:
        groups.append(UNAUTHENTICATED if name == ANONYMOUS else AUTHENTICATED)
    return User(name, tuple(groups))


def _may_ask(user: User, method: str, path: str) -> bool:
    """Whether anybody may ask for what is no object."""
    known = AUTHENTICATED in user.groups
    if method == "POST":
        return known and path.rpartition("/")[2] in OWN_REVIEWS
    reads = method in ("GET", "HEAD")
    return reads and (path in PUBLIC or (known and path.split("/")[1] in DISCOVERY))


def _forbidden(
    request: web.BaseRequest, user: User, target: RequestTarget | None, path: str
) -> StatusError:
    if target is None:
        verb = request.method.lower()
        message = f'forbidden: User "{user.name}" cannot {verb} path "{path}"'
        return StatusError(403, "Forbidden", message, {})
    resource = target.resource
    named = f' "{target.name}"' if target.name else ""
    scope = f'in the namespace "{target.namespace}"' if target.namespace else "at the cluster scope"
    below = f"/{target.subresource}" if target.subresource else ""
    message = (
        f'{resource.qualified}{named} is forbidden: User "{user.name}" cannot '
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
