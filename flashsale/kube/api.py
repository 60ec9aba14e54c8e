"""One connection to one cluster: plain JSON in, plain JSON out, errors with a sentence.

Single requests go through a blocking transport in a thread (the official client's plain
`ApiClient`, or less where less will do); streams through aiohttp with the same credentials. Neither
retries by itself: who asks decides.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from flashsale.base.aio import in_thread
from flashsale.base.errors import FlashsaleError
from flashsale.kube import paths
from flashsale.kube.kubeconfig import kubectl
from flashsale.kube.response_errors import ApiError, failure, unreachable
from flashsale.kube.transport import streams
from flashsale.kube.transport.stdlib_client import stdlib_transport
from flashsale.kube.transport.transport import UNARY, LostError, Params, Transport
from flashsale.objects.models import Object

LOG = logging.getLogger(__name__)

SILENCE = 70.0  # seconds without a byte after which a stream counts as dead; bookmarks come in 60
MERGE = "application/merge-patch+json"


class Api:
    """The requests that the sale needs. Paths come from :mod:`flashsale.kube.paths`.

    Every method raises :class:`ClusterUnreachableError` without an answer, and
    what :func:`flashsale.kube.response_errors.failure` makes of an answer that says no.
    """

    def __init__(self, transport: Transport, context: str, start_hint: str) -> None:
        self.context = context
        self._transport = transport
        self._start_hint = start_hint  # the command that brings a stopped cluster back
        self._session: streams.Session | None = None

    @property
    def host(self) -> str:
        """The API server's address, `https://127.0.0.1:6443` for example."""
        return self._transport.host

    async def get(self, path: str, query: Params | None = None) -> Object:
        """Fetch one object, or whatever else lives at a path."""
        return await self._json("GET", path, query)

    async def list(self, path: str, query: Params | None = None) -> list[Object]:
        """Fetch the items of a collection, `{"labelSelector": ...}` narrows it."""
        items: list[Object] = (await self.get(path, query)).get("items") or []
        return items

    async def list_to_watch(self, path: str, query: Params | None = None) -> Object:
        """Fetch a collection that is watched next, on the connection that its watch then has.

        One TLS handshake for both: that takes longer than either of them.
        """
        async with aclosing(self.lines(path, query, silence=UNARY[1])) as lines:
            raw = "\n".join([line async for line in lines])
        LOG.debug("GET %s answered, %s characters", path, len(raw))
        return self._decode(raw)

    async def create(self, path: str, body: Object, query: Params | None = None) -> Object:
        """Add an object to a collection."""
        return await self._json("POST", path, query, body)

    async def replace(self, path: str, body: Object, query: Params | None = None) -> Object:
        """Put a whole object in the place of the one that is there."""
        return await self._json("PUT", path, query, body)

    async def patch(
        self, path: str, body: Any, *, content_type: str = MERGE, query: Params | None = None
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

    async def text(self, path: str, query: Params | None = None) -> str:
        """Fetch something that is not JSON, such as a pod's log."""
        raw = await in_thread(partial(self._call, "GET", path, query, None, ""))
        return raw.decode(errors="replace")

    async def run_in(self, namespace: str, pod: str, command: Sequence[str]) -> None:
        """Run a command in a pod's first container; its output and exit code are not looked at.

        Raises:
            FlashsaleError: the container cannot run it.
        """
        from flashsale.kube.exec import execute

        pod_object = await self.get(paths.pods(namespace, pod))
        container = str(pod_object["spec"]["containers"][0]["name"])
        path = paths.pods(namespace, pod, "exec")
        await execute(self._streaming(), path, container, command)

    def lines(
        self, path: str, query: Params | None = None, *, silence: float | None = None
    ) -> AsyncGenerator[str, None]:
        """Follow a text, line by line, until the server ends it; wrap it in ``aclosing``.

        Args:
            silence: seconds without a byte after which it counts as unreachable; None: never.
        """
        return streams.lines(self._streaming(), path, query or {}, silence=silence)

    async def stream(
        self, path: str, query: Params | None = None, *, silence: float = SILENCE
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
        if self._session:
            await self._session.close()
        self._transport.close()

    def _streaming(self) -> streams.Session:
        if self._session is None:
            self._session = streams.Session(
                self._transport,
                refused=lambda status, body: failure(status, body, self.context),
                lost=self._lost,
            )
        return self._session

    async def _json(
        self, method: str, path: str, query: Params | None, body: Any = None, content_type: str = ""
    ) -> Object:
        return self._decode(
            await in_thread(partial(self._call, method, path, query, body, content_type))
        )

    def _decode(self, raw: bytes | str) -> Object:
        try:
            answer: Object = json.loads(raw)
        except ValueError as error:  # a proxy's login page, say
            raise ApiError(
                f"What answers at {self.host} is no Kubernetes API: it sends no JSON.",
                hint=kubectl(self.context, "config view --minify"),
            ) from error
        return answer

    def _call(
        self, method: str, path: str, query: Params | None, body: Any, content_type: str
    ) -> bytes:
        kind = content_type or "application/json"
        try:
            status, raw = self._transport.call(method, path, query or {}, body, kind)
        except LostError as error:
            LOG.info("%s %s got no answer from %s", method, path, self.host)
            raise self._lost(error.__cause__ or error) from error
        LOG.debug("%s %s answered %s, %s bytes", method, path, status, len(raw))
        if status >= 400:
            raise failure(status, raw, self.context)
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
    transport = await in_thread(partial(_transport, kubeconfig, context))
    api = Api(transport, context, start_hint)
    try:
        yield api
    finally:
        await api.close()


def _transport(kubeconfig: Path | None, context: str) -> Transport:
    transport = stdlib_transport(kubeconfig, context)
    if transport is not None:
        return transport
    from flashsale.kube.transport.official_client import ClientTransport

    return ClientTransport(kubeconfig, context)
