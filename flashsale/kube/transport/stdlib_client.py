"""Requests without the official client, for contexts that need none of its skills.

Importing the official client costs 0.2 s, more than everything else in `flashsale scale` together,
and kubectl is back in 0.05 s. A context on loopback whose user shows a certificate or a fixed token
(the embedded cluster's, minikube's with Docker, kind's) needs TLS and HTTP, no more.
"""

from __future__ import annotations

import json
import os
import selectors
import sys
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from flashsale.base.addresses import is_loopback
from flashsale.base.errors import ClusterUnreachableError
from flashsale.kube.credentials import ContextEntry, find_context
from flashsale.kube.transport.transport import (
    PROGRAM,
    UNARY,
    LostError,
    Params,
    checked_as_kubectl_does,
    query_word,
)
from flashsale.objects.fields import text

if TYPE_CHECKING:
    import socket
    import ssl

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
        self._idle: list[HTTPSConnection] = []
        self._closed = False

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def tls(self) -> ssl.SSLContext:
        """Return the TLS context that requests use, too."""
        return self._context

    def call(
        self, method: str, path: str, query: Params, body: Any, content_type: str
    ) -> tuple[int, bytes]:
        """Send one request, on a connection that is open already if one is free.

        A TLS handshake takes most of the time of a request. A reused connection may have died a
        moment ago without our knowing: what changes nothing is asked once more then.
        """
        headers = {"Accept": "application/json, */*", "User-Agent": PROGRAM, **self.headers()}
        sent = None
        if body is not None:
            headers["Content-Type"] = content_type
            sent = json.dumps(body).encode()
        if query:
            path += "?" + urlencode({key: query_word(value) for key, value in query.items()})
        used = self._take_idle()
        try:
            if used:
                try:
                    return self._exchange(used, method, path, sent, headers)
                except (ConnectionError, HTTPException):
                    if method != "GET":
                        raise
            return self._exchange(self._connect(), method, path, sent, headers)
        except (OSError, HTTPException) as error:
            raise LostError from error

    def _exchange(
        self,
        connection: HTTPSConnection,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
    ) -> tuple[int, bytes]:
        """Send a request and read the answer; a connection that is still good is kept."""
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            answer = response.status, response.read()
            if not response.will_close and not self._closed:
                self._idle.append(connection)
                return answer
        except BaseException:
            connection.close()
            raise
        connection.close()
        return answer

    def _connect(self) -> HTTPSConnection:
        place = urlsplit(self.host)
        connect, answer = UNARY
        connection = HTTPSConnection(
            place.hostname or "", place.port, context=self._context, timeout=connect
        )
        try:
            connection.connect()
        except BaseException:
            connection.close()
            raise
        connection.sock.settimeout(answer)
        return connection

    def _take_idle(self) -> HTTPSConnection | None:
        """Take a connection on which nothing has come since the last answer: not even its end."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            if not is_readable(connection.sock):
                return connection
            connection.close()

    def close(self) -> None:
        self._closed = True
        while self._idle:
            self._idle.pop().close()


def is_readable(connection: socket.socket) -> bool:
    """Whether something has come on a connection; select() would refuse high descriptors."""
    with selectors.DefaultSelector() as looking:
        looking.register(connection, selectors.EVENT_READ)
        return bool(looking.select(0))


def stdlib_transport(kubeconfig: Path | None, context: str) -> StdlibTransport | None:
    """Return a transport for a context, or None if it takes the official client to speak to it."""
    try:
        entry = find_context(kubeconfig, context)
        server = urlsplit(text(entry.cluster, "server"))
        server.port  # noqa: B018 - raises for one that is none
        token = str(entry.user.get("token") or "")
        known = entry.cluster.keys() <= CLUSTER_KEYS and entry.user.keys() <= USER_KEYS
        near = server.scheme == "https" and is_loopback(server.hostname or "")
        if not (known and near and token.isprintable()) or server.path.strip("/"):
            return None
        return StdlibTransport(server.geturl().rstrip("/"), _tls(entry), token)
    except (ClusterUnreachableError, OSError, ValueError, TypeError):
        return None  # the official client has better words for what is wrong


def _tls(entry: ContextEntry) -> ssl.SSLContext:
    import ssl

    if not (authority := entry.authority):
        raise ValueError("no certificate authority")
    context = checked_as_kubectl_does(ssl.create_default_context(cadata=authority.decode("ascii")))
    certificate, key = (entry.read_secret(name) or b"" for name in CERTIFICATE)
    if certificate:
        _load_certificate(context, certificate + b"\n" + key)
    return context


def _load_certificate(context: ssl.SSLContext, pem: bytes) -> None:
    """Load a certificate with its key; Python's `ssl` reads them from a file only.

    Linux has files in memory: with those a command that makes room works on a full disk too.
    """
    if sys.platform == "linux":
        with os.fdopen(os.memfd_create("flashsale"), "wb", buffering=0) as secret:
            secret.write(pem)
            context.load_cert_chain(f"/proc/self/fd/{secret.fileno()}")
        return
    import tempfile

    with tempfile.NamedTemporaryFile(prefix="flashsale-", buffering=0) as file:  # 0600
        file.write(pem)
        context.load_cert_chain(file.name)
