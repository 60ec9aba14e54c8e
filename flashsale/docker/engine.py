"""The connection to a Docker engine, and what the sale asks of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from flashsale.base.aio import finish
from flashsale.docker.engine_errors import explained

LOG = logging.getLogger(__name__)

T = TypeVar("T")
Emit = Callable[[str], None]

CONNECT_TIMEOUT = 20  # seconds for one answer of the engine, and to find it at all
DISK_TRIES, DISK_PAUSE = 20, 0.25  # to be told of its disk; seconds between them
QUIET_TIMEOUT = 900  # seconds a build may be silent: one step may download a lot


@dataclass(frozen=True, slots=True)
class Found:
    """An image that the engine has."""

    id: str
    labels: Mapping[str, str]
    digests: tuple[str, ...] = ()  # NAME@sha256:..., one for each repository it was pushed to


@dataclass(slots=True)
class Engine:
    """One open connection; its methods block, so :meth:`work` runs them in a thread."""

    client: Any
    host: str
    _streaming: list[Any] = field(default_factory=list)  # responses still being read

    def __post_init__(self) -> None:
        self.client.api.hooks["response"].append(self._remember)

    def find(self, name: str) -> Found | None:
        """Look an image up by name; None if the engine does not have it."""
        from docker.errors import ImageNotFound

        try:
            attrs = self.client.api.inspect_image(name)
        except ImageNotFound:
            return None
        labels = (attrs.get("Config") or {}).get("Labels") or {}
        return Found(attrs["Id"], labels, tuple(attrs.get("RepoDigests") or ()))

    def build(
        self, archive: bytes, name: str, arguments: Mapping[str, str], labels: Mapping[str, str]
    ) -> Iterable[dict[str, Any]]:
        """Build from a tar archive; gives the engine's own JSON messages as they come."""
        import io

        messages: Iterable[dict[str, Any]] = self.client.api.build(
            fileobj=io.BytesIO(archive),
            custom_context=True,
            tag=name,
            rm=True,
            forcerm=True,
            buildargs=dict(arguments),
            labels=dict(labels),
            decode=True,
            timeout=QUIET_TIMEOUT,
        )
        return messages

    def tag(self, name: str, repository: str, tag: str) -> None:
        self.client.api.tag(name, repository, tag, force=True)

    def push(self, repository: str, tag: str) -> Iterable[dict[str, Any]]:
        """Push with the credentials of Docker's config; gives the engine's JSON messages."""
        messages: Iterable[dict[str, Any]] = self.client.api.push(
            repository, tag=tag, stream=True, decode=True
        )
        return messages

    def remove_labelled(self, label: str) -> tuple[int, int]:
        """Remove all images with a label but those that containers run from.

        Returns:
            How many went, and the bytes that this freed; 0 where the engine does not tell.
        """
        from docker.errors import APIError

        api, removed = self.client.api, 0
        before = self._layers_size()
        for image in api.images(filters={"label": label}):
            with contextlib.suppress(APIError):  # it runs
                api.remove_image(image["Id"], force=True)
                removed += 1
        after = self._layers_size() if removed else before
        return removed, max(0, before - after) if before and after else 0

    def _layers_size(self) -> int:
        """Return the bytes of all layers; 0 if the engine has not told in time.

        Engines before 23 answer one at a time, and refuse others with 500 meanwhile.
        """
        from docker.errors import APIError

        for _ in range(DISK_TRIES):
            try:
                return int(self.client.api.df()["LayersSize"])
            except APIError as error:
                LOG.debug("no disk usage: %s", error)
                time.sleep(DISK_PAUSE)
        return 0

    def count_labelled(self, label: str) -> int:
        return len(self.client.api.images(filters={"label": label}))

    def kill(self, container: str) -> None:
        """Send SIGKILL to the main process of a container."""
        self.client.api.kill(container, "SIGKILL")

    def info(self) -> dict[str, Any]:
        return dict(self.client.api.info())

    async def work(self, job: Callable[[Emit], T], emit: Emit) -> T:
        """Run a blocking job in a thread; its lines reach `emit` on the event loop.

        When the task is cancelled, the streams that the job reads are cut: the engine then stops
        what it was building, and the thread ends before this returns.
        """
        loop = asyncio.get_running_loop()

        def tell(line: str) -> None:
            loop.call_soon_threadsafe(emit, line)

        def run() -> T:
            with explained(self.host):
                return job(tell)

        try:
            return await finish(asyncio.to_thread(run), self._cut)
        finally:
            for response in self._streaming:
                response.close()  # one whose job failed was not read to its end

    def _remember(self, response: Any, *_: object, **__: object) -> None:
        self._streaming = [response]  # a job reads one after the other

    def _cut(self) -> None:
        from docker.errors import DockerException
        from docker.types import CancellableStream

        for response in self._streaming:
            with contextlib.suppress(OSError, AttributeError, DockerException):
                CancellableStream(None, response).close()


@asynccontextmanager
async def connected(
    environment: Mapping[str, str] | None = None, *, timeout: float = CONNECT_TIMEOUT
) -> AsyncGenerator[Engine]:
    """Connect to the engine that an environment names; without one, to this user's own.

    Args:
        environment: DOCKER_HOST, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH; None stands for this
            process's environment and Docker's current context.
        timeout: seconds for each of its answers.

    Raises:
        EngineError: it cannot be used; `trouble` says why.
    """
    engine = await asyncio.to_thread(_connect, environment, timeout)
    try:
        yield engine
    finally:
        engine.client.close()


def _connect(environment: Mapping[str, str] | None, timeout: float) -> Engine:
    import docker
    from docker.constants import MINIMUM_DOCKER_API_VERSION

    given = dict(os.environ if environment is None else environment)
    place = given.get("DOCKER_HOST", "") or "this machine"
    with explained(place, Path(given.get("DOCKER_CERT_PATH") or Path.home() / ".docker")):
        where = _whereabouts(given)
        _knock(where.get("base_url", docker.constants.DEFAULT_UNIX_SOCKET))
        # What `version="auto"` does, except that the very first request is ours already: requests
        # would ask the environment's proxy for a node of this machine, and would check the engine's
        # certificate against REQUESTS_CA_BUNDLE instead of the engine's own CA.
        asking = docker.APIClient(**where, version=MINIMUM_DOCKER_API_VERSION, timeout=timeout)
        asking.trust_env = False
        with contextlib.closing(asking):
            version = asking.version(api_version=False)["ApiVersion"]
        client = docker.DockerClient(**where, version=version, timeout=timeout)
        client.api.trust_env = False
    LOG.info("Docker on %s speaks API version %s", place, version)
    return Engine(client, place)


def _whereabouts(given: Mapping[str, str]) -> dict[str, Any]:
    """Read address and TLS from DOCKER_HOST and its like, else from Docker's current context."""
    from docker.context import ContextAPI
    from docker.utils import kwargs_from_env

    where: dict[str, Any] = kwargs_from_env(given)
    if "base_url" not in where:
        where |= ContextAPI.kwargs_from_context(environment=given)
    return where


def _knock(address: str) -> None:
    """Try a Unix socket ourselves, for the SDK leaves its own open; OSError if nobody answers."""
    _, is_socket, path = address.partition("unix://")
    if is_socket:
        with socket.socket(socket.AF_UNIX) as knocking:
            knocking.connect(path if path.startswith("/") else f"/{path}")
