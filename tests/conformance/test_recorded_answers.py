"""Inputs with the answers of a real Kubernetes v1.36.2: what it refuses, and what it warns of.

Recorded from kube-apiserver v1.36.2 as tests/peers builds it. Nothing is stored: all are dry runs,
or of objects that are not there.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.scene import Scene

RECORDED = json.loads(Path(__file__).with_name("answers.json").read_text("utf-8"))
ANSWERS = RECORDED["answers"]


def case_name(place: int, answer: Any) -> str:
    """Name a case by its place and its answer."""
    return f"{place} {str(answer['message'] or answer['warnings'])[:80]}"


@pytest.mark.parametrize("answer", ANSWERS, ids=itertools.starmap(case_name, enumerate(ANSWERS)))
def test_the_same_answer(stage: Scene, answer: Any) -> None:
    """Status code, message and warnings are the same, word for word."""
    body = answer["body"]
    data = None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
    path = answer["path"].replace("{namespace}", stage.namespace)
    kind = answer["headers"].get("Content-Type", "")
    given = stage.api.send(answer.get("method", "POST"), path, data, content_type=kind)
    warnings = [
        text.removeprefix("299 - ")
        for name, text in given.headers.items()
        if name.lower() == "warning"
    ]
    message = given.message.replace(stage.namespace, "{namespace}") if given.status >= 300 else ""
    assert (given.status, message, warnings) == (
        answer["status"],
        answer["message"],
        answer["warnings"],
    )
