"""What became of a purchase: the one place that decides between confirmed, rejected and lost.

A purchase is confirmed by a complete 200 answer whose JSON says ``"status": "success"``; any other
complete answer is a rejection, a redirect too, for nobody follows it; without a complete answer the
purchase is lost. What the generator itself could not send is none of the three.
"""

from __future__ import annotations

import errno
import json
import os
from typing import Any, Literal

from flashsale.load.worker.http1.http_response import BODY_LIMIT

LossClass = Literal["refused", "reset", "timeout", "other"]
Limit = Literal["ports", "files", "memory", "behind"]

LOSS_CLASSES: tuple[LossClass, ...] = ("refused", "reset", "timeout", "other")
WORD_LIMIT = 40  # characters of a body's status that a reason repeats
POD_NAME_LIMIT = 253  # characters, Kubernetes' own limit for names
UNNAMED = "(unnamed)"  # a confirmed purchase whose answer names no pod; no pod can be called that

_JSON = json.JSONDecoder()
_LOSSES: dict[int, LossClass] = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ECONNABORTED: "reset",
    errno.ETIMEDOUT: "timeout",
}
_LIMITS: dict[int, Limit] = {
    errno.EADDRNOTAVAIL: "ports",
    errno.EADDRINUSE: "ports",
    errno.EMFILE: "files",
    errno.ENFILE: "files",
    errno.ENOBUFS: "memory",
    errno.ENOMEM: "memory",
}


def loss_class(error: int) -> LossClass:
    """Say which class of loss an errno of a connection means."""
    return _LOSSES.get(error, "other")


def errno_words(error: int) -> str:
    """Say an errno that has no class of its own in the system's words: `no route to host`."""
    return os.strerror(error).lower() if error else "unknown failure of the connection"


def own_limit(error: int) -> Limit | None:
    """Say which limit of this machine an errno means; None when the errno is the server's doing."""
    return _LIMITS.get(error)


def judge_answer(
    status: int, body: bytes | bytearray, *, oversized: bool = False
) -> tuple[str, str]:
    """Say why a complete answer rejects the purchase, and which pod served it.

    Args:
        oversized: the body is not here, because it was too long to keep.

    Returns:
        The reason is empty where the answer confirms, the name where it names no pod.
    """
    if status != 200:
        return f"HTTP {status}", ""
    if oversized:
        return f"HTTP 200, body over {BODY_LIMIT >> 20} MiB", ""
    try:
        answer = _JSON.decode(str(body, "utf-8"))
    except (ValueError, RecursionError):
        return "HTTP 200, body is not JSON", ""
    if not isinstance(answer, dict):
        return "HTTP 200, body is no JSON object", ""
    return _status_rejection(answer), pod_name(answer.get("served_by_pod"))


def _status_rejection(answer: dict[str, Any]) -> str:
    status = answer.get("status")
    if status == "success":
        return ""
    if "status" not in answer:
        return 'HTTP 200, body has no "status"'
    if not isinstance(status, str):
        return 'HTTP 200, "status" is no text'
    word = "".join(letter for letter in status[:WORD_LIMIT] if letter.isprintable())
    return f'HTTP 200, "status" is "{word}"'


def pod_name(given: object) -> str:
    """Accept a pod's name from an answer; what could not be one is read as empty."""
    if isinstance(given, str) and len(given) <= POD_NAME_LIMIT and given.isprintable():
        return given
    return ""
