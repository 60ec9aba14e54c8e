"""Options of the whole run."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the conformance tests run on any cluster: `pytest tests/conformance --context NAME`."""
    group = parser.getgroup("flashsale")
    group.addoption(
        "--context",
        default="",
        metavar="NAME",
        help="kubeconfig context for tests/conformance (default: an embedded cluster of its own)",
    )
    group.addoption(
        "--image",
        default="flashsale:1.0",
        metavar="NAME:TAG",
        help="the exercise's image, as that cluster knows it (default: %(default)s)",
    )
