"""What can go wrong at the API server, as errors people can act on."""

from __future__ import annotations

import errno
import json
import os
import re
from typing import Any, ClassVar

from flashsale.base.errors import BadInputError, ClusterUnreachableError, FlashsaleError, Hint
from flashsale.kube.kubeconfig import kubectl


class ApiError(FlashsaleError):
    """The API server answered, and said no. The message is its own."""

    status: ClassVar[int] = 0


class NoAnswerError(ClusterUnreachableError):
    """No answer came from where the kubeconfig says that the API server is."""


class UnauthorizedError(ClusterUnreachableError):
    """The credentials do not count here, or not any more."""


class ForbiddenError(ApiError):
    """The credentials count, but not for this."""

    status = 403


class NotFoundError(ApiError):
    """There is no such object."""

    status = 404


class ConflictError(ApiError):
    """The object exists already, or was changed by somebody else in between."""

    status = 409


class GoneError(ApiError):
    """The resourceVersion to watch from is too old: list again."""

    status = 410


class InvalidError(BadInputError):
    """The API server refuses an object; ``words`` are its own."""

    def __init__(self, words: str) -> None:
        super().__init__(f"The cluster refuses this: {words}", hint="flashsale manifest")
        self.words = words


REFUSALS = (ApiError, InvalidError)  # the server answered, and said no
ANSWERS: dict[int, type[ApiError]] = {
    error.status: error for error in (NotFoundError, ConflictError, GoneError)
}


def failure(status: int, body: str | bytes, context: str) -> FlashsaleError:
    """Turn an error response into an error; the server's own words stay in it."""
    words = server_message(body) or f"HTTP status {status}"
    if status in ANSWERS:
        return ANSWERS[status](words, hint="flashsale status")
    if status in (400, 422):
        return InvalidError(words)
    if status == 401:
        return UnauthorizedError(
            f"The cluster '{context}' does not accept our credentials: {words}.",
            hint=kubectl(context, "config view --minify"),
        )
    if status == 403:
        return ForbiddenError(
            f"Not allowed on the cluster '{context}': {words}", hint="kubectl auth can-i --list"
        )
    if status >= 500:
        words, hint = advised(words)
        return ApiError(
            f"The cluster '{context}' failed: {words}", hint=hint or Hint(words="try once more")
        )
    return ApiError(f"The cluster '{context}' answered {status}: {words}", hint="flashsale doctor")


def advised(words: str) -> tuple[str, str]:
    """Part what happened from the advice that the embedded cluster puts in brackets behind it."""
    match = re.fullmatch(r"(.+?) \((df -h .+?)  # ([^#]+)\)", words)
    return (match[1], Hint(match[2], match[3])) if match else (words, "")


def server_message(body: str | bytes) -> str:
    """Find the message in a Status object; other texts count in their first line."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else body
    try:
        status: Any = json.loads(text)
    except ValueError:
        return text.strip().partition("\n")[0][:300]
    return str(status.get("message") or "") if isinstance(status, dict) else ""


def unreachable(context: str, host: str, error: BaseException, hint: str) -> NoAnswerError:
    """Say in one sentence why no answer came."""
    return NoAnswerError(f"The cluster '{context}' {_how(error, host)}.", hint=hint)


def _how(error: BaseException, host: str) -> str:
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EACCES):
        return f"cannot be reached at {host}: {os.strerror(number)}"
    text = f"{type(error).__name__} {error}"
    for sign, sentence in (
        ("Connection refused", f"is stopped: {host} refuses connections"),
        ("Connect call failed", f"is stopped: {host} refuses connections"),  # asyncio's words
        ("Errno 61", f"is stopped: {host} refuses connections"),  # macOS
        ("Name or service", f"cannot be found: {host} has no address"),
        ("nodename nor", f"cannot be found: {host} has no address"),
        ("CERTIFICATE_VERIFY", f"shows a certificate that its kubeconfig does not trust ({host})"),
        ("certificate", f"does not accept our certificate, or shows a wrong one ({host})"),
        ("Payload", f"broke off its answer ({host})"),
        ("Disconnected", f"ended the connection without an answer ({host})"),
        ("Connection reset", f"ended the connection without an answer ({host})"),
        ("SSL", f"does not speak TLS as expected ({host})"),
        ("Tunnel connection failed", f"is hidden by a proxy that refuses {host}; see NO_PROXY"),
        ("imed out", f"does not answer: {host} was silent for too long"),
        ("imeout", f"does not answer: {host} was silent for too long"),
    ):
        if sign in text:
            return sentence
    return f"cannot be reached at {host} ({type(error).__name__})"
