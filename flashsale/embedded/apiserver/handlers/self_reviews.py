"""Reviews of oneself: `kubectl auth can-i` and `kubectl auth whoami`.

A client with a certificate may do everything here, whom it impersonates next to nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from aiohttp import web

from flashsale.embedded.apiserver import authentication
from flashsale.embedded.apiserver.handlers import request_body, responses
from flashsale.embedded.types import api_errors
from flashsale.embedded.types.api_errors import FieldError
from flashsale.objects.models import Object, rfc3339

ATTRIBUTES = ("resourceAttributes", "nonResourceAttributes")
CREDENTIAL = "authentication.kubernetes.io/credential-id"


async def answer_review(request: web.BaseRequest, now: float) -> web.Response | None:
    """Answer a review; None for any other path.

    Raises:
        StatusError: 400, 405, 406, 422.
    """
    path = request.path.rstrip("/")
    if path not in REVIEWS:
        return None
    if request.method != "POST":
        raise api_errors.method_not_allowed()
    form = responses.wanted(request)
    kind, answer = REVIEWS[path]
    body = await request_body.read_body(request)
    if request_body.media_type(request) == responses.PROTOBUF:
        sent: Object = {}  # clients that send one ask who they are
    else:
        sent = request_body.decode_body(request, body, kind).content
        if answer is _access:
            _check_attributes(sent.get("spec") or {})
    head = {"kind": kind, "apiVersion": path.removeprefix("/apis/").rpartition("/")[0]}
    return responses.answer(form, head | answer(request, sent, now), 201)


def _access(request: web.BaseRequest, sent: Object, now: float) -> Object:
    return {
        "metadata": {},
        "spec": sent.get("spec") or {},
        "status": {"allowed": _may_all(request)},
    }


def _may_all(request: web.BaseRequest) -> bool:
    user = authentication.impersonated(request)
    return user is None or user.is_master


def _check_attributes(spec: Object) -> None:
    if sum(name in spec for name in ATTRIBUTES) == 1:
        return
    why = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
    error = FieldError.invalid("spec.resourceAttributes", spec.get(ATTRIBUTES[0]), why)
    raise api_errors.invalid_object("", "authorization.k8s.io", "", [error])


def _rules(request: web.BaseRequest, sent: Object, now: float) -> Object:
    resources = [_own_reviews("authorization"), _own_reviews("authentication")]
    below = [url for name in authentication.DISCOVERY for url in (f"/{name}", f"/{name}/*")]
    public = [*authentication.PUBLIC, "/version/"]
    urls = [{"verbs": ["get"], "nonResourceURLs": some} for some in (below + public, public)]
    if _may_all(request):
        resources.insert(0, {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]})
        urls.insert(0, {"verbs": ["*"], "nonResourceURLs": ["*"]})
    rules = {"resourceRules": resources, "nonResourceRules": urls, "incomplete": False}
    return {"metadata": {}, "spec": {}, "status": rules}


def _own_reviews(area: str) -> Object:
    group = f"{area}.k8s.io"
    plurals = [path.rpartition("/")[2] for path in REVIEWS if f"/{group}/" in path]
    return {"verbs": ["create"], "apiGroups": [group], "resources": plurals}


def _identity(request: web.BaseRequest, sent: Object, now: float) -> Object:
    """Return who is impersonated, or the user and the groups of the client's certificate."""
    user = authentication.impersonated(request)
    shown: Object = {"username": user.name, "groups": list(user.groups)} if user else {}
    status = {"userInfo": shown or _certified_user(request)}
    return {"metadata": {"creationTimestamp": rfc3339(now)}, "status": status}


def _certified_user(request: web.BaseRequest) -> Object:
    encrypted = authentication.encryption(request)
    certificate = encrypted.getpeercert() if encrypted else {}
    identity: dict[str, list[str]] = {}
    for name, value in (pair for part in certificate.get("subject", ()) for pair in part):
        identity.setdefault(name, []).append(value)
    user: Object = {
        "username": "".join(identity.get("commonName", [])),
        "groups": [*identity.get("organizationName", []), authentication.AUTHENTICATED],
    }
    if encrypted:
        digest = hashlib.sha256(encrypted.getpeercert(binary_form=True)).hexdigest()
        user["extra"] = {CREDENTIAL: [f"X509SHA256={digest}"]}
    return user


AUTHORIZATION = "/apis/authorization.k8s.io/v1"
AUTHENTICATION = "/apis/authentication.k8s.io/v1"
REVIEWS: dict[str, tuple[str, Callable[[web.BaseRequest, Object, float], Object]]] = {
    f"{AUTHORIZATION}/selfsubjectaccessreviews": ("SelfSubjectAccessReview", _access),
    f"{AUTHORIZATION}/selfsubjectrulesreviews": ("SelfSubjectRulesReview", _rules),
    f"{AUTHENTICATION}/selfsubjectreviews": ("SelfSubjectReview", _identity),
}
