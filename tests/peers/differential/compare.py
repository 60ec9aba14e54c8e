"""What two servers answered, made comparable: names, times, versions and addresses do not count."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.conformance.api import Answer

# What a server makes up by itself for each object.
MADE_UP = {
    *("uid", "resourceVersion", "creationTimestamp", "managedFields", "deletionTimestamp"),
    *("clusterIP", "clusterIPs", "nodePort", "lastTransitionTime", "selfLink", "rows"),
    *("nodeName", "deletionGracePeriodSeconds"),  # the real control plane has no node for pods
}
WORDS = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "UID"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "TIME"),
    (re.compile(r'scheme \\?"[^"]*scheme\.go:\d+\\?"'), "SCHEME"),
    (re.compile(r"\b10\.\d+\.\d+\.\d+\b"), "ADDRESS"),
    (re.compile(r"\b(x-|X_)[a-z0-9]{5}\b"), "GENERATED"),
    (re.compile(r'resourceVersion\\":\\"\d+'), "REVISION"),
    (re.compile(r'"\{.*\}"'), '"OBJECT"'),
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the two disagree."""

    where: str  # status, or a path inside the body
    real: Any
    ours: Any

    def __str__(self) -> str:
        return f"{self.where}: real {written(self.real)} ours {written(self.ours)}"


def written(value: Any) -> str:
    """Write a value for a report."""
    return "nothing" if value is MISSING else json.dumps(value, sort_keys=True)


MISSING = object()


def differences(real: Answer, ours: Answer) -> list[Difference]:
    """Return where two answers differ; of refusals with another status, only that."""
    if real.status != ours.status:
        return [Difference("status", *(f"{one.status} {message(one)}" for one in (real, ours)))]
    return list(walk("", steady(body(real)), steady(body(ours))))


def message(answer: Answer) -> str:
    """Return what a Status says, empty for another body."""
    document = body(answer)
    return str(document.get("message", "")) if isinstance(document, dict) else ""


def body(answer: Answer) -> Any:
    """Read a body."""
    try:
        return json.loads(answer.body)
    except ValueError:
        return answer.body.decode(errors="replace")


def steady(value: Any) -> Any:
    """Take out what differs from server to server."""
    if isinstance(value, dict):
        kept = {key: item for key, item in value.items() if key not in MADE_UP}
        if isinstance(kept.get("status"), dict):  # controllers write it in their own time
            del kept["status"]
        return {key: steady(item) for key, item in kept.items()}
    if isinstance(value, list):
        return [steady(item) for item in value if not is_token_volume(item)]
    if isinstance(value, str):
        for pattern, word in WORDS:
            value = pattern.sub(word, value)
    return value


def is_token_volume(item: Any) -> bool:
    """Whether an item of a list is the volume with a pod's token, or its mount."""
    return isinstance(item, dict) and str(item.get("name", "")).startswith("kube-api-access-")


def walk(where: str, real: Any, ours: Any) -> Iterator[Difference]:
    """Yield the places where two values differ, the innermost ones."""
    if isinstance(real, dict) and isinstance(ours, dict):
        for key in sorted(real.keys() | ours.keys()):
            yield from walk(f"{where}.{key}", real.get(key, MISSING), ours.get(key, MISSING))
    elif isinstance(real, list) and isinstance(ours, list) and len(real) == len(ours):
        for number, pair in enumerate(zip(real, ours, strict=True)):
            yield from walk(f"{where}[{number}]", *pair)
    elif not alike(real, ours):
        yield Difference(where or "body", real, ours)


def alike(real: Any, ours: Any) -> bool:
    """Whether two values mean the same: an empty list or object may as well be left out."""
    empty: tuple[Any, ...] = (MISSING, [], {}, None)
    return bool(real == ours) or (real in empty and ours in empty)
