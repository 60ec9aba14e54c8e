"""What minikube says in plain text where a failure comes before its JSON. Pure."""

from __future__ import annotations

import re

# pkg/minikube/out/out_reason.go; and cobra's words about options that it does not know
EXITING = re.compile(
    r"^X .*?\b(?P<id>[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+): (?P<message>.+)$", re.MULTILINE
)
MISUSED = re.compile(r"^Error: (?P<message>.+)$", re.MULTILINE)


def read_reason(text: str) -> tuple[str, str]:
    """Find the id and the message of a failure; both are empty where there are none."""
    if found := EXITING.search(text):
        return found["id"], found["message"]
    misused = MISUSED.search(text)
    return "", misused["message"] if misused else ""
