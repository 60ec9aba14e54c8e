"""The API server as the official client reaches it, spoken to in plain JSON or plain bytes."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import urllib3

if TYPE_CHECKING:  # a quarter of a second, which only those need who talk to a cluster
    from kubernetes.client import ApiClient

Object = dict[str, Any]
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
COLLECTIONS = {
    "pods": "/api/v1",
    "services": "/api/v1",
    "events": "/api/v1",
    "replicasets": "/apis/apps/v1",
    "endpointslices": "/apis/discovery.k8s.io/v1",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)

    @property
    def message(self) -> str:
        """The message of a Status."""
        return str(self.json["message"])


class Api:
    """Requests with the official client's credentials."""

    def __init__(self, client: ApiClient) -> None:
        self.client = client
        self._pool = client.rest_client.pool_manager

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        accept: str = "application/json",
        timeout: float = 30.0,
    ) -> Answer:
        """Send one request; bytes go as they are, everything else as JSON."""
        headers = self._headers(accept)
        if body is not None and content_type:
            headers["Content-Type"] = content_type
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        url = self.client.configuration.host + path
        response = self._pool.request(
            method, url, body=data, headers=headers, timeout=timeout, retries=False
        )
        return Answer(response.status, dict(response.headers), response.data)

    def get(self, path: str) -> Any:
        """Fetch an object that exists."""
        return self._done("GET", path)

    def create(self, path: str, thing: Object) -> Object:
        """Create an object."""
        created: Object = self._done("POST", path, thing)
        return created

    def patch(self, path: str, change: Any, content_type: str = MERGE) -> Object:
        """Patch an object."""
        patched: Object = self._done("PATCH", path, change, content_type)
        return patched

    def _done(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json"
    ) -> Any:
        answer = self.send(method, path, body, content_type=content_type if body else "")
        assert 200 <= answer.status < 300, f"{method} {path}: {answer.status} {answer.body!r}"
        return answer.json

    @contextlib.contextmanager
    def stream(self, path: str, *, accept: str = "application/json") -> Iterator[Stream]:
        """Open a watch or a followed log."""
        response = self._pool.request(
            "GET",
            self.client.configuration.host + path,
            headers=self._headers(accept),
            timeout=urllib3.Timeout(connect=5.0, read=None),
            preload_content=False,
            retries=False,
        )
        stream = Stream(response)
        try:
            yield stream
        finally:
            stream.stop()
            response.close()

    def _headers(self, accept: str) -> dict[str, str]:
        headers = {"Accept": accept}
        self.client.update_params_for_auth(headers, [], ["BearerToken"], "", "", None)
        return headers


class Stream:
    """Lines of an answer that has no end yet."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self.response = response
        self._stopped = threading.Event()

    def lines(self) -> Iterator[bytes]:
        """Yield whole lines until the server ends the answer, or :meth:`stop` is called."""
        rest = b""
        try:
            for chunk in self.response.stream(amt=None):
                if self._stopped.is_set():
                    return  # read after the shutdown: TLS records that nobody decrypts any more
                *whole, rest = (rest + chunk).split(b"\n")
                yield from whole
        except (urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError):
            if not self._stopped.is_set():  # a socket that is shut down under a reader says this
                raise

    def stop(self) -> None:
        """End it from any thread."""
        self._stopped.set()
        connection = self.response.connection
        sock = getattr(connection, "sock", None)
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def path_of(namespace: str, kind: str, name: str = "", subresource: str = "") -> str:
    """Return the path of a collection, an object or a subresource."""
    base = f"{COLLECTIONS[kind]}/namespaces/{namespace}/{kind}"
    return "/".join(part for part in (base, name, subresource) if part)
