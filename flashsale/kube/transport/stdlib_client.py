"""Requests without the official client, for contexts that need none of its skills.

Importing the official client costs 0.2 s, more than everything else in `flashsale scale` together,
and kubectl is back in 0.05 s. A context on loopback whose user shows a certificate or a fixed token
(the embedded cluster's, minikube's with Docker, kind's) needs TLS and HTTP, no more.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from flashsale.base.addresses import is_loopback
from flashsale.kube import kubeconfig as contexts
from flashsale.kube.transport.transport import (
    PROGRAM,
    UNARY,
    LostError,
    Params,
    checked_as_kubectl_does,
    query_word,
)

if TYPE_CHECKING:
    import ssl

    from flashsale.objects.models import Object

CLUSTER_KEYS = {"server", "certificate-authority", "certificate-authority-data", "extensions"}
CERTIFICATE = ("client-certificate", "client-key")
USER_KEYS = {"token", *CERTIFICATE, *(f"{key}-data" for key in CERTIFICATE)}


class StdlibTransport:
    """One context, by the standard library."""

    proxy = None
    server_name = None

    def __init__(self, host: str, context: ssl.SSLContext, token: str) -> None:
        self.host = host
        self._context = context
        self._token = token

    def headers(self) -> dict[str, str]:
        """Write the token, if there is one."""
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def tls(self) -> ssl.SSLContext:
        """Return the TLS context that requests use, too."""
        return self._context

    def call(
        self, method: str, path: str, query: Params, body: Any, content_type: str
    ) -> tuple[int, bytes]:
        """Send one request on a connection of its own: a reused one may be dead already."""
        headers = {"Accept": "application/json, */*", "User-Agent": PROGRAM, **self.headers()}
        sent = None
        if body is not None:
            headers["Content-Type"] = content_type
            sent = json.dumps(body).encode()
        if query:
            path += "?" + urlencode({key: query_word(value) for key, value in query.items()})
        place = urlsplit(self.host)
        connect, answer = UNARY
        connection = HTTPSConnection(
            place.hostname or "", place.port, context=self._context, timeout=connect
        )
        try:
            connection.connect()
            connection.sock.settimeout(answer)
            connection.request(method, path, sent, headers)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, HTTPException) as error:
            raise LostError from error
        finally:
            connection.close()

    def close(self) -> None:
        """Nothing stays open between requests."""


def stdlib_transport(kubeconfig: Path | None, context: str) -> StdlibTransport | None:
    """Return a transport for a context, or None if it takes the official client to speak to it."""
    found = [(file, doc) for file, doc in contexts.documents(kubeconfig) if doc]
    if len(found) != 1:
        return None
    file, document = found[0]
    chosen = _named(document, "contexts", context).get("context") or {}
    cluster = _named(document, "clusters", chosen.get("cluster")).get("cluster") or {}
    user = _named(document, "users", chosen.get("user")).get("user") or {}
    server = urlsplit(str(cluster.get("server", "")))
    token = str(user.get("token", ""))
    if not token.isprintable():
        return None
    if server.scheme != "https" or not is_loopback(server.hostname or "") or server.path.strip("/"):
        return None
    if not cluster.keys() <= CLUSTER_KEYS or not user.keys() <= USER_KEYS:
        return None
    try:
        server.port  # noqa: B018 - raises for one that is none
        return StdlibTransport(str(cluster["server"]), _tls(file, cluster, user), token)
    except (OSError, ValueError, TypeError):
        return None  # the official client has better words for what is wrong


def _named(document: Object, kind: str, name: object) -> Object:
    for entry in document.get(kind) or []:
        if isinstance(entry, dict) and entry.get("name") == name:
            return entry
    return {}


def _tls(file: Path, cluster: Object, user: Object) -> ssl.SSLContext:
    import ssl

    authority = _read(file, cluster, "certificate-authority")
    if not authority:
        raise ValueError("no certificate authority")
    context = checked_as_kubectl_does(ssl.create_default_context(cadata=authority.decode("ascii")))
    certificate, key = (_read(file, user, name) for name in CERTIFICATE)
    if certificate:
        _load_certificate(context, certificate + b"\n" + key)
    return context


def _load_certificate(context: ssl.SSLContext, pem: bytes) -> None:
    """Load a certificate with its key from memory; OpenSSL's face in Python reads only files."""
    import tempfile

    with tempfile.NamedTemporaryFile(prefix="flashsale-") as secret:  # 0600, gone at once
        secret.write(pem)
        secret.flush()
        context.load_cert_chain(secret.name)


def _read(file: Path, entry: Object, name: str) -> bytes:
    """Return what is given inline as base64, or as a path relative to the kubeconfig."""
    inline = entry.get(f"{name}-data")
    if inline:
        try:
            return base64.b64decode(inline, validate=True)
        except binascii.Error as error:
            raise ValueError(f"{name}-data is no base64") from error
    path = entry.get(name)
    return Path(os.path.join(file.parent, path)).read_bytes() if path else b""
