"""Recordings of a real API server, Kubernetes v1.36.2 (tests/recordings/README.md)."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from flashsale.embedded.types.resources import PODS, REPLICA_SETS, SERVICES, Resource

FOLDER = Path(__file__).parent.parent / "recordings"
KINDS = (PODS, REPLICA_SETS, SERVICES)


@cache
def _load(name: str) -> Any:
    return json.loads((FOLDER / name).read_text("utf-8"))


def error(case: str) -> Any:
    """One mistake: its request, status and response."""
    return _load("errors.json")[case]


def discovery(name: str) -> Any:
    """The body of one discovery answer."""
    return _load(f"discovery/{name}.json")["response"]


def objects(name: str) -> Any:
    """The body of one list, or a Scale."""
    return _load(f"objects/{name}.json")["response"]


def resource_of(case: str) -> Resource:
    """The kind that a mistake's path is about."""
    path = error(case)["request"]["path"]
    return next(kind for kind in KINDS if f"/{kind.plural}" in path)
