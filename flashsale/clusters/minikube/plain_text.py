"""What minikube says in plain text where JSON is due, before it, or instead of it. Pure."""

from __future__ import annotations

import json
import re
from typing import Any

# pkg/minikube/out/out_reason.go; and cobra's words about options that it does not know
EXITING = re.compile(
    r"^X .*?\b(?P<id>[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+): (?P<message>.+)$", re.MULTILINE
)
MISUSED = re.compile(r"^Error: (?P<message>.+)$", re.MULTILINE)


DOCUMENT_BEGINS = re.compile(r"^\s*(?=[\[{]|null\b)", re.MULTILINE)
STATUS_ERROR = re.compile(
    r"status error: (?P<cause>.+?)(?=^[EWIF]\d{4} |\Z)", re.DOTALL | re.MULTILINE
)
NODE_IS_GONE = re.compile(
    r"no such (?:container|object)|does not exist|domain not found|not find a registered machine"
    r"|docker daemon|docker API|error during connect|docker\.sock",
    re.IGNORECASE,
)


def find_document(text: str) -> Any:
    """Find the answer in what a command printed, between events and notices; else ValueError."""
    decoder, documents, at = json.JSONDecoder(), list[Any](), 0
    while start := DOCUMENT_BEGINS.search(text, at):
        try:
            document, at = decoder.raw_decode(text, start.end())
        except ValueError:
            at = text.find("\n", start.end()) + 1 or len(text)
            continue
        if not (isinstance(document, dict) and "specversion" in document):
            documents.append(document)
    if not documents:
        raise ValueError("there is no JSON")
    return documents[-1]


def read_unknown_state(text: str) -> str:
    """Return why `status` could not look at a node; empty where the node, or Docker, is gone.

    It prints `null` for both, and the reason with its log lines (pkg/minikube/cluster/status.go).
    """
    causes = [error["cause"].strip() for error in STATUS_ERROR.finditer(text)]
    if not causes or NODE_IS_GONE.search(causes[-1]):
        return ""
    lines = [line.strip() for line in causes[-1].splitlines() if line.strip()]
    return lines[-1] if lines[-1] not in ("stdout:", "stderr:") else lines[0]


def read_reason(text: str) -> tuple[str, str]:
    """Find the id and the message of a failure; both are empty where there are none."""
    if match := EXITING.search(text):
        return match["id"], match["message"]
    misused = MISUSED.search(text)
    return "", misused["message"] if misused else ""
