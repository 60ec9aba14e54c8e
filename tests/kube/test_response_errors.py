"""What an API server says, as errors that people can act on."""

from __future__ import annotations

import json

import pytest

from flashsale.kube.response_errors import failure

FULL = "The cluster's state in /s/state.db cannot be written: database or disk is full."


@pytest.mark.parametrize(
    ("said", "words", "hint"),
    [
        (f"{FULL} (df -h /s  # shows the disk)", FULL, "df -h /s  # shows the disk"),
        ("etcdserver: request timed out", "etcdserver: request timed out", "try once more"),
        ("odd (in brackets)", "odd (in brackets)", "try once more"),
    ],
)
def test_failed_server_is_told_with_what_helps(said: str, words: str, hint: str) -> None:
    """The embedded cluster gives its advice in brackets; everybody else's words stay whole."""
    error = failure(500, json.dumps({"kind": "Status", "message": said}), "here")
    assert str(error) == f"The cluster 'here' failed: {words}"
    assert error.hint == hint


def test_hints_work_whatever_a_context_is_called() -> None:
    """`kubectl config rename-context` takes any name."""
    error = failure(401, "", "Ann's team")
    assert error.hint == """kubectl --context 'Ann'"'"'s team' config view --minify"""
