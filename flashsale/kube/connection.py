"""One connection to one cluster: plain JSON in, plain JSON out, errors with a sentence.

Single requests go through the official client's plain `ApiClient` in a thread; streams through
aiohttp with the same credentials. Neither retries by itself: who asks decides.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from flashsale.errors import ClusterUnreachableError, FlashsaleError
from flashsale.kube import streams
from flashsale.kube.failures import failure, unreachable
from flashsale.kube.threads import in_thread
from flashsale.model import Object

Query = Mapping[str, Any]  # query parameters; booleans become true and false
UNARY = (3.0, 30.0)  # seconds to connect, and to wait for an answer
SILENCE = 70.0  # seconds without a byte after which a stream counts as dead; bookmarks come in 60
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
LOOPBACK = ("127.", "localhost", "[::1]")
PRIVATE = ("10.", "192.168.", *(f"172.{n}." for n in range(16, 32)))


class Api:
    """The requests that the sale needs. Paths come from :mod:`flashsale.kube.paths`.

    Every method raises :class:`ClusterUnreachableError` without an answer, and
    what :func:`flashsale.kube.failures.failure` makes of an answer that says no.
    """

    def __init__(self, client: Any, context: str, start_hint: str) -> None:
        self.context = context
        self._client = client
        self._start_hint = start_hint  # the command that brings a stopped cluster back
        self._session: streams.Session | None = None

    @property
    def host(self) -> str:
        """The API server's address, `https://127.0.0.1:6443` for example."""
        return str(self._client.configuration.host)

    async def get(self, path: str, query: Query | None = None) -> Object:
        """Fetch one object, or whatever else lives at a path."""
        return await self._json("GET", path, query)

    async def list(self, path: str, query: Query | None = None) -> list[Object]:
        """Fetch the items of a collection, `{"labelSelector": ...}` narrows it."""
        items: list[Object] = (await self.get(path, query)).get("items") or []
        return items

    async def create(self, path: str, body: Object, query: Query | None = None) -> Object:
        """Add an object to a collection."""
        return await self._json("POST", path, query, body)

    async def replace(self, path: str, body: Object, query: Query | None = None) -> Object:
        """Put a whole object in the place of the one that is there."""
        return await self._json("PUT", path, query, body)

    async def patch(
        self, path: str, body: Any, *, content_type: str = MERGE, query: Query | None = None
    ) -> Object:
        """Change parts of an object; a JSON patch is a list, every other kind a mapping."""
        return await self._json("PATCH", path, query, body, content_type)

    async def delete(self, path: str, options: Object | None = None) -> Object:
        """Ask for an object's deletion; ``options`` are DeleteOptions, `gracePeriodSeconds` say."""
        return await self._json("DELETE", path, None, options)

    async def scale(self, path: str, replicas: int) -> Object:
        """Set the replicas through the scale subresource, and return the new Scale."""
        return await self.patch(f"{path}/scale", {"spec": {"replicas": replicas}})

    async def version(self) -> Object:
        """Ask for the server's version: `gitVersion`, `major`, `minor` and more."""
        return await self.get("/version")

    async def text(self, path: str, query: Query | None = None) -> str:
        """Fetch something that is not JSON, such as a pod's log."""
        raw = await in_thread(partial(self._call, "GET", path, query, None, ""))
        return raw.decode(errors="replace")

    async def run_in(self, namespace: str, pod: str, command: Sequence[str]) -> None:
        """Run a command in a pod's first container; its output and exit code are not looked at.

        This goes through the client's typed API, which takes a second to import.
        """
        from kubernetes.client import CoreV1Api
        from kubernetes.client.exceptions import ApiException
        from kubernetes.stream import stream

        def execute() -> None:
            core = CoreV1Api(self._client)
            try:
                stream(
                    core.connect_get_namespaced_pod_exec,
                    pod,
                    namespace,
                    command=[*command],
                    stdout=True,
                    stderr=True,
                    _request_timeout=UNARY[1],
                )
            except ApiException as error:
                body = error.body or str(error.reason)
                raise failure(error.status or 500, body, self.context) from error

        await in_thread(execute)

    def lines(
        self, path: str, query: Query | None = None, *, silence: float | None = None
    ) -> AsyncGenerator[str, None]:
        """Follow a text, line by line, until the server ends it; wrap it in ``aclosing``.

        Args:
            silence: seconds without a byte after which it counts as unreachable; None: never.
        """
        return streams.lines(self._streaming(), path, query or {}, silence=silence)

    async def stream(
        self, path: str, query: Query | None = None, *, silence: float = SILENCE
    ) -> AsyncGenerator[Object, None]:
        """Follow a watch: one object a line, until the server ends it; wrap it in ``aclosing``.

        Raises:
            GoneError: the resourceVersion is too old, said by the response's status. (A watch may
                say it in an ERROR event instead; those are passed on as they are.)
        """
        async with aclosing(self.lines(path, query, silence=silence)) as lines:
            async for line in lines:
                if line:
                    yield json.loads(line)

    async def close(self) -> None:
        """Close all connections."""
        if self._session:
            await self._session.close()
        self._client.close()
        self._client.rest_client.close()

    def _streaming(self) -> streams.Session:
        if self._session is None:
            self._session = streams.Session(
                self._client.configuration,
                headers=self._headers,
                refused=lambda status, body: failure(status, body, self.context),
                lost=self._lost,
            )
        return self._session

    def _headers(self) -> dict[str, str]:
        """Write the credentials that belong into headers; tokens may be refreshed on the way."""
        headers: dict[str, str] = {}
        self._client.update_params_for_auth(headers, [], ["BearerToken"], "", "", None)
        return headers

    async def _json(
        self, method: str, path: str, query: Query | None, body: Any = None, content_type: str = ""
    ) -> Object:
        raw = await in_thread(partial(self._call, method, path, query, body, content_type))
        answer: Object = json.loads(raw)
        return answer

    def _call(
        self, method: str, path: str, query: Query | None, body: Any, content_type: str
    ) -> bytes:
        import urllib3.exceptions
        from kubernetes.client.exceptions import ApiException

        headers = {"Accept": "application/json, */*"}
        if body is not None:
            headers["Content-Type"] = content_type or "application/json"
        request = self._client.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            response = self._client.call_api(*request, _request_timeout=UNARY)
            raw: bytes = response.read()
        except (urllib3.exceptions.HTTPError, ApiException, OSError) as error:
            raise self._lost(error) from error
        if response.status >= 400:
            raise failure(response.status, raw, self.context)
        return raw

    def _lost(self, error: BaseException) -> FlashsaleError:
        return unreachable(self.context, self.host, error, self._start_hint)


@asynccontextmanager
async def connect(
    kubeconfig: Path | None, context: str, *, start_hint: str = "flashsale doctor"
) -> AsyncIterator[Api]:
    """Connect to a context of a kubeconfig; nothing is sent until something is asked for.

    Args:
        kubeconfig: the file; None means kubectl's own search order.
        start_hint: the command that brings the cluster back, for the error that it is stopped.

    Raises:
        ClusterUnreachableError: the kubeconfig does not describe such a context.
    """
    client = await in_thread(partial(_client, kubeconfig, context))
    api = Api(client, context, start_hint)
    try:
        yield api
    finally:
        await api.close()


def _client(kubeconfig: Path | None, context: str) -> Any:
    from kubernetes.client import ApiClient, Configuration
    from kubernetes.config import ConfigException, load_kube_config

    # The official loader reads KUBECONFIG only once, when it is imported.
    files = str(kubeconfig or os.environ.get("KUBECONFIG") or Path.home() / ".kube" / "config")
    configuration = Configuration()
    try:
        load_kube_config(
            config_file=files,
            context=context,
            client_configuration=configuration,
            persist_config=False,
        )
    except (ConfigException, OSError, ValueError) as error:
        raise ClusterUnreachableError(
            f"The kubeconfig does not describe the context '{context}': {error}",
            hint="kubectl config get-contexts",
        ) from error
    configuration.retries = False  # urllib3 would try three times more, each with a warning
    if _beside_the_proxy(configuration.host, configuration.proxy):
        configuration.proxy = None
    return ApiClient(configuration)


def _beside_the_proxy(host: str, proxy: str | None) -> bool:
    """Whether to leave out a proxy: on loopback always, on private networks if it is ambient.

    An ambient proxy (HTTPS_PROXY) cannot reach minikube's private network; one that the kubeconfig
    names with `proxy-url` is meant.
    """
    from urllib.request import getproxies

    address = host.partition("://")[2]
    ambient = proxy is not None and proxy in getproxies().values()
    return address.startswith(LOOPBACK) or (ambient and address.startswith(PRIVATE))
