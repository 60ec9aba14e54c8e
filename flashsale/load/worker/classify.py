"""What became of a purchase: the one place that decides between confirmed, rejected and lost.

A purchase is confirmed by a complete 200 answer whose JSON says ``"status": "success"``; any other
complete answer is a rejection, a redirect too, for nobody follows it; without a complete answer the
purchase is lost. What the generator itself could not send is none of the three.
"""

from __future__ import annotations

import errno
import json
from typing import Literal

LossClass = Literal["refused", "reset", "timeout", "other"]
Limit = Literal["ports", "files", "memory", "behind"]

LOSS_CLASSES: tuple[LossClass, ...] = ("refused", "reset", "timeout", "other")
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


def own_limit(error: int) -> Limit | None:
    """Say which limit of this machine an errno means; None when the errno is the server's doing."""
    return _LIMITS.get(error)


def judge(status: int, body: bytes | bytearray) -> tuple[bool, str]:
    """Say whether a complete answer confirms the purchase, and which pod served it.

    Returns:
        The pod's name is empty where the answer names none.
    """
    if status != 200:
        return False, ""
    try:
        answer = _JSON.decode(str(body, "utf-8"))
    except (ValueError, RecursionError):
        return False, ""
    if not isinstance(answer, dict):
        return False, ""
    return answer.get("status") == "success", pod_name(answer.get("served_by_pod"))


def pod_name(given: object) -> str:
    """Accept a pod's name from an answer; what could not be one is read as empty."""
    if isinstance(given, str) and len(given) <= POD_NAME_LIMIT and given.isprintable():
        return given
    return ""
