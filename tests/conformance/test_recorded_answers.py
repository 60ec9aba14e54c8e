"""Inputs with the answers of a real Kubernetes v1.36.2: what it refuses, and what it warns of.

Recorded from kube-apiserver v1.36.2 as tests/peers builds it. Nothing is stored: all are dry runs,
or of objects that are not there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.conformance.api import Answer
from tests.conformance.scene import Scene

RECORDED = Path(__file__).with_name("answers.json")
PARTS = ("status", "message", "warnings")


def test_the_same_answers(stage: Scene) -> None:
    """Status code, message and warnings of each are the same, word for word."""
    answers = json.loads(RECORDED.read_text("utf-8"))["answers"]
    assert len(answers) > 300
    wrong = []
    for place, answer in enumerate(answers):
        given = given_answer(stage, answer)
        recorded = {part: answer[part] for part in PARTS}
        if given != recorded:
            wrong.append({"place": place, "given": given, "recorded": recorded})
    assert wrong == []


def given_answer(stage: Scene, answer: Any) -> dict[str, Any]:
    """Send what was sent, and return what comes back now."""
    body = answer["body"]
    data = None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
    path = answer["path"].replace("{namespace}", stage.namespace)
    kind = answer["headers"].get("Content-Type", "")
    given: Answer = stage.api.send(answer.get("method", "POST"), path, data, content_type=kind)
    warnings = [
        text.removeprefix("299 - ")
        for name, text in given.headers.items()
        if name.lower() == "warning"
    ]
    message = given.message.replace(stage.namespace, "{namespace}") if given.status >= 300 else ""
    return {"status": given.status, "message": message, "warnings": warnings}
