"""The connection to a Docker engine, and why there is none: the one module that imports `docker`.

Errors of the SDK wrap errors of requests, which wrap errors of urllib3 and ssl. :func:`_explained`
reads that chain once, so that callers can decide by a word.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from flashsale.errors import ClusterUnreachableError, FlashsaleError
from flashsale.image.certificates import expired

T = TypeVar("T")
Emit = Callable[[str], None]

CONNECT_TIMEOUT = 20  # seconds for one answer of the engine, and to find it at all
QUIET_TIMEOUT = 900  # seconds a build may be silent: one step may download a lot
HOSTNAME_MISMATCH, IP_MISMATCH, EXPIRED = 62, 64, 10  # X509_V_ERR_* of OpenSSL


class Trouble(StrEnum):
    """Why an engine cannot be used."""

    ABSENT = "absent"  # nothing listens there
    DENIED = "denied"  # the socket is not ours to open
    NO_CERTIFICATES = "no-certificates"  # the folder with ca.pem, cert.pem, key.pem is incomplete
    EXPIRED = "expired"  # a certificate's time is over
    STALE = "stale"  # the certificate names another address
    UNTRUSTED = "untrusted"  # TLS fails in another way
    TIMEOUT = "timeout"  # no answer in time
    TOO_OLD = "too-old"  # engine and SDK have no API version in common


class EngineError(ClusterUnreachableError):
    """A Docker engine cannot be used."""

    def __init__(self, trouble: Trouble, host: str, cause: str) -> None:
        sentence, hint = ADVICE[trouble]
        super().__init__(sentence.format(host=host), hint=hint, details=cause)
        self.trouble = trouble


ADVICE = {
    Trouble.ABSENT: ("Docker is not running on {host}.", "start Docker, then try again"),
    Trouble.DENIED: (
        "This user may not use Docker on {host}.",
        "sudo usermod -aG docker $USER, then log in anew",
    ),
    Trouble.NO_CERTIFICATES: (
        "Certificates for Docker on {host} are missing.",
        "ls $DOCKER_CERT_PATH",
    ),
    Trouble.EXPIRED: ("A certificate for Docker on {host} has expired.", "renew it"),
    Trouble.STALE: ("The certificate of Docker on {host} names another address.", "renew it"),
    Trouble.UNTRUSTED: ("Docker on {host} and this machine do not trust each other.", "renew it"),
    Trouble.TIMEOUT: (
        "Cannot reach Docker on {host} (VPN or proxy?).",
        "add the host to NO_PROXY, or leave the VPN",
    ),
    Trouble.TOO_OLD: (
        "Docker on {host} and the Docker SDK have no API version in common.",
        "pip install --upgrade docker, and unset DOCKER_API_VERSION",
    ),
}


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
        """Give an image one more name."""
        self.client.api.tag(name, repository, tag, force=True)

    def push(self, repository: str, tag: str) -> Iterable[dict[str, Any]]:
        """Push with the credentials of Docker's config; gives the engine's JSON messages."""
        messages: Iterable[dict[str, Any]] = self.client.api.push(
            repository, tag=tag, stream=True, decode=True
        )
        return messages

    def info(self) -> dict[str, Any]:
        """Return what `docker info` knows."""
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
            with _explained(self.host):
                return job(tell)

        task = asyncio.ensure_future(asyncio.to_thread(run))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self._cut()
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()  # the cut stream's error is of no interest to anyone
            raise
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
    told = given.get("DOCKER_HOST", "") or "this machine"
    with _explained(told, Path(given.get("DOCKER_CERT_PATH") or Path.home() / ".docker")):
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
    return Engine(client, told)


def _whereabouts(given: Mapping[str, str]) -> dict[str, Any]:
    """Read address and TLS from DOCKER_HOST and its like, else from Docker's current context."""
    from docker.context import ContextAPI
    from docker.utils import kwargs_from_env

    where: dict[str, Any] = kwargs_from_env(given)
    if "base_url" not in where:
        where |= ContextAPI.kwargs_from_context(environment=given)
    return where


def _knock(address: str) -> None:
    """Try a Unix socket ourselves: the SDK leaves its own open when nobody is behind it.

    Raises:
        OSError: nobody answers, or this user may not ask.
    """
    _, found, path = address.partition("unix://")
    if found:
        with socket.socket(socket.AF_UNIX) as knocking:
            knocking.connect(path if path.startswith("/") else f"/{path}")


@contextlib.contextmanager
def _explained(host: str, certificates: Path | None = None) -> Iterator[None]:
    """Turn what the SDK raises for an unusable engine into an :class:`EngineError`.

    Args:
        certificates: a folder whose files may be why nobody answers.
    """
    import requests
    from docker.errors import DockerException

    try:
        yield
    except (DockerException, requests.RequestException, OSError) as error:
        trouble = diagnosis(list(_chain(error)))
        if trouble is None:
            raise FlashsaleError(f"Docker on {host} answered: {error}") from error
        if host.startswith("tcp://") and certificates and expired(certificates):
            trouble = Trouble.EXPIRED
        raise EngineError(trouble, host, str(error)) from error


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Walk from an error to what caused it, through the arguments that libraries wrap it in."""
    seen: set[int] = set()
    todo: list[BaseException] = [error] if error else []
    while todo:
        one = todo.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
        todo += [part for part in inner if isinstance(part, BaseException)]


def diagnosis(chain: list[BaseException]) -> Trouble | None:
    """Say what a chain of errors means for the engine; None if it is about something else."""
    import docker.errors as sdk
    import requests
    from docker.credentials.errors import StoreError

    for kind, trouble in (
        (sdk.APIError, None),  # it answered, whatever it said
        (StoreError, None),  # a credential helper of this machine failed
        (sdk.TLSParameterError, Trouble.NO_CERTIFICATES),
        (requests.exceptions.Timeout, Trouble.TIMEOUT),
    ):
        if any(isinstance(error, kind) for error in chain):
            return trouble
    for error in chain:
        if isinstance(error, ssl.SSLError):
            return _tls_trouble(error)
        if isinstance(error, PermissionError):
            return Trouble.DENIED
        if isinstance(error, sdk.InvalidVersion):
            return Trouble.TOO_OLD
    for error in chain:
        if isinstance(error, TimeoutError):
            return Trouble.TIMEOUT
        if isinstance(error, OSError) and error.errno is not None:
            return Trouble.ABSENT
    return Trouble.ABSENT  # the connection broke, or something else answered there


def _tls_trouble(error: ssl.SSLError) -> Trouble:
    code = getattr(error, "verify_code", 0)
    if code in (HOSTNAME_MISMATCH, IP_MISMATCH):
        return Trouble.STALE
    # The engine's own verdict on our certificate arrives as a TLS alert.
    expired = code == EXPIRED or "CERTIFICATE_EXPIRED" in (error.reason or "")
    return Trouble.EXPIRED if expired else Trouble.UNTRUSTED
