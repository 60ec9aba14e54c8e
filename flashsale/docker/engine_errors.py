"""Why a Docker engine cannot be used, in one word that callers can decide by.

Errors of the SDK wrap errors of requests, which wrap errors of urllib3 and ssl; that chain is read
here once.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

from flashsale.base.errors import ClusterUnreachableError, FlashsaleError, Hint

HOSTNAME_MISMATCH, IP_MISMATCH, EXPIRED = 62, 64, 10  # X509_V_ERR_* of OpenSSL


class EngineProblem(Enum):
    """Why an engine cannot be used: the sentence about it, and what to do."""

    ABSENT = "Docker is not running on {host}.", Hint(words="start Docker, then try again")
    DENIED = (  # the socket is not ours to open; its group has the rights of root
        "This user may not use Docker on {host}.",
        Hint(words="ask who runs this machine for access to Docker"),
    )
    NO_CERTIFICATES = "Certificates for Docker on {host} are missing.", "ls $DOCKER_CERT_PATH"
    EXPIRED = "A certificate for Docker on {host} has expired.", Hint(words="renew it")
    STALE = "The certificate of Docker on {host} names another address.", Hint(words="renew it")
    UNTRUSTED = (  # TLS fails in another way
        "Docker on {host} and this machine do not trust each other.",
        Hint(words="renew it"),
    )
    TIMEOUT = (
        "Cannot reach Docker on {host} (VPN or proxy?).",
        Hint(words="add the host to NO_PROXY, or leave the VPN"),
    )
    TOO_OLD = (
        "Docker on {host} and the Docker SDK have no API version in common.",
        Hint("pip install --upgrade docker", "and unset DOCKER_API_VERSION"),
    )


class EngineError(ClusterUnreachableError):
    """A Docker engine cannot be used."""

    def __init__(self, trouble: EngineProblem, host: str, cause: str) -> None:
        sentence, hint = trouble.value
        super().__init__(sentence.format(host=host), hint=hint, details=cause)
        self.trouble = trouble


@contextlib.contextmanager
def explained(host: str, certificates: Path | None = None) -> Iterator[None]:
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
        if host.startswith("tcp://") and certificates and expired_certificates(certificates):
            trouble = EngineProblem.EXPIRED
        raise EngineError(trouble, host, str(error)) from error


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Walk from an error to what caused it, through the arguments that libraries wrap it in."""
    seen: set[int] = set()
    todo: list[BaseException] = [error] if error else []
    while todo:
        link = todo.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        inner = [link.__cause__, link.__context__, getattr(link, "reason", None), *link.args]
        todo += [part for part in inner if isinstance(part, BaseException)]


def diagnosis(chain: list[BaseException]) -> EngineProblem | None:
    """Say what a chain of errors means for the engine; None if it is about something else."""
    import docker.errors as sdk
    import requests
    from docker.credentials.errors import StoreError

    for kind, trouble in (
        (sdk.APIError, None),  # it answered, whatever it said
        (StoreError, None),  # a credential helper of this machine failed
        (sdk.TLSParameterError, EngineProblem.NO_CERTIFICATES),
        (requests.exceptions.Timeout, EngineProblem.TIMEOUT),
    ):
        if any(isinstance(error, kind) for error in chain):
            return trouble
    for error in chain:
        if isinstance(error, ssl.SSLError):
            return _tls_trouble(error)
        if isinstance(error, PermissionError):
            return EngineProblem.DENIED
        if isinstance(error, sdk.InvalidVersion):
            return EngineProblem.TOO_OLD
    for error in chain:
        if isinstance(error, TimeoutError):
            return EngineProblem.TIMEOUT
        if isinstance(error, OSError) and error.errno is not None:
            return EngineProblem.ABSENT
    return EngineProblem.ABSENT  # the connection broke, or something else answered there


def _tls_trouble(error: ssl.SSLError) -> EngineProblem:
    code = getattr(error, "verify_code", 0)
    if code in (HOSTNAME_MISMATCH, IP_MISMATCH):
        return EngineProblem.STALE
    # The engine's own verdict on our certificate arrives as a TLS alert.
    expired = code == EXPIRED or "CERTIFICATE_EXPIRED" in (error.reason or "")
    return EngineProblem.EXPIRED if expired else EngineProblem.UNTRUSTED


def expired_certificates(folder: Path) -> dict[str, datetime]:
    """Give those of our own files whose time is over, and since when; unreadable ones pass.

    In TLS 1.3 a daemon finds fault with our certificate only after the handshake: often all that
    arrives here is a closed connection, so the reason has to be looked up.
    """
    from cryptography import x509

    expired = {}
    for name in ("ca.pem", "cert.pem"):
        try:
            certificate = x509.load_pem_x509_certificate((folder / name).read_bytes())
        except (OSError, ValueError):
            continue
        if certificate.not_valid_after_utc < datetime.now(UTC):
            expired[name] = certificate.not_valid_after_utc
    return expired
